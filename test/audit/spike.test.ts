import { describe, expect, test } from 'vitest'
import { spikeDefaults, spikesOf } from '../../src/audit/spike.ts'
import type { KeyUsage } from '../../src/audit/survey.ts'

/** The oddest of them. */
function spikeOf(...given: Parameters<typeof spikesOf>) {
  const spikes = spikesOf(...given)
  return spikes === 'unknown' ? spikes : spikes[0]
}

const day = 86_400_000
/** A Sunday, at noon; the figures end a little before. */
const updatedAt = Date.UTC(2026, 2, 1, 11, 55)
const old = Date.UTC(2025, 0, 1)

/** Days that end with today's; `within` is the last 24 hours. */
function usage(requests: readonly number[], within = requests.at(-1) ?? 0, lastDay = '2026-03-01'): KeyUsage {
  const window = (count: number) => ({ requests: count, errors: 0, latencyMs: { p50: 1, p95: 1, p99: 1 } })
  return {
    updatedAt,
    windows: { '24h': window(within), '7d': window(0), '30d': window(0) },
    days: { lastDay, requests, errors: requests.map(() => 0) },
    countries: undefined,
  }
}
const flat = (length: number, each = 1_000) => Array.from({ length }, () => each)

describe('a spike', () => {
  test('is a day with far more than its own', () => {
    expect(spikeOf(usage([...flat(29), 9_000]), old)).toMatchObject({
      when: '2026-03-01',
      unfinished: true,
      seen: 9_000,
      usual: 1_000,
      of: 'weekdays',
    })
  })

  test('of yesterday is one today', () => {
    expect(spikeOf(usage([...flat(28), 9_000, 400]), old)).toMatchObject({
      when: '2026-02-28',
      unfinished: false,
    })
  })

  test('that is over two days is seen within 24 hours', () => {
    expect(spikeOf(usage([...flat(28), 2_400, 2_400], 4_000), old)).toMatchObject({
      when: 'the last 24 hours',
      unfinished: false,
      seen: 4_000,
      usual: 1_000,
    })
  })

  test.each([
    ['every day is alike', usage(flat(30))],
    ['the day has only begun, and the last 24 hours are a day', usage([...flat(29), 20], 1_000)],
    ['it is not three times as much', usage([...flat(29), 2_900])],
    ['it is not a hundred requests more', usage([...flat(29, 5), 100])],
    ['it is two days ago', usage([...flat(27), 9_000, 1_000, 400])],
    [
      'the week began, and weeks are so',
      usage(
        [...[0, 1, 2, 3].flatMap(() => [9_000, 9_000, 9_000, 9_000, 9_000, 50, 50]), 9_000],
        9_000,
        '2026-03-02',
      ),
    ],
  ])('is none where %s', (_, given) => {
    expect(spikeOf(given, old)).toBeUndefined()
  })

  test('of a working day that ended yesterday is none on a Saturday', () => {
    const weeks = [0, 1, 2, 3].flatMap(() => [50, 50, 9_000, 9_000, 9_000, 9_000, 9_000])
    const saturday = usage([...weeks, 5], 8_000, '2026-02-28')
    expect(spikeOf({ ...saturday, updatedAt: Date.UTC(2026, 1, 28, 3) }, old)).toBeUndefined()
    expect(
      spikeOf({ ...usage([...weeks, 2_000], 8_000, '2026-02-28'), updatedAt: Date.UTC(2026, 1, 28, 3) }, old),
    ).toMatchObject({
      when: '2026-02-28',
      usual: 50,
    })
  })

  test('of the last day that is told of is one although today is not told of', () => {
    expect(spikeOf(usage([...flat(29), 9_000], 0, '2026-02-28'), old)).toMatchObject({
      when: '2026-02-28',
      unfinished: false,
    })
  })

  test.each([
    ['no days are told of', { ...usage([]), days: undefined }, old],
    ['there are few days', usage([...flat(7), 9_000]), old],
    ['the key is young', usage([...flat(22, 0), ...flat(7), 9_000]), Date.UTC(2026, 1, 22, 12)],
    ['it was made today', usage([...flat(29, 0), 9_000]), updatedAt - 3_600_000],
  ])('is not known where %s', (_, given, createdAt) => {
    expect(spikeOf(given, createdAt)).toBe('unknown')
  })

  test('is told by whole days alone where the last one is over', () => {
    const over = { ...usage([...flat(29), 9_000]), updatedAt: Date.UTC(2026, 2, 2) }
    expect(spikeOf(over, old)).toMatchObject({ when: '2026-03-01', unfinished: false })
    expect(spikeOf({ ...over, ...usage(flat(30), 9_000, '2026-02-28') }, old)).toBeUndefined()
  })

  test('is none among days that differ as much', () => {
    const differing = Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? 1_000 : 5_000))
    expect(spikeOf(usage([...differing, 9_500]), old)).toBeUndefined()
    expect(spikeOf(usage([...differing, 20_000]), old)).toMatchObject({ seen: 20_000 })
  })

  test('is one from the bounds on', () => {
    expect(spikeOf(usage([...flat(29), 3_000]), old)).toMatchObject({ seen: 3_000 })
    expect(spikeOf(usage([...flat(29, 10), 110]), old)).toMatchObject({ seen: 110 })
    expect(spikeOf(usage([...flat(29, 10), 109]), old)).toBeUndefined()
  })

  test.each([
    [[9_000, 20_000], '2026-03-01'],
    [[20_000, 9_000], '2026-02-28'],
  ])('of %j is the oddest', (last, when) => {
    expect(spikeOf(usage([...flat(28), ...last], 0), old)).toMatchObject({ when, seen: 20_000 })
  })

  test('within 24 hours needs days enough before both of them', () => {
    expect(spikeOf(usage([...flat(8), 400], 9_000), old)).toBeUndefined()
    expect(spikeOf(usage([...flat(9), 400], 9_000), old)).toMatchObject({ when: 'the last 24 hours' })
  })

  test('of a young key is told by its own days', () => {
    const given = usage([...flat(19, 0), ...flat(10), 9_000])
    expect(spikeOf(given, updatedAt - 10 * day)).toMatchObject({ usual: 1_000, of: 'days', count: 9 })
    expect(
      spikeOf({ ...given, ...usage([...flat(19, 0), ...flat(11)]) }, updatedAt - 10 * day),
    ).toBeUndefined()
  })

  test('can be called so from other bounds on', () => {
    const given = usage([...flat(29), 2_900])
    expect(spikeOf(given, old, { times: 2, requests: 100 })).toMatchObject({ seen: 2_900 })
    expect(spikeOf(given, old, { times: 2, requests: 2_000 })).toBeUndefined()
  })

  test('is on any day from an instant on, each held against the days before it', () => {
    const given = usage([...flat(24), 9_000, 1_000, 8_000, ...flat(3)])
    const since = updatedAt - 7 * day
    const spikes = spikesOf(given, old, { ...spikeDefaults, since })
    expect(spikes).toMatchObject([
      { when: '2026-02-24', seen: 9_000 },
      { when: '2026-02-26', seen: 8_000 },
    ])
    expect(spikesOf(given, old)).toEqual([])
    expect(spikesOf(given, old, { ...spikeDefaults, since: Date.UTC(2026, 1, 24) })).toHaveLength(2)
    expect(spikesOf(given, old, { ...spikeDefaults, since: Date.UTC(2026, 1, 25) })).toHaveLength(1)
  })

  test('of a key that is idle on most days is held against its busiest', () => {
    const weekly = (last: number) => usage([...flat(4, 0), 2_000, ...flat(6, 0), last])
    expect(spikeOf(weekly(2_400), old)).toBeUndefined()
    expect(spikeOf(weekly(6_000), old)).toMatchObject({ usual: 0, most: 2_000, seen: 6_000 })
    expect(spikeOf(usage([...flat(11, 0), 2_000]), old)).toMatchObject({ usual: 0, most: 0, seen: 2_000 })
  })
})
