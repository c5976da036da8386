import { describe, expect, test } from 'vitest'
import { requestSpike } from '../../../src/audit/rules/request-spike.ts'
import { figures, found, used } from '../account-fixture.ts'

const days = (last: number) => ({
  days: {
    lastDay: '2026-03-01',
    requests: [...Array.from({ length: 29 }, (_, index) => 1_000 + (index % 3) * 50), last],
    errors: Array.from({ length: 30 }, () => 0),
  },
})
const old = { createdAt: '2025-01-01T00:00:00Z' }
const spiky = used(figures({ requests: 9_000 }, { requests: 40_000 }, days(9_000)), old)

describe('request-spike', () => {
  test('says what was usual, what was seen, and by how much it differs', () => {
    const [finding, ...others] = found(requestSpike, spiky)
    expect(others).toEqual([])
    expect(finding).toMatchObject({
      rule: 'request-spike',
      severity: 'warning',
      key: { id: 'key_abc123' },
      message: '9,000 requests on 2026-03-01, which is not over, 8.6 times the usual 1,050',
      evidence: {
        when: '2026-03-01',
        requests: 9_000,
        usual: 1_050,
        comparedWith: 'the median of 4 Sundays',
        times: 8.6,
        spread: 105,
        spreadsAbove: 75.7,
        unlikeFromSpreads: 3.5,
        figuresUpTo: '2026-03-01T11:55:00.000Z',
      },
      mend: ['pictify-keys', 'incident', 'key_abc123'],
    })
  })

  test('is an error from where the file says so on', () => {
    expect(found(requestSpike, spiky, { errorAbove: 8 })).toMatchObject([{ severity: 'error' }])
    expect(found(requestSpike, spiky, { errorAbove: 9 })).toMatchObject([{ severity: 'warning' }])
  })

  test.each([
    ['a day as others', used(figures({}, {}, days(1_080)), old), {}],
    ['a key that is revoked', used(figures({}, {}, days(9_000)), { ...old, status: 'revoked' }), {}],
    ['a key of few days', used(figures({}, {}, days(9_000)), { createdAt: '2026-02-24T00:00:00Z' }), {}],
    ['an API that gives no days', used(figures({ requests: 9_000 }, {}), old), {}],
    ['what the file calls usual', spiky, { warnAbove: 10 }],
    ['what the file calls little', spiky, { minRequests: 9_000 }],
  ])('%s is none', (_, survey, settings) => {
    expect(found(requestSpike, survey, settings)).toEqual([])
  })
})
