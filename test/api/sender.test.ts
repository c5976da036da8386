import { delay, http } from 'msw'
import { describe, expect, test } from 'vitest'
import {
  broken,
  answering,
  baseUrl,
  client,
  failure,
  json,
  key,
  server,
  text,
  useServer,
  virtualClock,
} from './client-fixture.ts'

useServer()

const one = json({ apiKey: key() })
const problem = (status: number, headers?: Record<string, string>) => json({ title: 'No' }, status, headers)

describe('a request', () => {
  test('carries the credential, the version and what it accepts', async () => {
    const seen = answering('/api-keys/key_abc123', one)
    await client().keys.get('key_abc123')
    const { headers } = seen[0]!
    expect(headers.get('authorization')).toBe('Bearer pk_live_adminadminadmin')
    expect(headers.get('user-agent')).toBe('pictify-keys/1.2.3')
    expect(headers.get('accept')).toBe('application/json')
    expect(headers.get('content-type')).toBeNull()
  })

  test('keeps a path prefix of the base URL', async () => {
    const seen = answering('/v1/api-keys/key_abc123', one)
    await client({ baseUrl: `${baseUrl}/v1` }).keys.get('key_abc123')
    expect(seen[0]?.url.pathname).toBe('/v1/api-keys/key_abc123')
  })

  test('is told to --debug without the credential', async () => {
    const lines: string[] = []
    answering('/api-keys/*', problem(503), one)
    await client({ debug: (line) => lines.push(line) }).keys.get('pk_live_adminadminadmin')
    expect(lines).toEqual([
      'GET /api-keys/[secret] 503 0ms attempt 1',
      'waiting 250ms before attempt 2',
      'GET /api-keys/[secret] 200 0ms attempt 2',
    ])
  })
})

describe('5xx and broken connections', () => {
  test.each([
    ['500', problem(500)],
    ['502 with a web page', text('<html>', 502, { 'content-type': 'text/html' })],
    ['503', problem(503)],
    ['a broken connection', broken],
  ])('%s is tried again', async (_, answer) => {
    const clock = virtualClock()
    const seen = answering('/api-keys/key_abc123', answer, one)
    expect(await client({ clock }).keys.get('key_abc123')).toMatchObject({ id: 'key_abc123' })
    expect(seen).toHaveLength(2)
    expect(clock.slept).toEqual([250])
  })

  test('back off twice as long each time, and end', async () => {
    const clock = virtualClock()
    const seen = answering('/api-keys/key_abc123', problem(503))
    const error = await failure(client({ clock, retries: 6 }).keys.get('key_abc123'))
    expect(error).toMatchObject({ code: 'api-error', status: 503, exit: 1 })
    expect(clock.slept).toEqual([250, 500, 1_000, 2_000, 4_000, 4_000])
    expect(seen).toHaveLength(7)
  })

  test('back off with full jitter', async () => {
    const clock = virtualClock()
    const random = [0, 0.5, 0.25]
    answering('/api-keys/key_abc123', problem(503))
    await failure(client({ clock, random: () => random.shift() ?? 1 }).keys.get('key_abc123'))
    expect(clock.slept).toEqual([0, 250, 250])
  })

  test('wait for the Retry-After of a 503', async () => {
    const clock = virtualClock()
    answering('/api-keys/key_abc123', problem(503, { 'retry-after': '7' }), one)
    await client({ clock }).keys.get('key_abc123')
    expect(clock.slept).toEqual([7_000])
  })

  test.each([
    ['GET', (c: ReturnType<typeof client>) => c.keys.get('key_abc123')],
    ['PUT', (c: ReturnType<typeof client>) => c.keys.rename('key_abc123', 'New')],
    ['POST', (c: ReturnType<typeof client>) => c.keys.revoke('key_abc123')],
    ['DELETE', (c: ReturnType<typeof client>) => c.keys.delete('key_abc123')],
  ] as const)('%s is safe to repeat', async (method, call) => {
    const seen = answering('/api-keys/*', broken, problem(500), one)
    await call(client())
    expect(seen.map((request) => request.method)).toEqual([method, method, method])
  })

  test('a broken connection that stays broken says what was being done', async () => {
    answering('/api-keys/key_abc123', broken)
    const error = await failure(client().keys.get('key_abc123'))
    expect(error).toMatchObject({
      code: 'connection-failed',
      message: 'reading the key key_abc123: the connection to api.pictify.test broke',
    })
  })
})

