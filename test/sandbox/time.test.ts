// What depends on the time, on a clock that the test moves.
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Secret } from '../../src/secret.ts'
import { createSandbox, type Sandbox, type SandboxOptions } from '../../src/sandbox/server.ts'
import { ask, call, slug } from './conformance.ts'
import { createVirtualClock, type VirtualClock } from './virtual-clock.ts'

const second = 1_000
const hour = 3_600 * second
const day = 24 * hour

let clock: VirtualClock
let sandbox: Sandbox
const start = async (options: SandboxOptions) => {
  sandbox = await createSandbox({ clock, seed: 3, propagationMs: 0, ...options })
}
beforeEach(() => {
  clock = createVirtualClock()
})
afterEach(() => sandbox.close())

const statuses = (count: number, key: Secret): Promise<number[]> =>
  Promise.all(
    Array.from({ length: count }, async () => {
      const response = await ask(sandbox, 'GET', '/templates?limit=1', { key })
      await response.arrayBuffer()
      return response.status
    }),
  )
const share = (all: number[], status: number) => all.filter((one) => one === status).length / all.length

describe('propagation', () => {
  test('refuses a new key at first, then now and then, then never', async () => {
    await start({ propagationMs: 20 * second, plan: 'enterprise' })
    const minted = await call(sandbox, 'POST', '/api-keys', { json: { name: 'x', type: 'live' } })
    const key = sandbox.keys()[0]?.secret as Secret
    expect(key.reveal()).toBe(minted.body.apiKey.secret)
    expect(share(await statuses(20, key), 401)).toBe(1)
    clock.advance(10 * second)
    expect(share(await statuses(20, key), 401)).toBe(1)
    clock.advance(3 * second)
    const early = share(await statuses(100, key), 200)
    clock.advance(4 * second)
    const later = share(await statuses(100, key), 200)
    expect(early).toBeGreaterThan(0.1)
    expect(early).toBeLessThan(0.5)
    expect(later).toBeGreaterThan(0.5)
    expect(later).toBeLessThan(0.9)
    clock.advance(3 * second)
    expect(share(await statuses(50, key), 200)).toBe(1)
    expect(sandbox.keys()[0]?.lastUsedAt).toBe(clock.now())
  })

  test('a revoked key is refused at once', async () => {
    await start({ propagationMs: 20 * second })
    const key = sandbox.dashboard.create({ name: 'x', createdAt: clock.now() - day })
    expect(await statuses(1, key.secret)).toEqual([200])
    sandbox.dashboard.revoke(key.id)
    expect(await statuses(3, key.secret)).toEqual([401, 401, 401])
  })
})

describe('usage', () => {
  test('shows late, with what it is complete up to', async () => {
    await start({ usageLagMs: 300 * second })
    const { id, secret } = sandbox.dashboard.create({ name: 'x' })
    const usage = async () => (await call(sandbox, 'GET', `/api-keys/${id}/usage`)).body.usage
    const lastUsedAt = async () => (await call(sandbox, 'GET', `/api-keys/${id}`)).body.apiKey.lastUsedAt
    const used = clock.now()
    await statuses(5, secret)
    clock.advance(299 * second)
    expect(await usage()).toMatchObject({
      updatedAt: new Date(used - second).toISOString(),
      windows: { '24h': { requests: 0 } },
      countries: {},
    })
    expect(await lastUsedAt()).toBeNull()
    clock.advance(second)
    expect((await usage()).windows['24h'].requests).toBe(5)
    expect(await lastUsedAt()).toBe(new Date(used).toISOString())
    expect((await call(sandbox, 'GET', '/api-keys')).body.apiKeys[0]?.lastUsedAt).toBe(
      new Date(used).toISOString(),
    )
  })

  test('leaves each window in its time', async () => {
    await start({})
    const { id, secret } = sandbox.dashboard.create({ name: 'x' })
    const counts = async () => {
      const { windows } = (await call(sandbox, 'GET', `/api-keys/${id}/usage`)).body.usage
      return [windows['24h'].requests, windows['7d'].requests, windows['30d'].requests]
    }
    await statuses(4, secret)
    clock.advance(23 * hour)
    expect(await counts()).toEqual([4, 4, 4])
    clock.advance(3 * hour)
    await statuses(1, secret)
    expect(await counts()).toEqual([1, 5, 5])
    clock.advance(7 * day + hour)
    expect(await counts()).toEqual([0, 0, 5])
    const { daily } = (await call(sandbox, 'GET', `/api-keys/${id}/usage`)).body.usage
    expect(daily.map(({ date, requests }) => `${date} ${requests}`).slice(0, 3)).toEqual([
      '2026-03-11 4',
      '2026-03-12 1',
      '2026-03-13 0',
    ])
    clock.advance(31 * day)
    expect(await counts()).toEqual([0, 0, 0])
  })
})

