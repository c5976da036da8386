import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createSandbox, type Sandbox } from '../../src/sandbox/server.ts'
import { errorOf, openAccount, type Account } from './account.ts'
import { quick } from './rotating.ts'

let account: Account
beforeEach(async () => {
  account = await openAccount({ keys: 3 })
})
afterEach(() => account.end())

const none = { PICTIFY_ADMIN_KEY: undefined }
const profileFile = () => path.join(account.home.directory, 'config', 'pictify-keys', 'config.json')
const signIn = (input = account.sandbox.adminKey.reveal()) =>
  account.run(['login', '--store', 'file', '--json'], { input, env: none })

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

describe('the profile file', () => {
  test.each([
    ['is not JSON', '{"profiles":', 'it is not JSON'],
    ['holds something else', '{"profiles":{"default":[]}}', 'its profile default is not an object'],
    ['holds an odd setting', '{"profiles":{"default":{"apiUrl":1}}}', 'apiUrl'],
  ])('that %s is an error that names it, and stays as it is', async (_, text, message) => {
    await mkdir(path.dirname(profileFile()), { recursive: true })
    await writeFile(profileFile(), text)
    const ran = await account.run(['list', '--json'], { env: none })
    expect(ran.exit).toBe(1)
    expect(errorOf(ran).code).toBe('config-unreadable')
    expect(errorOf(ran).message).toContain(profileFile())
    expect(errorOf(ran).message).toContain(message)
    expect(await readFile(profileFile(), 'utf8')).toBe(text)
  })

  test('is not looked at where flags and environment say all', async () => {
    await mkdir(path.dirname(profileFile()), { recursive: true })
    await writeFile(profileFile(), 'broken')
    expect((await account.run(['list', '--json'])).exit).toBe(0)
  })
})

describe('the credential in use', () => {
  test('none is exit 4 with what to do, in words and in JSON', async () => {
    const words = await account.run(['list'], { env: none })
    expect(words).toMatchObject({ exit: 4, stdout: '' })
    expect(words.stderr).toMatch(
      /error: not signed in \(profile default\)\n.* run pictify-keys login, or set PICTIFY_ADMIN_KEY\n$/,
    )
    const json = await account.run(['--json', 'list'], { env: none })
    expect(json.exit).toBe(4)
    expect(JSON.parse(json.stderr)).toMatchObject({
      error: {
        code: 'not-signed-in',
        message: 'not signed in (profile default)',
        hint: 'run pictify-keys login, or set PICTIFY_ADMIN_KEY',
      },
    })
  })

  test.each([
    ['empty', '', 4, 'not-signed-in'],
    ['quoted', '"pk_live_0123456789abcdef"', 2, 'invalid-secret'],
    ['two lines', 'pk_live_0123456789\nabcdef', 2, 'invalid-secret'],
    ['unknown to the API', 'pk_live_0123456789abcdef', 4, 'invalid-api-key'],
  ])('%s in the environment', async (_, value, exit, code) => {
    const ran = await account.run(['list', '--json'], { env: { PICTIFY_ADMIN_KEY: value } })
    expect(ran.exit).toBe(exit)
    expect(errorOf(ran).code).toBe(code)
    expect(ran.stderr).not.toContain('0123456789')
  })

  test('that may not manage keys is exit 4', async () => {
    const plain = account.sandbox.dashboard.create({ name: 'Plain', access: 'read-only', createdAt: 0 })
    const ran = await account.run(['list', '--json'], { env: { PICTIFY_ADMIN_KEY: plain.secret.reveal() } })
    expect(ran.exit).toBe(4)
    expect(errorOf(ran)).toMatchObject({ code: 'insufficient-permissions', status: 403 })
  })
})