describe('4xx', () => {
  test.each([400, 401, 403, 404, 409, 410, 422])('%i is not tried again', async (status) => {
    const seen = answering('/api-keys/key_abc123', problem(status))
    await failure(client().keys.get('key_abc123'))
    expect(seen).toHaveLength(1)
  })

  test.each([
    ['402', json({ error: 'Payment required' }, 402)],
    [
      '429 with its code',
      json({ error: 'no more renders', code: 'quota_exceeded' }, 429, { 'retry-after': '1' }),
    ],
    ['429 with its type', json({ type: 'https://docs.pictify.io/errors/quota-exceeded' }, 429)],
  ])('a quota (%s) is not waited for', async (_, answer) => {
    const clock = virtualClock()
    const seen = answering('/api-keys/key_abc123', answer)
    const error = await failure(client({ clock }).keys.get('key_abc123'))
    expect(error).toMatchObject({ code: 'quota-exceeded', exit: 9 })
    expect(seen).toHaveLength(1)
    expect(clock.slept).toEqual([])
  })
})

describe('a create', () => {
  const input = { name: 'New', type: 'live' } as const
  const created = json({ apiKey: { ...key(), secret: 'pk_live_newnewnewnew' } }, 201)

  test('is repeated with the same Idempotency-Key and body', async () => {
    const seen = answering('/api-keys', broken, problem(503), problem(429, { 'retry-after': '1' }), created)
    await client().keys.create(input, { idempotencyKey: 'idem-1' })
    expect(seen).toHaveLength(4)
    expect(new Set(seen.map(({ headers }) => headers.get('idempotency-key')))).toEqual(new Set(['idem-1']))
    expect(new Set(seen.map(({ body }) => body))).toEqual(new Set(['{"name":"New","type":"live"}']))
    expect(seen[0]?.headers.get('content-type')).toBe('application/json')
  })

  test('that runs out of time is unknown, not failed', async () => {
    let requests = 0
    server.use(
      http.post(`${baseUrl}/api-keys`, async () => {
        requests += 1
        await delay('infinite')
      }),
    )
    const error = await failure(client({ timeoutMs: 30 }).keys.create(input, { idempotencyKey: 'idem-1' }))
    expect(error).toMatchObject({ code: 'timed-out', exit: 1 })
    expect(error.message).toContain('whether it was done is not known')
    // one more attempt, not all of them
    expect(requests).toBe(2)
  })

  test('whose connection breaks every time is unknown too', async () => {
    answering('/api-keys', broken)
    const error = await failure(client().keys.create(input, { idempotencyKey: 'idem-1' }))
    expect(error.code).toBe('timed-out')
    expect(error.message).toContain('not known')
  })

  test('that is refused after a lost answer keeps the code of the refusal', async () => {
    answering('/api-keys', broken, json({ type: 'x/key-limit-reached' }, 403))
    const error = await failure(client().keys.create(input, { idempotencyKey: 'idem-1' }))
    expect(error).toMatchObject({ code: 'key-limit-reached', exit: 9 })
  })
})

describe('a delete', () => {
  test('of which the answer was lost, and which finds nothing when repeated, is done', async () => {
    const seen = answering('/api-keys/key_abc123', broken, problem(404))
    await expect(client().keys.delete('key_abc123')).resolves.toBeUndefined()
    expect(seen).toHaveLength(2)
  })

  test('that finds nothing at first says so', async () => {
    answering('/api-keys/key_abc123', problem(404))
    expect(await failure(client().keys.delete('key_abc123'))).toMatchObject({
      code: 'api-key-not-found',
      exit: 3,
    })
  })
})

describe('cancelling', () => {
  test('ends a request under way, and repeats nothing', async () => {
    const abort = new AbortController()
    const reason = new Error('enough')
    let requests = 0
    server.use(
      http.get(`${baseUrl}/api-keys/key_abc123`, async () => {
        requests += 1
        abort.abort(reason)
        await delay('infinite')
      }),
    )
    await expect(client().keys.get('key_abc123', { signal: abort.signal })).rejects.toBe(reason)
    expect(requests).toBe(1)
  })

  test('ends a sleep between attempts', async () => {
    const abort = new AbortController()
    const reason = new Error('enough')
    const clock = virtualClock()
    const seen = answering('/api-keys/key_abc123', problem(503))
    const sleep: typeof clock.sleep = (ms, signal) => {
      abort.abort(reason)
      return clock.sleep(ms, signal)
    }
    const { keys } = client({ clock: { ...clock, sleep } })
    await expect(keys.get('key_abc123', { signal: abort.signal })).rejects.toBe(reason)
    expect(seen).toHaveLength(1)
  })
})
