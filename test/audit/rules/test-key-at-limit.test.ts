import { expect, test } from 'vitest'
import { testKeyAtLimit } from '../../../src/audit/rules/test-key-at-limit.ts'
import type { KeyUsage } from '../../../src/audit/survey.ts'
import { logOf, type Traffic } from '../account-fixture.ts'
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
      message: 'made 100 requests on 2026-02-27, where a test key has 100 renders a day',
      evidence: {
        requestsWithin24h: 12,
        limitPerDay: 100,
        daysAtLimit: ['2026-02-25: 130 requests', '2026-02-27: 100 requests'],
        countedBy: 'requests: the audit log does not have them',
      },
      mend: ['pictify-keys', 'usage', 'key_abc123'],
    },
  ])
})

test('says how many requests there were, where they are of now', () => {
  expect(held(usage(1_234)).map(({ message }) => message)).toEqual([
    'made 1,234 requests in 24 hours, where a test key has 100 renders a day',
  ])
})

test('is about test keys that work, and no others', () => {
  expect(held(usage(5_000), { type: 'live' })).toEqual([])
  expect(held(usage(5_000), { status: 'revoked' })).toEqual([])
  expect(held(usage(5_000), { id: 'key_other' })).toEqual([])
})

const logged = (traffic: readonly Traffic[]) =>
  checked(testKeyAtLimit, [key], {
    usage: { known: true, value: new Map([[key.id, usage(500, [500, 500, 500])]]) },
    log: { known: true, value: logOf(traffic, { countsRenders: true }) },
  })

test('counts renders alone where the audit log has them', () => {
  const often = { from: 0.4, everyHours: 0.05 }
  expect(logged([{ ...often, endpoint: '/templates', method: 'GET' }])).toEqual([])
  expect(logged([{ ...often, status: 429 }])).toEqual([])
  expect(logged([{ ...often, from: 0.1 }])).toEqual([])
  expect(logged([{ ...often, endpoint: '/v1/pdf' }])).toMatchObject([
    {
      severity: 'warning',
      message: 'made 192 renders on 2026-03-01, where a test key has 100 renders a day',
      evidence: { daysAtLimit: ['2026-03-01: 192 renders'], countedBy: 'renders in the audit log' },
    },
  ])
  expect(logged([{ from: 10.4, to: 10, everyHours: 0.05 }])).toMatchObject([{ severity: 'note' }])
})
