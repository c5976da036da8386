import { describe, expect, test } from 'vitest'
import type { Key, Usage } from '../../src/api/contract.ts'
import { readUsages, usageOf } from '../../src/audit/usage-reading.ts'
import { answering, client, failure, json, key, start, useServer } from '../api/client-fixture.ts'

useServer()

const used = { lastUsedAt: '2026-03-01T11:00:00Z' }
const absent = json({ title: 'Not Found' }, 404)
const window = (requests: number) => ({ requests, errors: 0, latencyMs: { p50: 1, p95: 2, p99: 3 } })
const figures = (requests: number, fields: Partial<Usage> = {}) =>
  json({
    usage: {
      keyId: 'key_a',
      updatedAt: '2026-03-01T11:55:00Z',
      windows: { '24h': window(requests), '7d': window(requests), '30d': window(requests) },
      ...fields,
    },
  })
const named = (count: number): Key[] =>
  Array.from({ length: count }, (_, index) => key({ id: `key_n${index}`, ...used }))
const read = (keys: readonly Key[]) => readUsages(client(), keys, start, {})

describe('the usage of an account', () => {
  test('leaves a key without figures unknown, and has the others', async () => {
    const [first, second] = [key({ id: 'key_a', ...used }), key({ id: 'key_b', ...used })]
    answering('/api-keys/key_a/usage', absent)
    answering('/api-keys/key_b/usage', figures(7))
    const usage = await read([first, second])
    expect(usage.known && [...usage.value.keys()]).toEqual(['key_b'])
    expect(usageOf({ usage, at: start }, first)).toEqual({
      known: false,
      why: 'the API gives no figures',
    })
    expect(usageOf({ usage, at: start }, second)).toMatchObject({
      value: { windows: { '24h': { requests: 7 } } },
    })
    const idle = key({ lastUsedAt: '2026-01-01T00:00:00Z' })
    expect(usageOf({ usage, at: start }, idle)).toEqual({ known: true, value: undefined })
    const none = { known: false, why: 'it was not asked for' } as const
    expect(usageOf({ usage: none, at: start }, idle)).toEqual(none)
  })

  test('is known although the first keys have none', async () => {
    const keys = [...named(13), key({ id: 'key_late', ...used })]
    for (const { id } of keys) answering(`/api-keys/${id}/usage`, absent)
    answering('/api-keys/key_late/usage', figures(7))
    const usage = await read(keys)
    expect(usage.known && [...usage.value.keys()]).toEqual(['key_late'])
  })

  test('is not known where no key has figures, and not every one is asked to tell', async () => {
    const keys = named(100)
    const asked = keys.map(({ id }) => answering(`/api-keys/${id}/usage`, absent))
    for (const each of keys) answering(`/api-keys/${each.id}`, json({ apiKey: each }))
    expect(await read(keys)).toEqual({ known: false, why: 'the API gives no usage' })
    expect(asked.flat()).toHaveLength(60)
  })

  test('is known of keys that are gone by now, which did nothing more', async () => {
    answering('/api-keys/key_n0/usage', absent)
    answering('/api-keys/key_n0', absent)
    expect(await read(named(1))).toEqual({ known: true, value: new Map() })
  })

  test('is not known where the API refuses it, with its reason', async () => {
    answering('/api-keys/key_n0/usage', json({ detail: 'usage is for Business plans' }, 403))
    expect(await read(named(1))).toEqual({
      known: false,
      why: expect.stringMatching(/usage is for Business plans \(403\)$/) as unknown,
    })
  })

  test('fails with what else fails', async () => {
    answering('/api-keys/key_n0/usage', json({ title: 'Unauthorized' }, 401))
    expect((await failure(read(named(1)))).status).toBe(401)
  })
})

describe('the days of a key', () => {
  const daysOf = async (requests: number, daily: Usage['daily'], createdAt = '2026-01-01T00:00:00Z') => {
    answering('/api-keys/key_a/usage', figures(requests, daily && { daily }))
    const usage = await read([key({ id: 'key_a', createdAt, ...used })])
    return usage.known ? usage.value.get('key_a')?.days : undefined
  }
  const zeros = (count: number) => Array.from({ length: count }, () => 0)
  const day = (date: string, requests: number) => ({ date, requests, errors: 1 })

  test('are thirty up to the one of the figures: what is left out is nothing', async () => {
    expect(await daysOf(1_550, [day('2026-02-14', 1_500), day('2026-02-12', 50)])).toEqual({
      lastDay: '2026-03-01',
      requests: [...zeros(12), 50, 0, 1_500, ...zeros(15)],
      errors: [...zeros(12), 1, 0, 1, ...zeros(15)],
    })
    expect(await daysOf(0, [])).toMatchObject({ lastDay: '2026-03-01', requests: zeros(30) })
  })

  test('begin with its creation', async () => {
    expect(await daysOf(9, [day('2026-03-01', 9)], '2026-02-27T20:00:00Z')).toMatchObject({
      requests: [0, 0, 9],
    })
  })

  test('are those that are told of where the sums say that there were others', async () => {
    expect(await daysOf(400, [day('2026-03-01', 2), day('2026-02-26', 9)])).toEqual({
      lastDay: '2026-03-01',
      requests: [9, 0, 0, 2],
      errors: [1, 0, 0, 1],
    })
  })

  test.each([[undefined], [[]], [[day('today', 2)]]])('are not known of %j', async (daily) => {
    expect(await daysOf(400, daily)).toBeUndefined()
  })
})
