import { describe, expect, test } from 'vitest'
import { latency } from '../../../src/audit/rules/latency.ts'
import { figures, found, used } from '../account-fixture.ts'

const p95 = (day: number, month: number, requests: [number, number] = [1_000, 30_000]) =>
  used(figures({ requests: requests[0], p95: day }, { requests: requests[1], p95: month }))

describe('latency', () => {
  test('twice as long as in 30 days is a warning', () => {
    expect(found(latency, p95(1_300, 400))).toMatchObject([
      {
        severity: 'warning',
        message:
          '95 % of 1,000 requests in the last 24 hours took up to 1,300 ms, 3.3 times the 400 ms of the 30 days that end with them',
        evidence: { p95Ms24h: 1_300, p95Ms30d: 400, times: 3.3 },
        mend: ['pictify-keys', 'usage', 'key_abc123'],
      },
    ])
    expect(found(latency, p95(1_300, 400), { errorAbove: 3 })).toMatchObject([{ severity: 'error' }])
  })

  test.each([
    ['as long', p95(420, 400), {}],
    ['less than twice as long', p95(790, 400), {}],
    ['a little longer', p95(250, 100), {}],
    ['longer, of few requests', p95(1_300, 400, [99, 30_000]), {}],
    ['longer, and few before', p95(1_300, 400, [1_000, 1_099]), {}],
    ['longer than nothing', p95(1_300, 0), {}],
    ['what the file allows', p95(1_300, 400), { warnAbove: 4 }],
  ])('%s is no finding', (_, survey, settings) => {
    expect(found(latency, survey, settings)).toEqual([])
  })
})
