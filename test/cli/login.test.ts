import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { errorOf } from './account.ts'
import { useProfile } from './profile-fixture.ts'
import { quick } from './rotating.ts'

const account = useProfile()
const { none, profileFile, signIn } = account

describe('login', () => {
  test('proves the key, keeps it for its owner alone, and the next command uses it', async () => {
    const ran = await signIn(`${account.sandbox.adminKey.reveal()}\n`)
    expect(ran).toMatchObject({ exit: 0, stderr: '' })
    expect(JSON.parse(ran.stdout)).toEqual({
      login: { profile: 'default', apiUrl: account.sandbox.url, store: 'file', path: profileFile() },
    })
    expect((await stat(profileFile())).mode & 0o777).toBe(0o600)
    expect((await stat(path.dirname(profileFile()))).mode & 0o777).toBe(0o700)
    // the profile remembers the address too
    const listed = await account.run(['list', '--json'], { env: { ...none, PICTIFY_API_URL: undefined } })
    expect(listed.exit).toBe(0)
    expect((JSON.parse(listed.stdout) as { apiKeys: unknown[] }).apiKeys).toHaveLength(4)
  })

  test('profiles keep apart, and a dot in a name is no path', async () => {
    await signIn()
    const ran = await account.run(['login', '--store', 'file', '--profile', 'eu.staging'], {
      input: account.sandbox.adminKey.reveal(),
      env: none,
    })
    expect(ran.exit).toBe(0)
    const { profiles } = JSON.parse(await readFile(profileFile(), 'utf8')) as { profiles: object }
    expect(Object.keys(profiles)).toEqual(['default', 'eu.staging'])
    const out = await account.run(['logout', '--profile', 'eu.staging'], { env: none })
    expect(out.stdout).toContain('signed out (profile eu.staging)')
    expect((await account.run(['list'], { env: none })).exit).toBe(0)
    expect((await account.run(['list', '--profile', 'eu.staging'], { env: none })).exit).toBe(4)
  })

  // elsewhere there is a keychain, and it is the tester's own; what it does is tested against one in *.servers.ts
  test.runIf(process.platform === 'linux')(
    'where there is no keychain says so, and keeps nothing',
    async () => {
      const ran = await account.run(['login', '--json'], {
        input: account.sandbox.adminKey.reveal(),
        env: none,
      })
      expect(ran).toMatchObject({ exit: 4, stdout: '' })
      expect(errorOf(ran)).toMatchObject({
        code: 'keychain-unavailable',
        message: 'the Secret Service cannot be reached here',
        hint: expect.stringContaining('--store file') as string,
      })
      await expect(stat(profileFile())).rejects.toThrow('ENOENT')
      expect(account.sandbox.requests).toHaveLength(0)
    },
  )

  test('--move without a key to move says so', async () => {
    const ran = await account.run(['login', '--move', '--store', 'file', '--json'], { env: none })
    expect(ran.exit).toBe(4)
    expect(errorOf(ran)).toMatchObject({ code: 'not-signed-in', hint: 'leave --move away, and give the key' })
  })

  test.each([
    ['quoted', (key: string) => `"${key}"`, 'quotes around it'],
    ['with a space', (key: string) => `${key.slice(0, 20)} ${key.slice(20)}`, 'spaces in it'],
    ['with a newline', (key: string) => `${key.slice(0, 20)}\n${key.slice(20)}`, 'newline in it'],
    ['with Bearer', (key: string) => `Bearer${key}`, 'starts with "Bearer"'],
    ['empty', () => '', 'is empty'],
    ['an id', () => 'key_abc123', 'is a key id'],
    ['malformed', () => 'sk_123456', 'does not start with pk_live_'],
  ])('refuses a key that is %s, and keeps nothing', async (_, make, message) => {
    const key = account.sandbox.adminKey.reveal()
    const ran = await signIn(make(key))
    expect(ran.exit).toBe(2)
    expect(errorOf(ran)).toMatchObject({ code: 'invalid-secret' })
    expect(errorOf(ran).message).toContain(message)
    expect(ran.stderr).not.toContain(key.slice(8, 20))
    await expect(stat(profileFile())).rejects.toThrow('ENOENT')
    expect(account.sandbox.requests).toHaveLength(0)
  })

  test('refuses a key that is not an admin key, and one that is revoked', async () => {
    const plain = account.sandbox.dashboard.create({ name: 'Plain', access: 'full', createdAt: 0 })
    const refused = await signIn(plain.secret.reveal())
    expect(refused.exit).toBe(4)
    expect(errorOf(refused)).toMatchObject({ code: 'insufficient-permissions', status: 403 })
    account.sandbox.dashboard.revoke(plain.id)
    const revoked = await signIn(plain.secret.reveal())
    expect(revoked.exit).toBe(4)
    expect(errorOf(revoked)).toMatchObject({ code: 'invalid-api-key', status: 401 })
    for (const { stderr } of [refused, revoked]) expect(stderr).not.toContain(plain.secret.reveal())
    await expect(stat(profileFile())).rejects.toThrow('ENOENT')
  })

  test('says so when the profile folder cannot be written', async () => {
    await mkdir(path.join(account.home.directory, 'config'))
    await writeFile(path.join(account.home.directory, 'config', 'pictify-keys'), 'a file')
    const ran = await signIn()
    expect(ran.exit).toBe(1)
    expect(errorOf(ran).code).toBe('config-unreadable')
    expect(errorOf(ran).message).toContain('pictify-keys')
  })
})

