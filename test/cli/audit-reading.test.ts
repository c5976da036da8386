import { afterEach, expect, test } from 'vitest'
import { openAccount, type Account } from './account.ts'
import { keyboard, openScreen, type Screen } from './screen.ts'

let account: Account
let screen: Screen | undefined
afterEach(async () => {
  screen?.close()
  screen = undefined
  await account.end()
})

test('at a terminal a bar says how far reading is, and a wait for the rate limit until when', async () => {
  account = await openAccount({ plan: 'business', keys: 60 })
  account.sandbox.addFault('slow=300ms:GET /api-keys/*')
  screen = openScreen(account.home, ['audit', '--rule', 'error-rate'], { columns: 80 })
  await screen.until(/█+░+ {2}\d+ of \d+ usage/)
  account.sandbox.clearFaults()
  account.sandbox.addFault('status-429=40s:GET /api-keys/*')
  await screen.until(/waits for the rate limit until \d\d:\d\d:\d\d UTC, \d+s more/)
  expect(screen.isCursorHidden()).toBe(true)
  screen.type(keyboard.ctrlC)
  expect(await screen.ended).toMatchObject({ signal: 2 })
  expect(screen.isCursorHidden()).toBe(false)
  // what was drawn is gone
  expect(screen.text()).not.toMatch(/█|waits for/)
})
