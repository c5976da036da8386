import { describe, expect, test } from 'vitest'
import { Secret } from '../../src/secret.ts'
import {
  adminSecret,
  answering,
  baseUrl,
  client,
  failure,
  json,
  key,
  start,
  text,
  useServer,
  virtualClock,
} from './client-fixture.ts'

useServer()

const headers = (limit: number, remaining = 5) => ({
  'x-ratelimit-limit': String(limit),
  'x-ratelimit-remaining': String(remaining),
  'x-ratelimit-reset': String(start / 1_000 + 30),
})

describe('create', () => {
  const input = { name: 'New', type: 'live', access: 'read-only' } as const
  const secret = 'pk_live_newnewnewnew'
  const created = { ...key({ name: 'New', access: 'read-only' }), secret }

  test('sends the key that is wanted, and gives the key and its secret apart', async () => {
    const seen = answering('/api-keys', json({ apiKey: created }, 201))
    const minted = await client().keys.create(input, { idempotencyKey: 'idem-1' })
    expect(JSON.parse(seen[0]!.body)).toEqual(input)
    expect(minted.secret.reveal()).toBe(secret)
    expect(minted.apiKey).toEqual(key({ name: 'New', access: 'read-only' }))
    expect(JSON.stringify(minted)).not.toContain(secret)
  })

  test('hands the secret over, and waits, before it looks at the rest', async () => {
    answering('/api-keys', json({ secret, apiKey: { id: 7 } }, 201))
    const events: string[] = []
    const minted = await client().keys.create(input, {
      idempotencyKey: 'idem-1',
      onSecret: async (found) => {
        await Promise.resolve()
        events.push(found.reveal())
      },
    })
    events.push('done')
    expect(events).toEqual([secret, 'done'])
    expect(minted.apiKey).toBeUndefined()
    expect(minted.secret.reveal()).toBe(secret)
  })

  test('fails with the failure of keeping the secret', async () => {
    answering('/api-keys', json({ apiKey: created }, 201))
    const onSecret = () => Promise.reject(new Error('disk full'))
    await expect(client().keys.create(input, { idempotencyKey: 'idem-1', onSecret })).rejects.toThrow(
      'disk full',
    )
  })

  test('gives a secret out of JSON that was cut short after it', async () => {
    answering('/api-keys', text(`{"secret":"${secret}","apiKey":{`, 201))
    const minted = await client().keys.create(input, { idempotencyKey: 'idem-1' })
    expect(minted).toMatchObject({ apiKey: undefined })
    expect(minted.secret.reveal()).toBe(secret)
  })

  test.each([
    ['no secret', json({ apiKey: key() }, 201), 'unreadable-answer', 'there is no secret in it'],
    ['nothing', text('', 201), 'unreadable-answer', 'it is empty'],
    ['a web page', text('<html>', 200, { 'content-type': 'text/html' }), 'not-an-api', 'web page'],
  ])('with %s in the answer is an error', async (_, answer, code, message) => {
    answering('/api-keys', answer)
    const seen: unknown[] = []
    const onSecret = (found: Secret) => void seen.push(found)
    const error = await failure(client().keys.create(input, { idempotencyKey: 'idem-1', onSecret }))
    expect(error.code).toBe(code)
    expect(error.message).toContain(message)
    expect(seen).toEqual([])
  })

  test('of a bad name sends nothing', async () => {
    const { keys } = client()
    const error = await failure(keys.create({ ...input, name: 'a\nb' }, { idempotencyKey: 'idem-1' }))
    expect(error.code).toBe('invalid-name')
    expect((await failure(keys.rename('key_1', ''))).code).toBe('invalid-name')
  })
})

