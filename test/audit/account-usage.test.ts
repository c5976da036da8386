import { describe, expect, test } from 'vitest'
import { hasFigures } from '../../src/ages.ts'
import type { Key, Usage } from '../../src/api/contract.ts'
import {
  addTo,
  compareFigures,
  createDays,
  figuresOf,
  noTotals,
  type KeyFigures,
} from '../../src/audit/account-usage.ts'
import { requestLimitsOf } from '../../src/request-limits.ts'

const day = 86_400_000
const now = Date.parse('2026-03-11T12:00:00Z')
const pro = requestLimitsOf('pro', 300)

const keyOf = (id: string, more: Partial<Key> = {}): Key => ({
  ...{ id, name: id, type: 'live', status: 'active', createdAt: '2025-01-01T00:00:00Z' },
  lastUsedAt: '2026-03-11T11:00:00Z',
  ...more,
})
const usageOf = (requests: number, errors: number, p95: number, daily?: Usage['daily']): Usage => {
  const window = { requests, errors, latencyMs: { p50: 1, p95, p99: p95 } }
  const windows = { '24h': window, '7d': window, '30d': { ...window, requests: requests * 10 } }
  return { keyId: '', updatedAt: '2026-03-11T11:58:00Z', windows, ...(daily && { daily }) }
}

test.each([
  [null, false],
  ['2026-03-11T11:59:00Z', true],
  [new Date(now - 30 * day).toISOString(), true],
  [new Date(now - 32 * day).toISOString(), false],
])('a key last used at %s can have figures: %s', (lastUsedAt, can) => {
  expect(hasFigures(keyOf('a', { lastUsedAt }), now)).toBe(can)
})

describe('figures', () => {
  test('of a key that was not asked say so, and are 0', () => {
    const figures = figuresOf(keyOf('a', { lastUsedAt: null }), undefined, pro)
    expect(figures).toMatchObject({ asked: false, updatedAt: null, dayLimit: { share: 0, busiest: null } })
    expect(figures.windows['30d']).toEqual({ requests: 0, errors: 0, latencyMs: { p50: 0, p95: 0, p99: 0 } })
  })

  test('are held against the limit of a day', () => {
    const daily = [
      { date: '2026-03-09', requests: 400, errors: 0 },
      { date: '2026-03-10', requests: 2_500, errors: 0 },
      { date: '2026-03-11', requests: 100, errors: 0 },
    ]
    const { dayLimit } = figuresOf(keyOf('a'), usageOf(1_200, 0, 5, daily), pro)
    expect(dayLimit).toEqual({ share: 0.12, busiest: { date: '2026-03-10', requests: 2_500, share: 0.25 } })
    expect(figuresOf(keyOf('a'), usageOf(1_200, 0, 5), pro).dayLimit).toEqual({ share: 0.12, busiest: null })
  })

  test.each([
    ['enterprise', 7_000, { plan: 'enterprise', requestsPerMinute: 7_000, requestsPerDay: null }],
    [undefined, 42, { plan: null, requestsPerMinute: 42, requestsPerDay: null }],
    [undefined, undefined, { plan: null, requestsPerMinute: null, requestsPerDay: null }],
    ['free', undefined, { plan: 'free', requestsPerMinute: 60, requestsPerDay: 1_000 }],
  ] as const)('of plan %s: what is not known is null', (plan, perMinute, limits) => {
    expect(requestLimitsOf(plan, perMinute)).toEqual(limits)
    expect(figuresOf(keyOf('a'), usageOf(1, 0, 5), limits).dayLimit === null).toBe(
      limits.requestsPerDay === null,
    )
  })

  test('add up, and count what was not asked', () => {
    const totals = noTotals()
    addTo(totals, figuresOf(keyOf('a'), usageOf(5, 1, 9), pro))
    const older = { ...usageOf(7, 2, 9), updatedAt: '2026-03-11T11:55:00Z' }
    addTo(totals, figuresOf(keyOf('b'), older, pro))
    addTo(totals, figuresOf(keyOf('c', { lastUsedAt: null }), undefined, pro))
    expect(totals).toEqual({
      keys: 3,
      notAsked: 1,
      windows: {
        '24h': { requests: 12, errors: 3 },
        '7d': { requests: 12, errors: 3 },
        '30d': { requests: 120, errors: 3 },
      },
      // the oldest of them
      updatedAt: '2026-03-11T11:55:00Z',
    })
  })
})

test.each([
  ['requests', 'b c a'],
  ['errors', 'a b c'],
  ['error-rate', 'a b c'],
  ['p95', 'c a b'],
  ['last-used', 'c a b'],
  ['name', 'b c a'],
] as const)('sorted by %s: %s', (by, order) => {
  const figures: KeyFigures[] = [
    figuresOf(keyOf('a', { name: 'Key 10' }), usageOf(10, 5, 20), pro),
    figuresOf(keyOf('b', { name: 'Key 1', lastUsedAt: '2026-03-01T00:00:00Z' }), usageOf(30, 3, 10), pro),
    figuresOf(keyOf('c', { name: 'Key 2', lastUsedAt: '2026-03-11T11:30:00Z' }), usageOf(20, 0, 30), pro),
  ]
  expect(
    figures
      .sort(compareFigures(by, '24h'))
      .map(({ keyId }) => keyId)
      .join(' '),
  ).toBe(order)
})

test('days of several keys are one line without gaps', () => {
  const days = createDays()
  days.add({ daily: [{ date: '2026-02-27', requests: 1, errors: 1 }] })
  days.add({
    daily: [
      { date: '2026-03-02', requests: 2, errors: 0 },
      { date: '2026-02-27', requests: 3, errors: 0 },
    ],
  })
  days.add({ daily: [{ date: 'no day', requests: 9, errors: 9 }] })
  days.add({})
  expect(days.list()).toEqual([
    { date: '2026-02-27', requests: 4, errors: 1 },
    { date: '2026-02-28', requests: 0, errors: 0 },
    { date: '2026-03-01', requests: 0, errors: 0 },
    { date: '2026-03-02', requests: 2, errors: 0 },
  ])
  days.add({ daily: [{ date: '1970-01-01', requests: 5, errors: 0 }] })
  expect(days.list()).toHaveLength(61)
  expect(createDays().list()).toEqual([])
})
