// What a hint says to sign in with is the whole line: it is run here as it was printed.
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Account, errorOf, openAccount } from './account.ts'

let account: Account
beforeEach(async () => {
  account = await openAccount({ keys: 1 })
})
afterEach(() => account.end())

const env = { PICTIFY_ADMIN_KEY: undefined, PICTIFY_API_URL: undefined }
const input = () => account.sandbox.adminKey.reveal()
/** The line of a hint, as words. */
const lineIn = (hint: string | undefined) =>
  (/pictify-keys (login[^;,]*?)(?= adds it|[;,]|$)/.exec(hint ?? '')?.[1] ?? '').split(' ')
const run = (...args: string[]) => account.run([...args, '--json'], { env, input: input() })

// elsewhere there is a keychain, and it is the tester's own
describe.runIf(process.platform === 'linux')('where there is no keychain', () => {
  test('it names the profile and the API that were given, and keeps the key there', async () => {
    const given = ['--profile', 'acme', '--api-url', account.sandbox.url]
    const refused = errorOf(await run('login', ...given))
    expect(refused.code).toBe('keychain-unavailable')
    expect(lineIn(refused.hint)).toEqual(['login', '--store', 'file', ...given])
    expect(await run(...lineIn(refused.hint))).toMatchObject({ exit: 0, stderr: '' })
    expect(await run('list', '--profile', 'acme')).toMatchObject({ exit: 0 })
  })

  test('it leaves out what goes without saying', async () => {
    const apiUrl = { PICTIFY_API_URL: account.sandbox.url }
    const refused = await account.run(['login', '--json'], { env: { ...env, ...apiUrl }, input: input() })
    expect(lineIn(errorOf(refused).hint)).toEqual(['login', '--store', 'file'])
  })
})

test('without a key it names the API that was given; the default profile where another one is chosen', async () => {
  await run('login', '--store', 'file', '--profile', 'acme', '--api-url', account.sandbox.url)
  await run('profile', 'use', 'acme')
  const apiUrl = ['--api-url', account.sandbox.url]
  const refused = errorOf(await run('list', '--profile', 'default', ...apiUrl))
  expect(refused.code).toBe('not-signed-in')
  expect(lineIn(refused.hint)).toEqual(['login', '--profile', 'default', ...apiUrl])
})
