import { fc } from '../property.ts'
import { describe, expect, test } from 'vitest'
import { findSecret } from '../../src/api/answer.ts'
import { KeysError } from '../../src/errors.ts'
import { answering, client, collect, failure, json, key, text, useServer } from './client-fixture.ts'

useServer()

const get = () => client().keys.get('key_abc123')

describe('a key', () => {
  test.each<[string, unknown]>([
    ['under apiKey', { apiKey: key() }],
    ['under key', { key: key() }],
    ['under data', { data: key() }],
    ['under data.apiKey', { data: { apiKey: key() } }],
    ['bare', key()],
    ['bare, with a field of the name of an envelope', { ...key(), key: 'abc', data: { a: 1 } }],
    ['with fields we do not know', { apiKey: { ...key(), team: { id: 1 }, tags: [] }, requestId: 'r' }],
    ['without what may be missing', { apiKey: { ...key(), lastUsedAt: undefined } }],
    ['as the dashboard writes it', { apiKey: { ...key(), type: 'Live', status: 'ACTIVE' } }],
    ['with an access that we do not know', { apiKey: { ...key(), access: 'billing' } }],
  ])('%s', async (_, body) => {
    answering('/api-keys/key_abc123', json(body))
    expect(await get()).toEqual(key())
  })

  test('keeps every field of the contract, in its own spelling', async () => {
    const full = key({
      access: 'read-only',
      lastUsedAt: '2026-02-01T00:00:00Z',
      revokedAt: '2026-02-02T00:00:00Z',
      status: 'revoked',
    })
    answering('/api-keys/key_abc123', json({ apiKey: { ...full, access: 'Read_Only' } }))
    expect(await get()).toEqual(full)
  })

  test('never carries a secret on, whatever the server sends', async () => {
    answering('/api-keys/key_abc123', json({ apiKey: { ...key(), secret: 'pk_live_leakleakleak' } }))
    expect(JSON.stringify(await get())).not.toContain('leak')
  })

  test.each<[string, unknown, string]>([
    ['no id', { apiKey: { ...key(), id: undefined } }, 'apiKey.id is missing'],
    ['an empty id', { apiKey: { ...key(), id: '' } }, 'apiKey.id is not what it should be'],
    [
      'a status that we do not know',
      { key: { ...key(), status: 'paused' } },
      'key.status is not what it should be',
    ],
    ['a date that is none', { ...key(), createdAt: 'soon' }, 'createdAt is not what it should be'],
    ['something else', { message: 'ok' }, 'id is missing'],
    ['null', null, 'apiKey is missing'],
    ['a number', 7, 'apiKey is missing'],
  ])('with %s cannot be read', async (_, body, missing) => {
    answering('/api-keys/key_abc123', json(body))
    const error = await failure(get())
    expect(error).toMatchObject({ code: 'unreadable-answer', exit: 1, status: 200 })
    expect(error.message).toBe(`reading the key key_abc123: the answer cannot be read: ${missing}`)
  })
})

describe('an answer that is not JSON', () => {
  test.each([
    ['cut short', '{"apiKey":{"id":"key_', 'it is not JSON, or was cut short'],
    ['plain text', 'pk_live_secretsecret is fine', 'it is not JSON, or was cut short'],
    ['empty', '', 'it is empty'],
  ])('%s', async (_, body, missing) => {
    answering('/api-keys/key_abc123', text(body))
    const error = await failure(get())
    expect(error.code).toBe('unreadable-answer')
    expect(error.message).toContain(missing)
    expect(`${error.message}${String(error.cause)}`).not.toContain('secretsecret')
  })

  test.each([
    ['<!doctype html><html>', 'text/html; charset=utf-8'],
    ['\n <html>', 'text/plain'],
  ])('a web page: %j', async (body, contentType) => {
    answering('/api-keys/key_abc123', text(body, 200, { 'content-type': contentType }))
    expect(await failure(get())).toMatchObject({ code: 'not-an-api', hint: 'is the base URL right?' })
  })
})

