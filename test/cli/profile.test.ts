import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createSandbox, type Sandbox } from '../../src/sandbox/server.ts'
import { errorOf, openAccount, type Account } from './account.ts'
import { leftOpen } from './rotating.ts'
import { keyboard, openScreen } from './screen.ts'

let account: Account
let other: Sandbox
beforeEach(async () => {
  account = await openAccount({ keys: 2 })
  other = await createSandbox({ propagationMs: 0, seed: 8, keys: 1 })
  await signIn(account.sandbox)
  await signIn(other, '--profile', 'acme')
})
afterEach(async () => {
  await other.close()
  await account.end()
})

const none = { PICTIFY_ADMIN_KEY: undefined, PICTIFY_API_URL: undefined }
const run = (args: string[], env: Record<string, string | undefined> = {}) =>
  account.run([...args, '--json'], { env: { ...none, ...env } })
async function signIn({ url, adminKey }: Sandbox, ...args: string[]): Promise<void> {
  const ran = await account.run(['login', '--store', 'file', '--api-url', url, ...args], {
    input: adminKey.reveal(),
    env: none,
  })
  expect(ran.exit, ran.stderr).toBe(0)
}
const profileFile = () => path.join(account.home.directory, 'config', 'pictify-keys', 'config.json')
const stored = async () =>
  JSON.parse(await readFile(profileFile(), 'utf8')) as { profile?: string; profiles: Record<string, object> }

interface Row {
  name: string
  inUse: boolean
  because: string | null
}
const rowsOf = (stdout: string) => (JSON.parse(stdout) as { profiles: Row[] }).profiles
const inUse = (stdout: string) => rowsOf(stdout).find((row) => row.inUse)
const apiOf = async (env: Record<string, string | undefined> = {}, ...args: string[]) =>
  (JSON.parse((await run(['status', ...args], env)).stdout) as { status: { apiUrl: string } }).status.apiUrl

describe('profile list', () => {
  test('says of each its API, its key, where that lies, and which is in use', async () => {
    const ran = await run(['profile', 'list'])
    expect(ran).toMatchObject({ exit: 0, stderr: '' })
    const row = { store: 'file', type: 'live' }
    expect(rowsOf(ran.stdout)).toEqual([
      {
        ...row,
        name: 'default',
        apiUrl: account.sandbox.url,
        key: account.sandbox.adminKey.hint,
        inUse: true,
        because: 'default',
      },
      { ...row, name: 'acme', apiUrl: other.url, key: other.adminKey.hint, inUse: false, because: null },
    ])
    for (const { adminKey } of [account.sandbox, other]) expect(ran.stdout).not.toContain(adminKey.reveal())
    const words = await account.run(['profile', 'list'], { env: none })
    expect(words.stdout).toMatch(/^\s+PROFILE +TYPE +API +KEY +KEPT IN +IN USE\n\* +default +live +http/)
    expect(words.stdout).toMatch(/\n +acme +live +http.* +pk_live_….{4} +profile file *\n$/)
  })

  test.each([
    [['--profile', 'acme'], {}, 'acme', 'flag'],
    [[], { PICTIFY_PROFILE: 'acme' }, 'acme', 'environment'],
    [['--profile', 'default'], { PICTIFY_PROFILE: 'acme' }, 'default', 'flag'],
    [[], { PICTIFY_PROFILE: '' }, 'default', 'default'],
  ] as const)('%j with %j: %s is in use by %s', async (args, env, name, because) => {
    expect(inUse((await run(['profile', 'list', ...args], env)).stdout)).toMatchObject({ name, because })
  })

  test('hides none where one was spoilt by hand', async () => {
    const document = await stored()
    document.profiles['acme'] = { adminKey: 'no key' }
    await writeFile(profileFile(), JSON.stringify(document))
    const ran = await run(['profile', 'list'])
    expect(ran.exit).toBe(0)
    expect(rowsOf(ran.stdout)[1]).toMatchObject({ name: 'acme', key: null, type: null })
  })

  test('shows the one in use though nobody signed in with it, for that is why commands fail', async () => {
    const rows = rowsOf((await run(['profile', 'list', '--profile', 'acne'])).stdout)
    expect(rows.map(({ name }) => name)).toEqual(['default', 'acme', 'acne'])
    expect(rows[2]).toMatchObject({ store: null, inUse: true, because: 'flag' })
    await run(['profile', 'delete', 'default', '--yes'])
    const [, standard] = rowsOf((await run(['profile', 'list'])).stdout)
    expect(standard).toMatchObject({ name: 'default', apiUrl: null, inUse: true, because: 'default' })
  })

  test('of a home where nobody signed in shows what a login would make', async () => {
    const env = { ...none, XDG_CONFIG_HOME: path.join(account.home.directory, 'empty') }
    const ran = await run(['profile', 'list'], env)
    expect(rowsOf(ran.stdout)).toEqual([
      { name: 'default', apiUrl: null, store: null, key: null, type: null, inUse: true, because: 'default' },
    ])
  })
})

