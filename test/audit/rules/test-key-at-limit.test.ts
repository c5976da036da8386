import { expect, test } from 'vitest'
import { testKeyAtLimit } from '../../../src/audit/rules/test-key-at-limit.ts'
import type { KeyUsage } from '../../../src/audit/survey.ts'
import { surveyed, surveyedAt } from '../survey-fixture.ts'
import { checked } from './checked.ts'

const key = surveyed({ type: 'test' })

/** Days that end with that of the survey, 2026-03-01. */
function usage(within24h: number, days?: readonly number[]): KeyUsage {
  const window = (requests: number) => ({ requests, errors: 0, latencyMs: { p50: 1, p95: 1, p99: 1 } })
  return {
    updatedAt: surveyedAt,
    windows: { '24h': window(within24h), '7d': window(0), '30d': window(0) },
    days: days && { lastDay: '2026-03-01', requests: days, errors: days.map(() => 0) },
    countries: undefined,
  }
}
const held = (figures: KeyUsage, fields = {}) =>
  checked(testKeyAtLimit, [{ ...key, ...fields }], {
    usage: { known: true, value: new Map([[key.id, figures]]) },
  })

test.each([
  ['99 requests in 24 hours', usage(99, [99, 99]), []],
  ['100 requests in 24 hours', usage(100), ['warning']],
  ['100 today, which has only begun', usage(60, [0, 0, 100]), ['warning']],
  ['100 yesterday', usage(60, [0, 100, 0]), ['warning']],
  ['100 the day before', usage(60, [100, 0, 0]), ['note']],
])('%s', (_, figures, severities) => {
  expect(held(figures).map(({ severity }) => severity)).toEqual(severities)
})

test('says on which days, and where to look', () => {
  expect(held(usage(12, [130, 4, 100, 0, 0]))).toMatchObject([
    {
      message: 'came to the 100 renders a day of a test key, last on 2026-02-27',
      evidence: { requestsWithin24h: 12, limitPerDay: 100, daysAtLimit: ['2026-02-25', '2026-02-27'] },
      mend: ['pictify-keys', 'usage', 'key_abc123'],
    },
  ])
})

test('says how many requests there were, where they are of now', () => {
  expect(held(usage(1_234)).map(({ message }) => message)).toEqual([
    'made 1234 requests in 24 hours, where a test key has 100 renders a day',
  ])
})

test('is about test keys that work, and no others', () => {
  expect(held(usage(5_000), { type: 'live' })).toEqual([])
  expect(held(usage(5_000), { status: 'revoked' })).toEqual([])
  expect(held(usage(5_000), { id: 'key_other' })).toEqual([])
})
