import { describe, expect, test } from 'vitest'
import type { ErrorCode } from '../../src/errors.ts'
import { adminSecret, answering, client, collect, failure, json, text, useServer } from './client-fixture.ts'

useServer()

const type = (slug: string, rest: object = {}) => ({
  type: `https://docs.pictify.io/errors/${slug}`,
  title: 'No',
  ...rest,
})
const get = () => failure(client({ maxWaitMs: 0, retries: 0 }).keys.get('key_abc123'))

describe('what a refusal is', () => {
  test.each<[string, number, unknown, ErrorCode, number]>([
    ['type', 401, type('invalid-api-key'), 'invalid-api-key', 4],
    ['type', 401, type('missing-auth'), 'invalid-api-key', 4],
    ['type, the other spelling', 401, type('missing-authorization'), 'invalid-api-key', 4],
    ['type with a slash at its end', 401, type('invalid-api-key/'), 'invalid-api-key', 4],
    [
      'type as a fragment',
      403,
      { type: 'https://docs.pictify.io/errors#key-limit-reached' },
      'key-limit-reached',
      9,
    ],
    ['type', 403, type('insufficient-permissions'), 'insufficient-permissions', 4],
    ['type', 403, type('key-limit-reached'), 'key-limit-reached', 9],
    ['type', 404, type('api-key-not-found'), 'api-key-not-found', 3],
    ['type', 409, type('api-key-active'), 'api-key-active', 1],
    ['type', 422, type('idempotency-key-reused'), 'idempotency-key-reused', 1],
    ['type', 400, type('validation-error'), 'validation-error', 1],
    ['type', 429, type('rate-limit'), 'rate-limit', 9],
    ['type, the other spelling', 429, type('rate-limit-exceeded'), 'rate-limit', 9],
    ['code', 429, { error: 'slow down', code: 'RATE_LIMIT_EXCEEDED' }, 'rate-limit', 9],
    ['code', 403, { error: 'Limit', code: 'key_limit_reached' }, 'key-limit-reached', 9],
    ['code inside error', 409, { error: { code: 'api_key_active', message: 'active' } }, 'api-key-active', 1],
    ['error that is a code', 401, { error: 'unauthorized' }, 'invalid-api-key', 4],
    ['quota', 402, type('rate-limit'), 'quota-exceeded', 9],
    ['quota', 429, { error: 'x', code: 'quota_exceeded' }, 'quota-exceeded', 9],
    ['status alone', 401, {}, 'invalid-api-key', 4],
    ['status alone', 403, { message: 'no' }, 'insufficient-permissions', 4],
    ['status alone', 404, { message: 'no' }, 'api-key-not-found', 3],
    ['status alone', 400, [], 'validation-error', 1],
    ['status alone', 422, { message: 'no' }, 'validation-error', 1],
    ['status alone', 418, { message: 'teapot' }, 'api-error', 1],
    ['status alone', 500, { message: 'oops' }, 'api-error', 1],
  ])('by %s: %i %j is %s', async (_, status, body, code, exit) => {
    answering('/api-keys/key_abc123', json(body, status))
    expect(await get()).toMatchObject({ code, exit, status })
  })

  test('every refusal has a hint', async () => {
    for (const status of [400, 401, 402, 403, 404, 422, 429, 500]) {
      answering('/api-keys/key_abc123', json({}, status))
      expect((await get()).hint, String(status)).toBeTruthy()
    }
  })

  test('a 404 where no key is named means a wrong base URL', async () => {
    answering('/api-keys', json({ message: 'Cannot GET /api-keys' }, 404))
    const error = await failure(collect(client().keys.list()))
    expect(error).toMatchObject({ code: 'not-an-api', hint: 'is the base URL right?' })
  })

  test.each([403, 404, 405])('a web page with %i is no API', async (status) => {
    answering(
      '/api-keys/key_abc123',
      text('<!doctype html><title>x</title>', status, { 'content-type': 'text/html' }),
    )
    expect(await get()).toMatchObject({ code: 'not-an-api', hint: 'is the base URL right?', status })
  })

  test('a redirect is told, not followed', async () => {
    answering('/api-keys/key_abc123', text(null, 301, { location: 'https://www.pictify.test/login?to=x' }))
    const error = await get()
    expect(error).toMatchObject({ code: 'not-an-api', status: 301 })
    expect(error.message).toContain('redirected to https://www.pictify.test/login')
    expect(error.hint).toContain('base URL')
  })
})

describe('what a refusal says', () => {
  test.each<[string, unknown, string]>([
    ['detail', type('validation-error', { detail: 'The name is taken.' }), 'The name is taken'],
    ['message', { message: 'name is wrong' }, 'name is wrong'],
    ['error', { error: 'name is wrong', code: 'x' }, 'name is wrong'],
    ['the message inside error', { error: { message: 'name is wrong' } }, 'name is wrong'],
    ['title', { title: 'Validation Error' }, 'Validation Error'],
    ['nothing', {}, 'GET /api-keys/key_abc123 answered 400'],
    [
      'errors of fields',
      type('validation-error', {
        detail: 'Two things are wrong.',
        errors: [
          { field: 'name', message: 'is too long', code: 'too_long' },
          { field: 'type', message: 'is unknown', code: 'enum' },
        ],
      }),
      'Two things are wrong: name: is too long; type: is unknown',
    ],
    ['errors as sentences', { message: 'Bad', errors: ['name is too long', 7] }, 'Bad: name is too long'],
    [
      'errors by field',
      { message: 'Bad', errors: { name: ['too long', 'odd'], type: 'no' } },
      'Bad: name: too long, odd; type: no',
    ],
  ])('%s', async (_, body, said) => {
    answering('/api-keys/key_abc123', json(body, 400))
    expect((await get()).message).toBe(`reading the key key_abc123: ${said}`)
  })

  test('without control characters, at length, and without secrets', async () => {
    const detail = `\u001b[31mred\u0007\r\n${adminSecret} and pk_test_other123 \u202e${'x'.repeat(5_000)}`
    answering('/api-keys/key_abc123', json({ detail }, 400))
    const { message } = await get()
    expect(message).not.toMatch(/[\p{Cc}\p{Cf}]/u)
    expect(message).toContain('[secret] and [secret]')
    expect(message).not.toContain('adminadmin')
    expect(message).not.toContain('other123')
    expect(message.length).toBeLessThan(400)
  })

  test('nothing of a secret that was given as an id', async () => {
    answering('/api-keys/*', json({ detail: 'no' }, 404))
    const error = await failure(client().keys.get('pk_live_givenasanid'))
    expect(error.message).toBe('reading the key [secret]: no')
  })
})
