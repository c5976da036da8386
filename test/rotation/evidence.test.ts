import { describe, expect, it } from 'vitest'
import type { Usage } from '../../src/api/contract.ts'
import { isIdle, isUsedByOthers } from '../../src/rotation/evidence.ts'

const minute = 60_000
const now = Date.parse('2026-06-01T12:00:00Z')
const bounds = { now, usageLagMs: 5 * minute, idleMs: 5 * minute }
const ago = (ms: number) => new Date(now - ms).toISOString()

function usage({ updatedMsAgo = 5 * minute, day = 0, month = 0 } = {}): Usage {
  const window = (requests: number) => ({ requests, errors: 0, latencyMs: { p50: 1, p95: 1, p99: 1 } })
  const windows = { '24h': window(day), '7d': window(month), '30d': window(month) }
  return { keyId: 'key_a', updatedAt: ago(updatedMsAgo), windows }
}

describe('an old key is idle', () => {
  it.each([
    ['last used 11 minutes ago, on data of 5 minutes ago', 11 * minute, usage({ day: 9, month: 9 }), true],
    ['last used 9 minutes ago', 9 * minute, usage({ day: 9, month: 9 }), false],
    ['last used exactly at the bound', 10 * minute, usage({ day: 9, month: 9 }), false],
    ['last used just now', 0, usage({ day: 9, month: 9 }), false],
    ['last used long ago, on fresher data', 11 * minute, usage({ updatedMsAgo: 0, day: 9, month: 9 }), true],
    [
      'last used long ago, on data an hour old',
      11 * minute,
      usage({ updatedMsAgo: 60 * minute, month: 9 }),
      'unknown',
    ],
    ['last used long ago, without data', 11 * minute, undefined, 'unknown'],
    ['last used 3 days ago, with requests today', 72 * 60 * minute, usage({ day: 1, month: 1 }), 'unknown'],
    ['last used 3 days ago, with none today', 72 * 60 * minute, usage({ month: 1 }), true],
  ])('when it was %s: %s', (_what, usedMsAgo, figures, idle) => {
    expect(isIdle({ lastUsedAt: ago(usedMsAgo) }, figures, bounds)).toBe(idle)
  })

  it('when it was never used and has no requests, but not when it has some', () => {
    expect(isIdle({ lastUsedAt: null }, usage(), bounds)).toBe(true)
    expect(isIdle({ lastUsedAt: null }, usage({ month: 1 }), bounds)).toBe('unknown')
    expect(isIdle({ lastUsedAt: null }, usage({ updatedMsAgo: 60 * minute }), bounds)).toBe('unknown')
  })

  it('never on instants that cannot be read', () => {
    expect(isIdle({ lastUsedAt: 'yesterday' }, usage(), bounds)).toBe('unknown')
    expect(isIdle({ lastUsedAt: ago(minute) }, { ...usage(), updatedAt: 'now' }, bounds)).toBe('unknown')
  })
})

describe('a successor is used by others', () => {
  it('when its last use is later than ours, by more than a Date header can hide', () => {
    expect(isUsedByOthers({ lastUsedAt: ago(0) }, now - 5_000)).toBe(true)
    expect(isUsedByOthers({ lastUsedAt: ago(0) }, now - 900)).toBe(false)
    expect(isUsedByOthers({ lastUsedAt: ago(10_000) }, now - 5_000)).toBe(false)
    expect(isUsedByOthers({ lastUsedAt: null }, now)).toBe(false)
    expect(isUsedByOthers({ lastUsedAt: ago(0) }, undefined)).toBe(false)
  })
})
