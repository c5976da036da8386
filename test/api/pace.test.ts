import { describe, expect, test } from 'vitest'
import type { Wait } from '../../src/api/contract.ts'
import { paceMs } from '../../src/api/pace.ts'
import { answering, client, json, start, useServer, virtualClock } from './client-fixture.ts'

useServer()

describe('the pace of very many calls', () => {
  const rate = (limit: number, remaining: number, inMs = 20_000) => ({
    limit,
    remaining,
    resetAt: start + inMs,
  })

  test.each([
    ['nothing is known', undefined, 0],
    ['there is room', rate(300, 16), 0],
    ['a twentieth is left', rate(300, 15), 20_000],
    ['ten are left of a small limit', rate(60, 10), 20_000],
    ['a quarter is left of a tiny one', rate(8, 2), 20_000],
    ['the limit has begun anew since', rate(300, 0, -1), 0],
    ['the reset is years ahead', rate(300, 0, 1e12), 3_600_000],
  ])('where %s', (_, said, ms) => {
    expect(paceMs(said, start)).toBe(ms)
  })
})

describe('a patient call', () => {
  const usage = (remaining: number, resetInSeconds: number) =>
    json(
      {
        usage: {
          keyId: 'key_abc123',
          updatedAt: '2026-03-01T12:00:00Z',
          windows: Object.fromEntries(['24h', '7d', '30d'].map((each) => [each, { requests: 0, errors: 0 }])),
        },
      },
      200,
      {
        'x-ratelimit-limit': '300',
        'x-ratelimit-remaining': String(remaining),
        'x-ratelimit-reset': String(start / 1_000 + resetInSeconds),
      },
    )

  test('waits for the limit before it is refused, and several tell of it once', async () => {
    const clock = virtualClock()
    const waits: Wait[] = []
    answering('/api-keys/:id/usage', usage(12, 30), usage(299, 90))
    const api = client({ clock, onWait: (wait) => waits.push(wait) })
    await api.keys.usage('key_abc123', { patient: true })
    expect(clock.slept).toEqual([])
    // all three are on their way before the first has waited
    clock.sleep = (ms) => (clock.slept.push(ms), new Promise((resolve) => setImmediate(resolve)))
    await Promise.all([1, 2, 3].map(() => api.keys.usage('key_abc123', { patient: true })))
    expect(clock.slept).toEqual([30_000, 30_000, 30_000])
    expect(waits).toEqual([
      { reason: 'rate-limit', what: 'reading the usage of the key key_abc123', ms: 30_000 },
    ])
  })

  test('that is refused all the same waits until the next day, where any other fails', async () => {
    const clock = virtualClock()
    const day = json({ title: 'Too many requests' }, 429, { 'retry-after': '86000' })
    answering('/api-keys/:id/usage', day, usage(299, 60), day)
    const api = client({ clock })
    await api.keys.usage('key_abc123', { patient: true })
    expect(clock.slept).toEqual([86_000_000])
    await expect(api.keys.usage('key_abc123')).rejects.toMatchObject({ code: 'rate-limit' })
  })

  test('leaves what is left to the others, which do not wait', async () => {
    const clock = virtualClock()
    answering('/api-keys/:id/usage', usage(3, 30))
    const api = client({ clock })
    await api.keys.usage('key_abc123')
    await api.keys.usage('key_abc123')
    expect(clock.slept).toEqual([])
  })
})
