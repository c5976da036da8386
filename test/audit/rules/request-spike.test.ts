import { describe, expect, test } from 'vitest'
import { requestSpike } from '../../../src/audit/rules/request-spike.ts'
import type { Survey } from '../../../src/audit/survey.ts'
import { dayMs, figures, found, known, logOf, used } from '../account-fixture.ts'
import { surveyed, surveyedAt } from '../survey-fixture.ts'

const days = (last: number) => ({
  days: {
    lastDay: '2026-03-01',
    requests: [...Array.from({ length: 29 }, (_, index) => 1_000 + (index % 3) * 50), last],
    errors: Array.from({ length: 30 }, () => 0),
  },
})
/** The same account, idle but for its last day. */
function withDays(survey: Survey, each: number): Pick<Survey, 'usage'> {
  const usage = survey.usage.known ? survey.usage.value : new Map()
  const requests = Array.from({ length: 30 }, (_, index) => (index === 29 ? 340 : each))
  return {
    usage: known(
      new Map([...usage].map(([id, own]) => [id, { ...own, days: { ...days(0).days, requests } }] as const)),
    ),
  }
}
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
        spreadsAllowed: 3.5,
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

  test('is one of any recent day', () => {
    const requests = Array.from({ length: 30 }, (_, index) => (index === 25 ? 9_000 : 1_000))
    const errors = requests.map(() => 0)
    const survey = used(figures({}, {}, { days: { lastDay: '2026-03-01', requests, errors } }), old)
    expect(found(requestSpike, survey)).toMatchObject([
      { message: '9,000 requests on 2026-02-25, 9 times the usual 1,000' },
    ])
    expect(found(requestSpike, { ...survey, recentSince: surveyedAt - 2 * dayMs })).toEqual([])
  })

  test('of a key that is idle on most days says how much it did on its busiest', () => {
    const requests = Array.from({ length: 30 }, (_, index) => (index === 29 ? 9_000 : index === 15 ? 50 : 0))
    const errors = requests.map(() => 0)
    const survey = used(figures({}, {}, { days: { lastDay: '2026-03-01', requests, errors } }), old)
    const [finding] = found(requestSpike, survey)
    expect(finding?.message).toBe(
      '9,000 requests on 2026-03-01, which is not over, where it is idle on most Sundays, and had 50 on the busiest of them',
    )
    expect(finding?.evidence).toMatchObject({ usual: 0, mostBefore: 50 })
    expect(finding?.evidence).not.toHaveProperty('times')
  })

  test('is none of what pictify-keys itself asked', () => {
    const admin = used(figures({ requests: 340 }, {}, days(1_340)), { ...old, access: 'admin' })
    const quiet = { ...admin, ...withDays(admin, 20) }
    const audits = (everyHours: number) =>
      known(logOf([{ userAgent: 'pictify-keys/1.2.3', from: 0.4, everyHours }]))
    const asked = { ...quiet, log: audits(0.03) }
    expect(found(requestSpike, { ...quiet, log: audits(0.2) })).toMatchObject([{ severity: 'warning' }])
    expect(found(requestSpike, asked)).toEqual([])
    expect(found(requestSpike, quiet)).toEqual([])
    expect(requestSpike.skip?.(quiet, {})).toMatch(/^without the audit log/)
  })

  test('says of which keys it can tell nothing', () => {
    const [a, b, c] = ['key_a', 'key_b', 'key_c'].map((id) => surveyed({ ...old, id, name: `Key of ${id}` }))
    const keys = [a!, b!, { ...c!, createdAt: '2026-02-24T00:00:00Z' }, surveyed(old)]
    const usages = new Map([
      ['key_a', figures({}, {})],
      ['key_c', figures({}, {}, days(1_000))],
      ['key_abc123', figures({}, {}, days(1_000))],
    ])
    const survey = { ...spiky, keys, usage: known(usages) }
    expect(requestSpike.skip?.(survey, {})).toBeUndefined()
    expect(requestSpike.leftOut?.(survey, {})).toEqual([
      { keys: 1, why: 'the API gives no days: Key of key_a' },
      { keys: 1, why: 'the API gives no figures: Key of key_b' },
      { keys: 1, why: 'fewer than 8 whole days are known: Key of key_c' },
    ])
    expect(requestSpike.skip?.({ ...survey, keys: keys.slice(0, 3) }, {})).toBe('the API gives no days')
  })
})
