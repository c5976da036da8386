import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openAccount, type Account } from './account.ts'
import { keyboard, openScreen } from './screen.ts'

// The real program on a real terminal, with somebody at its keys.

let account: Account
beforeEach(async () => {
  account = await openAccount()
})
afterEach(() => account.end())

const sigint = 2

describe('at a question', () => {
  it.each([
    ['Ctrl-C', keyboard.ctrlC, 'interrupted'],
    ['Ctrl-D', keyboard.ctrlD, 'the input ended'],
  ])('%s ends the program by the signal, with the cursor shown', async (_name, keys, message) => {
    const screen = openScreen(account.home, ['login', '--store', 'file'], {
      env: { PICTIFY_ADMIN_KEY: undefined },
    })
    await screen.until('Admin key')
    screen.type(keys)
    expect((await screen.ended).signal, screen.text()).toBe(sigint)
    expect(screen.text()).toContain(message)
    expect(screen.isCursorHidden()).toBe(false)
  })
})
