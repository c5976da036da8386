import { describe, expect, test } from 'vitest'
import { errorRate } from '../../../src/audit/rules/error-rate.ts'
import { figures, found, used } from '../account-fixture.ts'
import { surveyed } from '../survey-fixture.ts'

const rates = (day: [requests: number, errors: number], month: [requests: number, errors: number]) =>
  used(figures({ requests: day[0], errors: day[1] }, { requests: month[0], errors: month[1] }))

describe('error-rate', () => {
  test('above 20 % is an error, with what was before', () => {
    expect(found(errorRate, rates([1_000, 250], [31_000, 550]))).toMatchObject([
      {
        severity: 'error',
        message:
          '25 % of 1,000 requests in the last 24 hours failed; 1 % is usual (30,000 requests of the 29 days before)',
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

  const daily = (today: number, before: (day: number) => number, lastDay = '2026-03-01') => {
    const errors = Array.from({ length: 30 }, (_, index) => (index === 29 ? today : before(index)))
    const requests = errors.map(() => 1_000)
    const sum = errors.reduce((all, each) => all + each, 0)
    return used(
      figures(
        { requests: 1_000, errors: today },
        { requests: 30_000, errors: sum },
        { days: { lastDay, requests, errors } },
      ),
    )
  }
  const outage = (day: number) => (day === 20 ? 930 : 1)

  test('of one bad day hides nothing of today', () => {
    expect(found(errorRate, daily(40, outage))).toMatchObject([
      {
        severity: 'warning',
        message: '4 % of 1,000 requests in the last 24 hours failed; 0.1 % is usual (the median of 28 days)',
        evidence: { errorPercentBefore: 0.1, comparedWith: 'the median of 28 days', spreadsAllowed: 3.5 },
      },
    ])
  })

  test('that varies as much from day to day is none', () => {
    expect(
      found(
        errorRate,
        daily(40, (day) => (day % 2 === 0 ? 5 : 30)),
      ),
    ).toEqual([])
    expect(
      found(
        errorRate,
        daily(40, (day) => 10 + (day % 3)),
      ),
    ).toHaveLength(1)
  })

  test('is held against days that are over and not within the last 24 hours', () => {
    const yesterday = (day: number) => (day === 28 ? 500 : 1)
    expect(found(errorRate, daily(40, yesterday))).toMatchObject([
      { evidence: { comparedWith: 'the median of 28 days' } },
    ])
    expect(found(errorRate, daily(40, yesterday, '2026-02-28'))).toMatchObject([
      { evidence: { comparedWith: 'the median of 29 days' } },
    ])
  })

  test('says of which keys nothing is known', () => {
    const survey = {
      ...rates([1_000, 0], [31_000, 0]),
      keys: [surveyed(), surveyed({ id: 'key_b', name: 'B' })],
    }
    expect(errorRate.skip?.(survey, {})).toBeUndefined()
    expect(errorRate.leftOut?.(survey, {})).toEqual([{ keys: 1, why: 'the API gives no figures: B' }])
  })
})