describe('the key of a profile', () => {
  /** Another API, to which it was never proved. */
  let other: Sandbox
  beforeEach(async () => {
    other = await createSandbox()
    await signIn()
  })
  afterEach(() => other.close())

  test.each(['--api-url', 'PICTIFY_API_URL'])('is not sent to another API that %s names', async (way) => {
    const args = way.startsWith('--') ? [way, other.url] : []
    const env = { ...none, PICTIFY_API_URL: other.url }
    const move = ['login', '--move', '--store', 'file']
    for (const command of [['list'], ['rotate', 'x', '--to', 'env:.env'], ['status'], move]) {
      const ran = await account.run([...command, ...args, '--json'], { env })
      expect(ran.exit, ran.stderr).toBe(4)
      expect(errorOf(ran)).toMatchObject({ code: 'not-signed-in' })
      expect(errorOf(ran).message).toContain(`is for ${account.sandbox.url}; it is not sent to ${other.url}`)
      expect(errorOf(ran).hint).toContain(`--api-url ${other.url}`)
    }
    expect(other.requests).toEqual([])
  })

  test('goes there once it was proved there, and one in the environment goes where it is told', async () => {
    const name = ['--profile', 'other']
    const input = other.adminKey.reveal()
    const env = { ...none, PICTIFY_API_URL: undefined }
    const line = ['login', '--store', 'file', ...name, '--api-url', other.url]
    expect((await account.run(line, { input, env })).exit).toBe(0)
    expect((await account.run(['list', ...name], { env })).exit).toBe(0)
    const given = { PICTIFY_API_URL: other.url, PICTIFY_ADMIN_KEY: input }
    expect((await account.run(['list'], { env: given })).exit).toBe(0)
    // signed in anew, the profile is the other API's
    expect(
      (await account.run(['login', '--store', 'file', '--api-url', other.url], { input, env })).exit,
    ).toBe(0)
    expect((await account.run(['list'], { env })).exit).toBe(0)
    expect((await account.run(['list', '--api-url', account.sandbox.url], { env })).exit).toBe(4)
  })

  test('goes to another path of the same API', async () => {
    const ran = await account.run(['list', '--api-url', `${account.sandbox.url}/v1`, '--json'], { env: none })
    expect(errorOf(ran).code).toBe('not-an-api')
  })

  test('is the default API’s where the file names none', async () => {
    const file = JSON.parse(await readFile(profileFile(), 'utf8')) as {
      profiles: { default: { apiUrl?: string } }
    }
    delete file.profiles.default.apiUrl
    await writeFile(profileFile(), JSON.stringify(file))
    const ran = await account.run(['list', '--json'], { env: none })
    expect(errorOf(ran).message).toContain('is for https://api.pictify.io')
  })

  test('an empty PICTIFY_API_URL is none: the profile says where', async () => {
    const ran = await account.run(['list'], { env: { ...none, PICTIFY_API_URL: '' } })
    expect(ran.exit, ran.stderr).toBe(0)
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

interface Status {
  status: {
    credential: { kind: string; protection: string } | null
    api: { reachable: boolean; accepted: boolean; clockSkewMs: number | null }
    plan: string | null
    keys: Record<'live' | 'test', { active: number; limit: number | null }> | null
    rateLimit: { limit: number } | null
    rotations: unknown[]
    problems: { code: string; hint?: string }[]
  }
}
const statusOf = (stdout: string) => (JSON.parse(stdout) as Status).status

describe('status', () => {
  test('tells credential, plan, headroom and rate; exit 0 when all is in order', async () => {
    account.sandbox.dashboard.create({ name: 'One more', type: 'test', createdAt: 0 })
    const ran = await account.run(['status', '--json'])
    expect(ran).toMatchObject({ exit: 0, stderr: '' })
    const status = statusOf(ran.stdout)
    const active = (type: string) =>
      account.sandbox.keys().filter((key) => key.type === type && key.status === 'active').length
    expect(status).toMatchObject({
      credential: { kind: 'environment', variable: 'PICTIFY_ADMIN_KEY' },
      api: { reachable: true, accepted: true },
      plan: 'pro',
      keys: { live: { active: active('live'), limit: 10 }, test: { active: active('test'), limit: 10 } },
      rateLimit: { limit: 300 },
      rotations: [],
      problems: [],
    })
    expect(ran.stdout).not.toContain(account.sandbox.adminKey.reveal())
    const words = await account.run(['status'])
    expect(words.stdout).toContain('everything is in order')
  })

  test('reports everything even when not signed in, and ends with 4', async () => {
    const ran = await account.run(['status', '--json'], { env: none })
    expect(ran.exit).toBe(4)
    expect(statusOf(ran.stdout)).toMatchObject({
      credential: null,
      problems: [{ code: 'not-signed-in', hint: expect.stringContaining('login') as string }],
    })
    expect(errorOf(ran).code).toBe('not-signed-in')
  })

  test('names a profile file that others can read, a clock that is off and a plan that is full', async () => {
    await signIn()
    await chmod(profileFile(), 0o644)
    account.sandbox.addFault('clock+10m')
    const liveKeys = () =>
      account.sandbox.keys().filter(({ type, status }) => type === 'live' && status === 'active')
    while (liveKeys().length < 10) {
      account.sandbox.dashboard.create({ name: 'One more', type: 'live', createdAt: 0 })
    }
    const ran = await account.run(['status', '--json'], { env: none })
    const codes = statusOf(ran.stdout).problems.map(({ code }) => code)
    expect(codes).toEqual(['credential-exposed', 'clock-skew', 'key-limit-reached'])
    expect(ran.exit).toBe(0)
  })

  test('names what cannot be read among the journals', async () => {
    const folder = path.join(account.home.stateDir, 'rotations')
    await mkdir(folder, { recursive: true })
    await writeFile(path.join(folder, 'key_a.7f3a9c.json'), '{"version":')
    const ran = await account.run(['status', '--json'])
    expect(statusOf(ran.stdout)).toMatchObject({ rotations: [], problems: [{ code: 'journal-unreadable' }] })
  })

  test('tells a credential that is refused from a server that is not there', async () => {
    account.sandbox.addFault('refuse')
    const refused = await account.run(['status', '--json'])
    expect(refused.exit).toBe(4)
    expect(statusOf(refused.stdout).api).toMatchObject({ reachable: true, accepted: false })
    const gone = await account.run(['status', '--json', '--api-url', 'http://127.0.0.1:1'])
    expect(gone.exit).toBe(1)
    expect(statusOf(gone.stdout).api).toMatchObject({ reachable: false, accepted: false })
  })
})