describe('rename and revoke', () => {
  test('ask as the API wants it', async () => {
    const seen = answering('/api-keys/*', json({ apiKey: key() }))
    await client().keys.rename('key_abc123', 'New')
    await client().keys.revoke('key_abc123')
    expect(seen.map(({ method, url, body }) => [method, url.pathname, body])).toEqual([
      ['PUT', '/api-keys/key_abc123', '{"name":"New"}'],
      ['POST', '/api-keys/key_abc123/revoke', ''],
    ])
  })

  test.each([
    ['a message', json({ message: 'done' })],
    ['nothing', text(null, 204)],
  ])('that are answered with %s ask for the key', async (_, answer) => {
    const renamed = key({ name: 'New' })
    answering('/api-keys/key_abc123', answer, json({ apiKey: renamed }))
    expect(await client().keys.rename('key_abc123', 'New')).toEqual(renamed)
    answering('/api-keys/key_abc123/revoke', answer)
    const revoked = key({ status: 'revoked' })
    answering('/api-keys/key_abc123', json({ apiKey: revoked }))
    expect(await client().keys.revoke('key_abc123')).toEqual(revoked)
  })

  test.each([
    ['a web page', text('<!doctype html><h1>Sign in</h1>'), 'not-an-api'],
    ['a message', json({ message: 'done' }), 'unreadable-answer'],
  ])('that are answered with %s while the key stays as it was are not done', async (_, answer, code) => {
    answering('/api-keys/key_abc123', answer, json({ apiKey: key() }))
    expect(await failure(client().keys.rename('key_abc123', 'New'))).toMatchObject({ code })
    answering('/api-keys/key_abc123/revoke', answer)
    answering('/api-keys/key_abc123', json({ apiKey: key() }))
    expect(await failure(client().keys.revoke('key_abc123'))).toMatchObject({ code })
  })
})

describe('delete', () => {
  test.each([
    ['deleted', json({ deleted: true })],
    ['a message', json({ message: 'API key deleted' })],
    ['nothing', text(null, 204)],
  ])('answered with %s is done', async (_, answer) => {
    const seen = answering('/api-keys/key_abc123', answer)
    await expect(client().keys.delete('key_abc123')).resolves.toBeUndefined()
    expect(seen[0]?.method).toBe('DELETE')
  })

  test('answered with a web page is not known to be done', async () => {
    answering('/api-keys/key_abc123', text('<!doctype html><h1>Sign in</h1>'))
    expect(await failure(client().keys.delete('key_abc123'))).toMatchObject({ code: 'not-an-api' })
  })

  test('of an active key says what to do', async () => {
    answering('/api-keys/key_abc123', json({ type: 'x/api-key-active', detail: 'active' }, 409))
    expect(await failure(client().keys.delete('key_abc123'))).toMatchObject({
      code: 'api-key-active',
      hint: 'revoke it first: pictify-keys revoke',
    })
  })
})

describe('usage', () => {
  const window = { requests: 10, errors: 1, latencyMs: { p50: 1, p95: 2, p99: 3 } }
  const usage = {
    keyId: 'key_abc123',
    updatedAt: '2026-03-01T11:55:00Z',
    windows: { '24h': window, '7d': window, '30d': window },
    daily: [{ date: '2026-02-28', requests: 4, errors: 0 }],
    countries: { DE: 7, US: 3 },
  }

  test.each([
    ['enveloped', { usage }],
    ['bare', usage],
    ['under data', { data: { usage } }],
    [
      'with more than we know',
      { usage: { ...usage, alerts: [], windows: { ...usage.windows, '1h': window } } },
    ],
  ])('%s', async (_, body) => {
    answering('/api-keys/key_abc123/usage', json(body))
    expect(await client().keys.usage('key_abc123')).toEqual(usage)
  })

  test('has no percentiles where there were no requests', async () => {
    const idle = { requests: 0, errors: 0 }
    const windows = {
      '24h': { ...idle, latencyMs: null },
      '7d': idle,
      '30d': { ...idle, latencyMs: { p50: null } },
    }
    const { keyId, updatedAt } = usage
    answering('/api-keys/key_abc123/usage', json({ usage: { keyId, updatedAt, windows } }))
    const none = { ...idle, latencyMs: { p50: 0, p95: 0, p99: 0 } }
    expect(await client().keys.usage('key_abc123')).toEqual({
      keyId,
      updatedAt,
      windows: { '24h': none, '7d': none, '30d': none },
    })
  })

  test('without a window cannot be read', async () => {
    answering(
      '/api-keys/key_abc123/usage',
      json({ usage: { ...usage, windows: { '24h': window, '7d': window } } }),
    )
    expect(await failure(client().keys.usage('key_abc123'))).toMatchObject({
      code: 'unreadable-answer',
      message:
        'reading the usage of the key key_abc123: the answer cannot be read: usage.windows.30d is missing',
    })
  })
})

