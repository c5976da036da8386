import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openConfig } from '../../src/config.ts'
import { whoseKeys } from '../../src/credentials/whose.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'pictify-whose-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const live = { adminKey: `pk_live_${'a'.repeat(40)}` }
const inKeychain = { store: 'keychain', keyHint: 'pk_test_…wxyz' }
const environment = { PICTIFY_ADMIN_KEY: `pk_test_${'b'.repeat(40)}` }

test.each([
  ['the only profile needs no name', { default: live }, undefined, {}, undefined],
  ['nobody ever signed in', {}, undefined, {}, undefined],
  ['one of its own name', { acme: live }, 'acme', {}, 'acme (live)'],
  ['that of several which has no name', { default: live, acme: live }, undefined, {}, 'default (live)'],
  ['in the keychain, which is not asked', { acme: inKeychain }, 'acme', {}, 'acme (test)'],
  ['signed out', { acme: {} }, 'acme', {}, 'acme'],
  ['about to be made', {}, 'acme', {}, 'acme'],
  [
    'with a key of the environment',
    { acme: live },
    'acme',
    environment,
    'acme (test, key of the environment)',
  ],
  ['spoilt by hand', { acme: { adminKey: 'no key' } }, 'acme', {}, 'acme'],
] as const)('%s', async (_, profiles, name, env, shown) => {
  await writeFile(path.join(folder, 'config.json'), JSON.stringify({ profiles }))
  expect(await whoseKeys(env, () => openConfig(folder, name))).toBe(shown)
})

test('a profile file that cannot be read keeps no question from being put', async () => {
  await writeFile(path.join(folder, 'config.json'), 'broken')
  expect(await whoseKeys({}, () => openConfig(folder))).toBeUndefined()
})
