import { expect, test } from 'vitest'
import type { Key } from '../../src/api/contract.ts'
import { answering, client, failure, json, key, useServer } from './client-fixture.ts'

useServer()

const answersTo = (name: string, wanted: string) => name === `${wanted} (rotating)`
const list = (...keys: Key[]) =>
  answering('/api-keys', json({ apiKeys: keys, pagination: { totalPages: 1 } }))
const find = (wanted: string) => client({ answersTo }).keys.find(wanted)

const old = key({ id: 'key_old', name: 'Web' })
const successor = key({ id: 'key_new', name: 'Web (rotating)' })
const revoked: Partial<Key> = { status: 'revoked' }

test('an id is asked for by itself', async () => {
  answering('/api-keys/key_old', json({ apiKey: old }))
  expect(await find('key_old')).toEqual(old)
})

test.each<[string, string, Key[], string]>([
  ['an id of another form', 'a1b2', [key({ id: 'a1b2' }), key({ id: 'x', name: 'a1b2' })], 'a1b2'],
  ['an exact name', 'Web', [key({ id: 'x', name: 'web' }), old, key({ id: 'y', name: 'Web 2' })], 'key_old'],
  ['an active one before a revoked one', 'Web', [{ ...old, ...revoked, id: 'gone' }, old], 'key_old'],
  ['a name before a further one', 'Web', [successor, old], 'key_old'],
  ['an active further name before a revoked name', 'Web', [{ ...old, ...revoked }, successor], 'key_new'],
  ['a further name', 'Web', [successor], 'key_new'],
  ['a revoked name where nothing else is', 'Web', [{ ...old, ...revoked }], 'key_old'],
  ['the full name of a successor', 'Web (rotating)', [old, successor], 'key_new'],
])('%s', async (_, wanted, keys, id) => {
  list(...keys)
  expect(await find(wanted)).toMatchObject({ id })
})

test('a name that has the form of an id', async () => {
  answering('/api-keys/key_web', json({ type: 'x/api-key-not-found' }, 404))
  list(key({ id: 'key_1', name: 'key_web' }))
  expect(await find('key_web')).toMatchObject({ id: 'key_1' })
})

test('a name that several active keys have is refused with their ids', async () => {
  list(old, key({ id: 'key_other', name: 'Web' }), { ...old, ...revoked, id: 'key_gone' })
  const error = await failure(find('Web'))
  expect(error).toMatchObject({ code: 'ambiguous-key', exit: 2, message: '2 keys have the name "Web"' })
  expect(error.hint?.split('\n')).toEqual([
    'give the id of one:',
    expect.stringMatching(/^ {2}key_old {2}live, created \d+\w+ ago, never used$/),
    expect.stringMatching(/^ {2}key_other {2}live, created \d+\w+ ago, never used$/),
  ])
})

test('of very many ids some are told', async () => {
  list(...Array.from({ length: 30 }, (_, index) => key({ id: `key_${index}`, name: 'Web' })))
  expect((await failure(find('Web'))).hint).toMatch(/ {2}key_0 [^]* {2}key_9 .*\n {2}and 20 more$/)
})

test('what nothing has is not found', async () => {
  list(old)
  expect(await failure(find('web'))).toMatchObject({
    code: 'api-key-not-found',
    exit: 3,
    message: 'no key has the id or the name "web"',
  })
})

test.each([
  ['a slip', 'Prodction Server', 'did you mean "Production Server"? '],
  ['the wrong case', 'production server', 'did you mean "Production Server"? '],
  ['a part', 'staging', 'did you mean "Staging Server"? '],
  ['two that are as near', 'Web', 'did you mean "Web 1" or "Web 2"? '],
  ['nothing like it', 'Analytics', ''],
  ['an id, of which nothing is guessed', 'key_product1on', ''],
])('for %s the nearest names are named', async (_, wanted, hint) => {
  answering('/api-keys/key_product1on', json({ type: 'x/api-key-not-found' }, 404))
  const names = ['Production Server', 'Staging Server', 'Web 1', 'Web 2', 'key_production']
  list(...names.map((name, index) => key({ id: `key_${index}`, name })))
  expect((await failure(find(wanted))).hint).toBe(`${hint}pictify-keys list shows the ids and names`)
})

test('a secret is refused before anything is sent, and not shown', async () => {
  const error = await failure(find('pk_live_oopsoopsoops'))
  expect(error).toMatchObject({ code: 'usage', exit: 2 })
  expect(`${error.message}${error.hint}`).not.toContain('oops')
})
