import { describe, expect, test } from 'vitest'
import { answering, client, failure, json, key, start, useServer, virtualClock } from './client-fixture.ts'

useServer()

const one = json({ apiKey: key() })
const problem = (status: number, headers?: Record<string, string>) => json({ title: 'No' }, status, headers)

describe('429', () => {
  const inSeconds = (seconds: number) => new Date(start + seconds * 1_000).toUTCString()
  const unix = (seconds: number) => String(start / 1_000 + seconds)

  test.each([
    ['Retry-After in seconds', problem(429, { 'retry-after': '12' }), 12_000],
    ['Retry-After as a date', problem(429, { 'retry-after': inSeconds(9) }), 9_000],
    ['Retry-After that is past', problem(429, { 'retry-after': inSeconds(-9) }), 0],
    ['Retry-After before the others', json({ retryAfter: 5 }, 429, { 'retry-after': '3' }), 3_000],
    ['retryAfter of the body', json({ retryAfter: 5 }, 429), 5_000],
    ['X-RateLimit-Reset', problem(429, { 'x-ratelimit-reset': unix(20) }), 20_000],
    [
      'the reset where Retry-After is nonsense',
      problem(429, { 'retry-after': 'soon', 'x-ratelimit-reset': unix(4) }),
      4_000,
    ],
    ['nothing said', problem(429), 1_000],
  ])('waits for %s', async (_, answer, waited) => {
    const clock = virtualClock()
    answering('/api-keys/key_abc123', answer, one)
    await client({ clock }).keys.get('key_abc123')
    expect(clock.slept).toEqual([waited])
  })

  test('reads instants by the clock of the API', async () => {
    const clock = virtualClock()
    const ahead = { date: inSeconds(3_600), 'retry-after': inSeconds(3_610) }
    answering('/api-keys/key_abc123', problem(429, ahead), one)
    await client({ clock }).keys.get('key_abc123')
    expect(clock.slept).toEqual([10_000])
  })

  test('does not count as a failure, and is waited for more than once', async () => {
    const clock = virtualClock()
    const limited = problem(429, { 'retry-after': '10' })
    answering('/api-keys/key_abc123', limited, limited, limited, limited, one)
    await client({ clock, retries: 0 }).keys.get('key_abc123')
    expect(clock.slept).toEqual([10_000, 10_000, 10_000, 10_000])
  })

  test('that asks for longer than we wait fails, and says until when', async () => {
    const clock = virtualClock()
    const seen = answering('/api-keys/key_abc123', problem(429, { 'retry-after': '61' }))
    const error = await failure(client({ clock }).keys.get('key_abc123'))
    expect(error).toMatchObject({ code: 'rate-limit', exit: 9, status: 429, retryAfterMs: 61_000 })
    expect(error.message).toContain('until 2026-03-01T12:01:01.000Z')
    expect(seen).toHaveLength(1)
    expect(clock.slept).toEqual([])
  })

  test('is waited for no longer than said, all waits together', async () => {
    const clock = virtualClock()
    answering('/api-keys/key_abc123', problem(429, { 'retry-after': '20' }))
    const error = await failure(client({ clock, maxWaitMs: 50_000 }).keys.get('key_abc123'))
    expect(error.code).toBe('rate-limit')
    expect(clock.slept).toEqual([20_000, 20_000])
  })

  test('holds the next call up too, where the one before gave up waiting', async () => {
    const clock = virtualClock()
    const seen = answering(
      '/api-keys/key_abc123',
      problem(429, { 'retry-after': '40' }),
      problem(429, { 'retry-after': '40' }),
      one,
    )
    const api = client({ clock })
    expect(await failure(api.keys.get('key_abc123'))).toMatchObject({ code: 'rate-limit' })
    await api.keys.get('key_abc123')
    expect([seen.length, clock.slept]).toEqual([3, [40_000, 40_000]])
  })

  test('that never ends, ends', async () => {
    const seen = answering('/api-keys/key_abc123', problem(429, { 'retry-after': '0' }))
    expect(await failure(client().keys.get('key_abc123'))).toMatchObject({ code: 'rate-limit' })
    expect(seen.length).toBeLessThan(15)
  })
})
