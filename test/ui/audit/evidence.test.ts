import { expect, test } from 'vitest'
import { evidenceFacts, evidenceLine } from '../../../src/ui/audit/evidence.ts'

test.each([
  [{ createdAt: '2026-01-13T09:00:00.000Z' }, 'created 2026-01-13 09:00 UTC'],
  [{ ageDays: 1_412 }, 'age 1,412 d'],
  [{ daysTogether: 3 }, 'days together 3'],
  [{ errorPercent24h: 12.4 }, 'error 24h 12.4 %'],
  [{ p95Ms24h: 120.4, p95Ms30d: 61_000 }, 'p95 24h 120 ms, p95 30d 1m 1s'],
  [{ p95Ms24h: 5_757, p95Ms30d: 1_440.4 }, 'p95 24h 5,757 ms, p95 30d 1,440 ms'],
  [{ idleMs: 7_200_000 }, 'idle 2h'],
  [{ requests24h: 18_234, ofRequests: 20_000 }, 'requests 24h 18,234, of requests 20,000'],
  [{ lastUsedAt: null, onThisMachine: true, here: false }, 'last used none, on this machine yes, here no'],
  [{ networks: [] }, 'networks none'],
  [{ networks: ['a', 'b', 'c', 'd', 'e', 'f', 'g'] }, 'networks a; b; c; d; e; and 2 more'],
  [
    { uses: ['curl: 3 requests, first 2026-01-13T09:00:00.123Z'] },
    'uses curl: 3 requests, first 2026-01-13 09:00 UTC',
  ],
  [{ limit: '90d' }, 'limit 90d'],
  [{}, ''],
])('%j reads %s', (evidence, line) => {
  expect(evidenceLine(evidence)).toBe(line)
})

test('a name that says nothing but a unit is kept', () => {
  expect(evidenceFacts({ percent: 3, at: '2026-01-13T09:00:00Z' })).toEqual([
    ['percent', '3 %'],
    ['at', '2026-01-13 09:00 UTC'],
  ])
})