describe("the API's clock", () => {
  test('is ours until an answer tells', () => {
    const api = client()
    expect(api.clockSkewMs).toBeUndefined()
    expect(api.now()).toBe(start)
  })

  test.each([-3_600_000, 0, 90_000])('%i ms off is kept up with ours between answers', async (skew) => {
    const clock = virtualClock()
    const api = client({ clock })
    answering(
      '/api-keys/key_abc123',
      json({ apiKey: key() }, 200, { date: new Date(start + skew).toUTCString() }),
    )
    await api.keys.get('key_abc123')
    expect(api.clockSkewMs).toBe(skew)
    await clock.sleep(10_000)
    expect(api.now()).toBe(start + skew + 10_000)
    expect(api.as(new Secret('pk_live_otherother12')).now()).toBe(api.now())
  })

  test('is read off refusals too', async () => {
    const api = client()
    answering('/api-keys/key_abc123', json({}, 404, { date: new Date(start + 7_000).toUTCString() }))
    await failure(api.keys.get('key_abc123'))
    expect(api.clockSkewMs).toBe(7_000)
  })
})

describe('the rate limit and the plan', () => {
  test.each([
    [60, 'free'],
    [300, 'pro'],
    [1_000, 'business'],
    [123, undefined],
  ])('%i a minute is %s', async (limit, plan) => {
    const api = client()
    expect([api.rateLimit, api.plan]).toEqual([undefined, undefined])
    answering('/api-keys/key_abc123', json({ apiKey: key() }, 200, headers(limit)))
    await api.keys.get('key_abc123')
    expect(api.rateLimit).toEqual({ limit, remaining: 5, resetAt: start + 30_000 })
    expect(api.plan).toBe(plan)
  })

  test('the plan that the user set goes first', async () => {
    const api = client({ plan: 'enterprise' })
    answering('/api-keys/key_abc123', json({ apiKey: key() }, 200, headers(60)))
    await api.keys.get('key_abc123')
    expect(api.plan).toBe('enterprise')
  })

  test('an answer without the headers leaves what was known', async () => {
    const api = client()
    answering('/api-keys/key_abc123', json({ apiKey: key() }, 200, headers(60)), json({ apiKey: key() }))
    await api.keys.get('key_abc123')
    await api.keys.get('key_abc123')
    expect(api.rateLimit?.limit).toBe(60)
  })
})

describe('as', () => {
  test('is the same server with another credential and a limit of its own', async () => {
    const seen = answering('/api-keys/key_abc123', json({ apiKey: key() }, 200, headers(300)))
    const api = client()
    const other = api.as(new Secret('pk_live_otherother12'))
    expect(other.baseUrl).toBe(baseUrl)
    await other.keys.get('key_abc123')
    expect(seen[0]?.headers.get('authorization')).toBe('Bearer pk_live_otherother12')
    expect(other.rateLimit?.limit).toBe(300)
    expect(api.rateLimit).toBeUndefined()
    await api.keys.get('key_abc123')
    expect(seen[1]?.headers.get('authorization')).toBe(`Bearer ${adminSecret}`)
  })
})