describe('a list', () => {
  const two = [key({ id: 'key_1' }), key({ id: 'key_2' })]
  test.each<[string, unknown]>([
    [
      'under apiKeys',
      { apiKeys: two, pagination: { page: 1, limit: 100, total: 2, totalPages: 1, hasNext: false } },
    ],
    ['under keys', { keys: two }],
    ['under data', { data: two }],
    ['under data.apiKeys', { data: { apiKeys: two } }],
    ['bare', two],
    ['with its pagination beside it', { apiKeys: two, total: 2, totalPages: 1, page: 1 }],
    ['with a pagination that cannot be read', { apiKeys: two, pagination: { total: 'many' } }],
  ])('%s', async (_, body) => {
    answering('/api-keys', json(body))
    expect(await collect(client().keys.list())).toEqual(two)
  })

  test.each<[string, unknown, string]>([
    ['no list', { message: 'ok' }, 'there is no list under apiKeys, keys or data'],
    ['a list of something else', { apiKeys: ['key_1'] }, 'apiKeys[0] is not what it should be'],
    [
      'a key that is broken',
      { keys: [key(), { ...key(), name: null }] },
      'keys[1].name is not what it should be',
    ],
  ])('with %s cannot be read', async (_, body, missing) => {
    answering('/api-keys', json(body))
    const error = await failure(collect(client().keys.list()))
    expect(error).toMatchObject({
      code: 'unreadable-answer',
      message: `listing keys: the answer cannot be read: ${missing}`,
    })
  })
})

describe('the secret in the answer to a create', () => {
  const secret = 'pk_live_0123456789abcdef'
  test.each<[string, unknown]>([
    ['under secret', { apiKey: { ...key(), secret } }],
    ['under key', { apiKey: { ...key(), key: secret } }],
    ['under a name of its own', { apiKey: { ...key(), value: secret } }],
    ['bare', { ...key(), secret }],
    ['beside the key', { apiKey: key(), secret }],
    ['deep', { data: { result: [{ credentials: { plain: secret } }] } }],
    ['as the whole answer', secret],
    [
      'beside a prefix of it',
      { prefix: 'pk_live_0123', value: secret, masked: 'pk_live_****cdef', hint: 'pk_live_…cdef' },
    ],
    ['beside a longer one of another name', { old: 'pk_live_the_one_that_was_before_it', secret }],
    ['of the other type', { secret, publicKey: 'pk_test_x' }],
  ])('%s', (_, body) => {
    const answer = { status: 201, headers: { get: () => null }, text: JSON.stringify(body) }
    expect(findSecret(answer)?.reveal()).toBe(secret)
  })

  test.each([
    ['in JSON that was cut short after it', `{"apiKey":{"secret":"${secret}","name":"x`, secret],
    ['in JSON that was cut short in it', '{"apiKey":{"secret":"pk_live_0123', undefined],
    ['nowhere', '{"apiKey":{"id":"key_1"}}', undefined],
    ['masked only', '{"secretHint":"pk_live_****cdef"}', undefined],
    ['in another form', '{"apiKey":{"secret":"sk-abc"}}', 'sk-abc'],
    ['nothing', '', undefined],
  ])('%s', (_, text, expected) => {
    expect(findSecret({ status: 201, headers: { get: () => null }, text })?.reveal()).toBe(expected)
  })
})

test('no JSON whatever brings the client down: it is read, or it is a KeysError', async () => {
  const envelope = fc.constantFrom(
    'apiKey',
    'apiKeys',
    'key',
    'keys',
    'data',
    'pagination',
    'error',
    'errors',
    'x',
  )
  const body = fc.oneof(fc.jsonValue(), fc.dictionary(envelope, fc.jsonValue()))
  await fc.assert(
    fc.asyncProperty(body, fc.constantFrom(200, 201, 400, 401, 404, 409, 429), async (value, status) => {
      answering('/api-keys', json(value, status))
      answering('/api-keys/*', json(value, status))
      const { keys } = client({ maxWaitMs: 0 })
      const calls = [
        () => collect(keys.list()),
        () => keys.get('key_abc123'),
        () => keys.usage('key_abc123'),
        () => keys.create({ name: 'New', type: 'live' }, { idempotencyKey: 'idem-1' }),
      ]
      for (const call of calls) {
        const thrown = await call().then(
          () => undefined,
          (error: unknown) => error,
        )
        if (thrown !== undefined) expect(thrown).toBeInstanceOf(KeysError)
      }
    }),
    { numRuns: 60 },
  )
})
