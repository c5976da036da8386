import { execFile, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Config, openConfig } from '../src/config.ts'
import { createFileStore } from '../src/credentials/file.ts'
import { findCredential } from '../src/credentials/lookup.ts'
import { Secret } from '../src/secret.ts'

let folder: string
beforeEach(async () => {
  folder = path.join(await mkdtemp(path.join(tmpdir(), 'pictify-keys-config-')), 'config')
})
afterEach(() => rm(path.dirname(folder), { recursive: true, force: true }))

const storeOf = async (config: Config) => createFileStore(config)
const modeOf = async (file: string) => (await stat(file)).mode & 0o777
const secret = new Secret('pk_live_abcdefghijklmnop')

describe('a profile', () => {
  test('that is only read makes no file and no folder', async () => {
    const config = await openConfig(folder)
    expect([config.settings, config.hasAdminKey, config.adminKey(), await config.mode()]).toEqual([
      {},
      false,
      undefined,
      undefined,
    ])
    await expect(stat(folder)).rejects.toThrow('ENOENT')
  })

  test('keeps what it is told, beside other profiles', async () => {
    await (await openConfig(folder, 'other')).change({ plan: 'pro' })
    const config = await openConfig(folder)
    await config.change({ apiUrl: 'https://a.example', plan: 'free' })
    await config.change({ plan: undefined, insecureHttp: true })
    expect(config.settings).toEqual({ apiUrl: 'https://a.example', insecureHttp: true })
    expect((await openConfig(folder)).settings).toEqual(config.settings)
    expect((await openConfig(folder, 'other')).settings).toEqual({ plan: 'pro' })
  })

  test('is not the prototype of anything', async () => {
    await (await openConfig(folder)).change({ plan: 'pro' })
    expect((await openConfig(folder, 'constructor')).settings).toEqual({})
    expect((await openConfig(folder, '__proto__')).settings).toEqual({})
  })

  test('lies in a 0600 file in a 0700 folder, whatever was there and whatever the umask', async () => {
    await mkdir(folder, { mode: 0o755, recursive: true })
    await chmod(folder, 0o755)
    await writeFile(path.join(folder, 'config.json'), '{}', { mode: 0o644 })
    const before = process.umask(0)
    try {
      const config = await openConfig(folder)
      await config.change({ adminKey: secret })
      expect([await modeOf(config.path), await modeOf(folder), await config.mode()]).toEqual([
        0o600, 0o700, 0o600,
      ])
    } finally {
      process.umask(before)
    }
  })
})

describe('the file store', () => {
  test('keeps, finds and forgets the credential, and nothing else', async () => {
    const config = await openConfig(folder)
    await config.change({ plan: 'pro' })
    const store = createFileStore(config)
    expect(store.source).toEqual({ kind: 'file', path: config.path, profile: 'default' })
    await store.write(secret)
    const again = await openConfig(folder)
    expect((await createFileStore(again).read())?.reveal()).toBe(secret.reveal())
    expect(again.settings).toEqual({ plan: 'pro' })
    await store.remove()
    expect(await readFile(config.path, 'utf8')).not.toContain('pk_')
    expect((await openConfig(folder)).settings).toEqual({ plan: 'pro' })
  })
})

describe('the credential in use', () => {
  const loginLine = (profile: string) => `login ${profile}`

  test('is the environment’s before the profile’s', async () => {
    const config = await openConfig(folder)
    await createFileStore(config).write(secret)
    const get = async () => config
    expect(await findCredential({}, get, storeOf, loginLine)).toEqual({
      secret,
      source: { kind: 'file', path: config.path, profile: 'default' },
    })
    const found = await findCredential(
      { PICTIFY_ADMIN_KEY: 'pk_test_0123456789\n' },
      () => Promise.reject(new Error('not asked')),
      storeOf,
      loginLine,
    )
    expect(found.secret.reveal()).toBe('pk_test_0123456789')
    expect(found.source).toEqual({ kind: 'environment', variable: 'PICTIFY_ADMIN_KEY' })
  })

  test('is none', async () => {
    await expect(findCredential({}, () => openConfig(folder), storeOf, loginLine)).rejects.toMatchObject({
      code: 'not-signed-in',
      exit: 4,
    })
    await expect(
      findCredential({ PICTIFY_ADMIN_KEY: ' ' }, () => openConfig(folder), storeOf, loginLine),
    ).rejects.toMatchObject({
      code: 'not-signed-in',
    })
  })
})

