// The entry of a profile and what the profile file knows of it, over a keychain in memory that can fail at every call.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openConfig } from '../../src/config.ts'
import { isOnlyCopy } from '../../src/credentials/fingerprint.ts'
import { createFileStore } from '../../src/credentials/file.ts'
import { createKeychainStore } from '../../src/credentials/keychain-store.ts'
import type { Keychain } from '../../src/credentials/keychain.ts'
import { Secret } from '../../src/secret.ts'

const api = 'https://api.example'
const first = new Secret(`pk_live_${'a'.repeat(40)}`)
const second = new Secret(`pk_live_${'b'.repeat(40)}`)

let folder: string
let entries: Map<string, Secret>
let fails: (operation: string) => boolean
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'pictify-keychain-store-'))
  entries = new Map()
  fails = () => false
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const keychain: Keychain = {
  name: 'the keychain',
  service: 'pictify-keys',
  async read(account) {
    if (fails('read')) throw new Error('read failed')
    return entries.get(account)
  },
  async write(account, secret) {
    if (fails('write')) throw new Error('write failed')
    entries.set(account, secret)
    if (fails('answer')) throw new Error('the answer was lost')
    return entries.get(account)
  },
  async remove(account) {
    if (fails('remove')) throw new Error('remove failed')
    entries.delete(account)
  },
  async proveWritable() {
    if (fails('prove')) throw new Error('prove failed')
  },
}

const loginLine = (profile: string, ...flags: string[]) => ['login', ...flags, profile].join(' ')

const open = async (options = {}) => {
  const config = await openConfig(folder)
  return { config, store: createKeychainStore(config, keychain, { loginLine, ...options }) }
}
const signIn = async (secret = first) => (await open()).store.write(secret, { apiUrl: api })

test('what was written is read, by another run too, and the file has no secret', async () => {
  await signIn()
  const { config, store } = await open()
  expect((await store.read())?.equals(first)).toBe(true)
  expect(config.store).toBe('keychain')
  expect(config.settings).toEqual({ apiUrl: api })
  expect(config.facts.keyHint).toBe(first.hint)
  expect(await readFile(config.path, 'utf8')).not.toContain('aaaaa')
})

describe('a write that is cut off', () => {
  test('after the entry was written is known: both keys are this profile’s until it is made up', async () => {
    await signIn()
    const { store } = await open()
    fails = (operation) => operation === 'answer'
    await expect(store.write(second)).rejects.toThrow('the answer was lost')
    fails = () => false
    const again = (await open()).store
    expect((await again.read())?.equals(second)).toBe(true)
    await again.write(second)
    entries.set('default', first)
    await expect((await open()).store.read()).rejects.toMatchObject({ code: 'keychain-changed' })
  })

  test('before that leaves the profile as it was', async () => {
    await signIn()
    fails = (operation) => operation === 'write'
    await expect((await open()).store.write(second)).rejects.toThrow('write failed')
    fails = () => false
    expect((await (await open()).store.read())?.equals(first)).toBe(true)
  })

  test('at the first login can be repeated without being asked whose the entry is', async () => {
    fails = (operation) => operation === 'answer'
    await expect(signIn()).rejects.toThrow('the answer was lost')
    fails = () => false
    expect((await open()).config.store).toBeUndefined()
    await signIn()
    expect((await (await open()).store.read())?.equals(first)).toBe(true)
  })

  test('with a key of another API leaves the profile signed out, so that no API gets the other’s key', async () => {
    await signIn()
    fails = (operation) => operation === 'answer'
    const { store } = await open()
    await expect(store.write(second, { apiUrl: 'https://other.example' })).rejects.toThrow('lost')
    fails = () => false
    const { config } = await open()
    expect(config.store).toBeUndefined()
    await (await open()).store.write(second, { apiUrl: 'https://other.example' })
    expect((await open()).config.settings.apiUrl).toBe('https://other.example')
  })
})

test('a value that does not stay is an error', async () => {
  const { config } = await open()
  const forgetful = { ...keychain, write: async () => first }
  const store = createKeychainStore(config, forgetful, { loginLine })
  await expect(store.write(second)).rejects.toMatchObject({ code: 'keychain-changed' })
  expect((await open()).config.store).toBeUndefined()
})

describe('an entry that the profile knows nothing of', () => {
  beforeEach(() => void entries.set('default', second))

  test('is not overwritten, which shows before a key is asked for', async () => {
    const { store } = await open()
    await expect(store.proveWritable()).rejects.toMatchObject({ code: 'keychain-changed' })
    await expect(store.write(first)).rejects.toMatchObject({ code: 'keychain-changed' })
    expect(entries.get('default')?.equals(second)).toBe(true)
  })

  test('is overwritten on the user’s word', async () => {
    const { store } = await open({ replace: true })
    await store.proveWritable()
    await store.write(first, { apiUrl: api })
    expect(entries.get('default')?.equals(first)).toBe(true)
  })

  test('is left where it is by logout', async () => {
    await (await open()).store.remove()
    expect(entries.get('default')?.equals(second)).toBe(true)
  })
})

describe('the file and the keychain', () => {
  test('from the file: its copy goes with the change that names the keychain, and not before', async () => {
    const config = await openConfig(folder)
    await createFileStore(config).write(first, { apiUrl: api })
    fails = (operation) => operation === 'answer'
    await expect((await open()).store.write(first)).rejects.toThrow('lost')
    expect((await open()).config.store).toBe('file')
    fails = () => false
    await (await open()).store.write(first)
    expect((await open()).config.store).toBe('keychain')
    expect((await open()).config.hasAdminKey).toBe(false)
  })

  test('to the file: the entry is known until it is gone', async () => {
    await signIn()
    const { config, store } = await open()
    await createFileStore(config).write(first)
    expect(config.store).toBe('file')
    fails = (operation) => operation === 'remove'
    await expect(store.remove()).rejects.toThrow('remove failed')
    expect((await open()).config.store).toBe('file')
    fails = () => false
    await (await open()).store.remove()
    expect(entries.size).toBe(0)
    const after = (await open()).config
    expect([after.store, after.facts.keyFingerprints]).toEqual(['file', undefined])
  })
})

describe('the only copy', () => {
  test.each(['keychain', 'file'] as const)('in the %s is a key that login was not given', async (kind) => {
    const storeOf = async () => {
      const config = await openConfig(folder)
      return {
        config,
        store:
          kind === 'file' ? createFileStore(config) : createKeychainStore(config, keychain, { loginLine }),
      }
    }
    expect(isOnlyCopy((await storeOf()).config)).toBe(false)
    await (await storeOf()).store.write(first, { apiUrl: api })
    expect(isOnlyCopy((await storeOf()).config)).toBe(false)
    // a rotation puts the successor there
    await (await storeOf()).store.write(second)
    expect(isOnlyCopy((await storeOf()).config)).toBe(true)
    // and takes it back
    await (await storeOf()).store.write(first)
    expect(isOnlyCopy((await storeOf()).config)).toBe(false)
    await (await storeOf()).store.write(second)
    await (await storeOf()).store.remove()
    expect(isOnlyCopy((await storeOf()).config)).toBe(false)
  })

  test('goes on being that when it is moved', async () => {
    const config = await openConfig(folder)
    await createFileStore(config).write(first, { apiUrl: api })
    await createFileStore(config).write(second)
    await createKeychainStore(config, keychain, { loginLine }).write(second)
    expect(isOnlyCopy(await openConfig(folder))).toBe(true)
  })
})