describe('logout', () => {
  test('forgets the key, and says when there was none or when the environment has one', async () => {
    await signIn()
    const first = await account.run(['logout', '--json'], { env: none })
    expect(JSON.parse(first.stdout)).toEqual({ logout: { profile: 'default', removed: true } })
    expect(await readFile(profileFile(), 'utf8')).not.toContain('pk_')
    const again = await account.run(['logout'], { env: none })
    expect(again).toMatchObject({ exit: 0, stdout: 'there was no key to forget (profile default)\n' })
    const still = await account.run(['logout'])
    expect(still.stderr).toContain('PICTIFY_ADMIN_KEY is still set')
  })

  test('lets go of the API, and keeps what else the profile says', async () => {
    await signIn()
    const document = JSON.parse(await readFile(profileFile(), 'utf8')) as {
      profiles: { default: Record<string, string> }
    }
    document.profiles.default['plan'] = 'pro'
    await writeFile(profileFile(), JSON.stringify(document))
    await account.run(['logout'], { env: none })
    expect(JSON.parse(await readFile(profileFile(), 'utf8'))).toEqual({
      profiles: { default: { plan: 'pro' } },
    })
    const status = await account.run(['status', '--json'], { env: { ...none, PICTIFY_API_URL: undefined } })
    expect(JSON.parse(status.stdout)).toMatchObject({ status: { apiUrl: 'https://api.pictify.io' } })
  })

  test('asks before what may be the only copy of a key is gone, as login does; the same key again loses none', async () => {
    await signIn()
    const rotated = await account.run(['rotate', '--self', ...quick], { env: none })
    expect(rotated.exit, rotated.stderr).toBe(0)
    const successor = account.sandbox
      .keys()
      .find(({ access, status }) => access === 'admin' && status === 'active')?.secret
    const another = account.sandbox.dashboard.create({ name: 'Mine', access: 'admin', createdAt: 0 }).secret
    for (const [args, input] of [
      [['logout'], ''],
      [['login', '--store', 'file'], another.reveal()],
    ] as const) {
      const asked = await account.run([...args, '--json'], { env: none, input })
      expect(asked.exit).toBe(2)
      expect(errorOf(asked)).toMatchObject({ code: 'needs-answer', hint: 'give --yes' })
      expect(errorOf(asked).message).toContain('was made by rotate --self, and this may be its only copy')
    }
    expect(await readFile(profileFile(), 'utf8')).toContain(successor?.reveal())
    expect((await signIn(successor?.reveal())).exit).toBe(0)
    // now somebody has it who gave it
    const out = await account.run(['logout', '--json'], { env: none })
    expect(out).toMatchObject({ exit: 0, stderr: '' })
  })
})