describe('rate limits', () => {
  test('are counted by the minute and shown in the headers', async () => {
    await start({ plan: 'free' })
    const key = sandbox.dashboard.create({ name: 'x' }).secret
    const first = await call(sandbox, 'GET', '/templates', { key })
    expect(first.headers.get('x-ratelimit-limit')).toBe('60')
    expect(first.headers.get('x-ratelimit-remaining')).toBe('59')
    expect(first.headers.get('x-ratelimit-reset')).toBe(String(clock.now() / second + 60))
    await statuses(59, key)
    clock.advance(45 * second)
    const refused = await call(sandbox, 'GET', '/templates', { key })
    expect([refused.status, slug(refused), refused.headers.get('x-ratelimit-remaining')]).toEqual([
      429,
      'rate-limit',
      '0',
    ])
    expect([refused.headers.get('retry-after'), refused.body.retryAfter]).toEqual(['15', 15])
    expect(await statuses(1, sandbox.adminKey)).toEqual([200])
    clock.advance(15 * second)
    expect((await call(sandbox, 'GET', '/templates', { key })).headers.get('x-ratelimit-remaining')).toBe(
      '59',
    )
  })

  test('are counted by the day', async () => {
    await start({ plan: 'free' })
    const key = sandbox.dashboard.create({ name: 'x' }).secret
    for (let sent = 0; sent < 1_000; sent += 50) {
      expect(share(await statuses(50, key), 200)).toBe(1)
      clock.advance(60 * second)
    }
    const refused = await call(sandbox, 'GET', '/templates', { key })
    const untilMidnight = 12 * 3_600 - 20 * 60
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, String(untilMidnight)])
    expect(refused.headers.get('x-ratelimit-limit')).toBe('60')
    clock.advance(untilMidnight * second)
    expect(await statuses(1, key)).toEqual([200])
  })

  test.each([
    ['pro', '300'],
    ['business', '1000'],
    ['enterprise', '100000'],
  ] as const)('of %s are %s a minute, also on a refusal', async (plan, limit) => {
    await start({ plan })
    const answer = await call(sandbox, 'GET', '/templates', { key: null })
    expect(answer.headers.get('x-ratelimit-limit')).toBe(limit)
  })

  test('a test key renders 100 times a day', async () => {
    await start({})
    const key = sandbox.dashboard.create({ name: 'x', type: 'test' }).secret
    const render = () => call(sandbox, 'POST', '/image', { key, json: { html: 'x' } })
    const all = await Promise.all(Array.from({ length: 100 }, render))
    expect(all.every(({ status }) => status === 200)).toBe(true)
    const refused = await render()
    expect([refused.status, slug(refused), refused.body.code]).toEqual([
      429,
      'quota-exceeded',
      'quota_exceeded',
    ])
    expect(await statuses(1, key)).toEqual([200])
    clock.advance(12 * hour)
    expect((await render()).status).toBe(200)
  })
})

test('an Idempotency-Key is forgotten after 24 hours', async () => {
  await start({})
  const create = () =>
    call(sandbox, 'POST', '/api-keys', {
      json: { name: 'x', type: 'live' },
      headers: { 'Idempotency-Key': 'k' },
    })
  const first = await create()
  clock.advance(day - 1)
  expect((await create()).body).toEqual(first.body)
  clock.advance(1)
  expect((await create()).body.apiKey.id).not.toBe(first.body.apiKey.id)
})

test('the audit log is cut by instants', async () => {
  await start({})
  const from = clock.now()
  for (let i = 0; i < 4; i++) {
    await call(sandbox, 'GET', '/templates')
    clock.advance(60 * second)
  }
  const at = (ms: number) => encodeURIComponent(new Date(from + ms * second).toISOString())
  const { auditLogs } = (await call(sandbox, 'GET', `/audit-logs?since=${at(60)}&until=${at(180)}`)).body
  expect(auditLogs.map(({ timestamp }) => (Date.parse(timestamp) - from) / second)).toEqual([120, 60])
})

test('the Date header is by the sandbox’s clock', async () => {
  await start({})
  clock.advance(90 * second)
  const { headers } = await call(sandbox, 'GET', '/templates')
  expect(headers.get('date')).toBe('Wed, 11 Mar 2026 12:01:30 GMT')
})