describe('the profile file', () => {
  test('keeps what another process put into it while it was being changed', async () => {
    const one = await openConfig(folder, 'one')
    await one.change({ apiUrl: 'https://one.example' })
    const changing = one.change({ plan: 'pro' })
    // Once the new file lies beside it, and before it takes its name.
    while (!(await readdir(folder)).some((name) => name.endsWith('.tmp'))) await setImmediate()
    const file = path.join(folder, 'config.json')
    const document = JSON.parse(await readFile(file, 'utf8')) as { profiles: Record<string, unknown> }
    document.profiles['two'] = { apiUrl: 'https://two.example' }
    writeFileSync(file, JSON.stringify(document))
    await changing
    expect(one.settings).toEqual({ apiUrl: 'https://one.example', plan: 'pro' })
    expect((await openConfig(folder, 'one')).settings).toEqual(one.settings)
    expect((await openConfig(folder, 'two')).settings).toEqual({ apiUrl: 'https://two.example' })
  })

  const file = () => path.join(folder, 'config.json')

  test('is written through no link, and one that the user made is read', async () => {
    await mkdir(folder)
    const elsewhere = path.join(path.dirname(folder), 'elsewhere.json')
    const text = '{"profiles":{"default":{"plan":"pro"}}}'
    await writeFile(elsewhere, text, { mode: 0o644 })
    await symlink(elsewhere, file())
    const config = await openConfig(folder)
    expect(config.settings).toEqual({ plan: 'pro' })
    await config.change({ adminKey: secret })
    expect(await readFile(elsewhere, 'utf8')).toBe(text)
    expect((await lstat(file())).isSymbolicLink()).toBe(false)
    expect(await modeOf(file())).toBe(0o600)
  })

  test('is not waited for where it is a pipe', async () => {
    await mkdir(folder)
    await promisify(execFile)('mkfifo', [file()])
    await expect(openConfig(folder)).rejects.toMatchObject({
      code: 'config-unreadable',
      message: `cannot read the profile file ${file()}: it is not a regular file`,
    })
  })

  test.each([
    ['cut short', '{"profiles":{"def', 'it is not JSON'],
    ['empty', '', 'it is not JSON'],
    ['something else', '[]', 'it is not an object'],
  ])('that is %s is said to be so, and left as it is', async (_what, text, reason) => {
    await mkdir(folder)
    const config = await openConfig(folder)
    await writeFile(file(), text)
    await expect(openConfig(folder)).rejects.toThrow(reason)
    await expect(config.change({ plan: 'pro' })).rejects.toThrow(reason)
    expect(await readFile(file(), 'utf8')).toBe(text)
  })

  test('is changed as it is by then, not as it was when it was opened', async () => {
    const early = await openConfig(folder)
    await (await openConfig(folder)).change({ adminKey: secret })
    await early.change({ plan: 'pro' })
    expect((await openConfig(folder)).adminKey()?.equals(secret)).toBe(true)
    const store = createFileStore(early)
    await (await openConfig(folder)).change({ adminKey: undefined })
    expect(await store.read()).toBeUndefined()
  })

  test('that was left half-written by a killed run is swept at the next change', async () => {
    const config = await openConfig(folder)
    await config.change({ plan: 'pro' })
    const { pid: dead } = spawnSync(process.execPath, ['-e', '0'])
    await writeFile(`${file()}.${dead}-${'0'.repeat(24)}.tmp`, secret.reveal())
    await config.change({ plan: 'free' })
    expect(await readdir(folder)).toEqual(['config.json'])
  })
})