describe('profile use', () => {
  test('chooses for every command that names no other; flag and environment go before it', async () => {
    const ran = await run(['profile', 'use', 'acme'])
    expect(JSON.parse(ran.stdout)).toMatchObject({
      profile: { name: 'acme', inUse: true, because: 'chosen' },
    })
    expect(await apiOf()).toBe(other.url)
    expect(await apiOf({ PICTIFY_PROFILE: 'default' })).toBe(account.sandbox.url)
    expect(await apiOf({}, '--profile', 'default')).toBe(account.sandbox.url)
    const back = await run(['profile', 'use', 'default'], { PICTIFY_PROFILE: 'acme' })
    expect(back.stderr).toContain('PICTIFY_PROFILE is set, and goes before what is chosen now')
    expect((await stored()).profile).toBeUndefined()
    expect(await apiOf()).toBe(account.sandbox.url)
  })

  test('of one that is not there is exit 3 and names those that are', async () => {
    const ran = await run(['profile', 'use', 'acne'])
    expect(ran.exit).toBe(3)
    expect(errorOf(ran)).toMatchObject({
      code: 'profile-not-found',
      hint: 'there is default, acme; pictify-keys login --profile acne adds it',
    })
  })
})

describe('profile delete', () => {
  test('asks, and forgets the key and the settings', async () => {
    const refused = await run(['profile', 'delete', 'acme'])
    expect(errorOf(refused)).toMatchObject({ code: 'needs-answer', hint: 'give --yes' })
    await run(['profile', 'use', 'acme'])
    const ran = await run(['profile', 'delete', 'acme', '--yes'])
    expect(JSON.parse(ran.stdout)).toEqual({ deleted: ['acme'] })
    expect(await readFile(profileFile(), 'utf8')).not.toContain(other.adminKey.reveal())
    expect(Object.keys((await stored()).profiles)).toEqual(['default'])
    // what was chosen is gone, and nothing points to it any more
    expect(await apiOf()).toBe(account.sandbox.url)
    expect((await run(['profile', 'delete', 'acme', '--yes'])).exit).toBe(3)
  })

  test('says which open rotations need its key; logout asks for the same reason', async () => {
    const key = other.dashboard.create({ name: 'Server', createdAt: Date.now() - 86_400_000 })
    await writeFile(path.join(account.home.directory, '.env'), `PICTIFY_API_KEY=${key.secret.reveal()}\n`)
    const args = ['rotate', key.id, '--to', 'env:.env', '--profile', 'acme', ...leftOpen.slice(0, -1)]
    const left = await account.run([...args, '0s'], { env: none })
    expect(left.exit, left.stderr).toBe(5)
    const asked = await run(['logout', '--profile', 'acme'])
    expect(errorOf(asked).message).toMatch(/a rotation is open that needs? it: \w+ \(Server\)/)
    // the other profile's account has none
    expect((await run(['logout'])).exit).toBe(0)
    const ran = await run(['profile', 'delete', 'acme', '--yes'])
    expect(ran.exit).toBe(0)
    expect(ran.stderr).toContain('a rotation is open that need')
  })
})

describe('a profile’s name', () => {
  test.each(['', '../up', 'a b', '-x', 'x'.repeat(65), 'naïve', 'a\nb'])('%j is refused', async (name) => {
    const ran = await run(['list', `--profile=${name}`])
    expect(ran.exit).toBe(2)
    expect(errorOf(ran)).toMatchObject({
      code: 'usage',
      hint: expect.stringContaining('letters, digits') as string,
    })
  })

  test('that nobody signed in with is an error that names those that are there', async () => {
    const ran = await run(['list', '--profile', 'acne'])
    expect(ran.exit).toBe(4)
    expect(errorOf(ran)).toMatchObject({
      code: 'not-signed-in',
      message: 'there is no profile acne',
      hint: 'there is default, acme; pictify-keys login --profile acne adds it',
    })
  })

  test.each([
    [['profile', 'lst'], 'usage'],
    [['profile', 'list', 'acme'], 'usage'],
    [['profile'], 'usage'],
    [['profile', 'use'], 'needs-answer'],
  ])('%j is exit 2', async (args, code) => {
    const ran = await run(args)
    expect(ran.exit).toBe(2)
    expect(errorOf(ran).code).toBe(code)
  })
})

describe('at a terminal', () => {
  test('a question says whose keys it is about', async () => {
    const [key] = other.keys().filter(({ access }) => access !== 'admin')
    const screen = openScreen(
      account.home,
      ['delete', key?.id ?? '', '--revoke', '--force', '--profile', 'acme'],
      {
        env: none,
      },
    )
    await screen.until('acme (live) › ')
    screen.type(keyboard.ctrlC)
    expect((await screen.ended).exit).toBeNull()
  })

  test('profile use asks which, and profile delete whether', async () => {
    const screen = openScreen(account.home, ['profile', 'use'], { env: none })
    await screen.until(/^\S Which profile is to be used by default\?/m)
    screen.type(keyboard.down)
    await screen.until(/❯ acme/)
    screen.type(keyboard.enter)
    expect((await screen.ended).exit).toBe(0)
    expect((await stored()).profile).toBe('acme')
    // of the one that is deleted, whichever is in use
    const asked = openScreen(account.home, ['profile', 'delete', 'acme', '--profile', 'default'], {
      env: none,
    })
    await asked.until('acme (live) › Delete profile acme, with its key and its settings?')
    asked.type(`n${keyboard.enter}`)
    expect((await asked.ended).exit).toBe(1)
    expect(Object.keys((await stored()).profiles)).toEqual(['default', 'acme'])
  })
})
