import { describe, expect, test } from 'vitest'
import { errorRate } from '../../../src/audit/rules/error-rate.ts'
import { figures, found, used } from '../account-fixture.ts'

const rates = (day: [requests: number, errors: number], month: [requests: number, errors: number]) =>
  used(figures({ requests: day[0], errors: day[1] }, { requests: month[0], errors: month[1] }))

describe('error-rate', () => {
  test('above 20 % is an error, with what was before', () => {
    expect(found(errorRate, rates([1_000, 250], [31_000, 550]))).toMatchObject([
      {
        severity: 'error',
        message: '25 % of 1,000 requests in the last 24 hours failed; in the 29 days before, 1 % failed',
        evidence: { requests24h: 1_000, errors24h: 250, errorPercent24h: 25, errorPercentBefore: 1 },
        mend: ['pictify-keys', 'logs', 'key_abc123', '--since', '24h', '--status', '4xx,5xx'],
      },
    ])
  })

  test.each([
    ['above 5 % is a warning', rates([1_000, 60], [31_000, 1_800]), {}, 'warning'],
    ['above 5 % is a warning of a young key too', rates([1_000, 60], [1_000, 60]), {}, 'warning'],
    ['far above its own past is a warning', rates([1_000, 30], [31_000, 130]), {}, 'warning'],
    [
      'above what the file says is an error',
      rates([1_000, 60], [31_000, 1_800]),
      { errorAbove: 0.05 },
      'error',
    ],
    [
      'above what the file says is a warning',
      rates([1_000, 30], [31_000, 900]),
      { warnAbove: 0.02 },
      'warning',
    ],
  ])('%s', (_, survey, settings, severity) => {
    expect(found(errorRate, survey, settings).map((finding) => finding.severity)).toEqual([severity])
  })

  test.each([
    ['none', rates([1_000, 0], [31_000, 500]), {}],
    ['as ever', rates([1_000, 30], [31_000, 930]), {}],
    ['twice as many as ever', rates([1_000, 30], [31_000, 480]), {}],
    ['less than 1 %', rates([10_000, 90], [310_000, 90]), {}],
    ['a few', rates([300, 9], [31_000, 9]), {}],
    ['many of few requests', rates([49, 49], [31_000, 49]), {}],
    ['many of what the file calls few', rates([900, 900], [31_000, 900]), { minRequests: 901 }],
    ['what the file allows', rates([1_000, 300], [31_000, 9_300]), { warnAbove: 0.4, errorAbove: 0.5 }],
  ])('%s is no finding', (_, survey, settings) => {
    expect(found(errorRate, survey, settings)).toEqual([])
  })
})
