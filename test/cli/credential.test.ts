import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createSandbox, type Sandbox } from '../../src/sandbox/server.ts'
import { errorOf } from './account.ts'
import { useProfile } from './profile-fixture.ts'

const account = useProfile()
const { none, profileFile, signIn } = account

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
