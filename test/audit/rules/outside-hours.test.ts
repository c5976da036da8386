import { describe, expect, test } from 'vitest'
import { outsideHours } from '../../../src/audit/rules/outside-hours.ts'
import type { Fleet, WorkingHours } from '../../../src/fleet/fleet.ts'
import { found, known, logged, logOf, type Traffic } from '../account-fixture.ts'

const workingHours: WorkingHours = { days: [1, 2, 3, 4, 5], from: 8 * 60, to: 18 * 60, timeZone: 'UTC' }
const fleet = (hours: WorkingHours | undefined): Fleet => ({
  path: '/team/pictify-keys.yaml',
  file: 'pictify-keys.yaml',
  keys: [],
  audit: { rules: {}, workingHours: hours, accept: [] },
  alerts: [],
  notify: [],
})
const survey = (traffic: readonly Traffic[], key = {}, options = {}) => ({
  ...logged([], key),
  fleet: known(fleet(workingHours)),
  log: known(logOf(traffic, { hours: workingHours, ...options })),
})
/** Noon of each working day; the survey is on a Sunday at noon. */
const office = [2, 3, 4, 5, 6].flatMap((day) =>
  [0, 7, 14, 21].map((weeks) => ({ from: day + weeks + 0.01, to: day + weeks, everyHours: 0.1 })),
)
/** Saturday, 02:00 to 05:00. */
const night: Traffic = { from: 1.41, to: 1.3, everyHours: 1, ip: '103.97.126.14' }

describe('outside-hours', () => {
  test('says how many requests, at which hours, and from where', () => {
    expect(found(outsideHours, survey([...office, night]))).toMatchObject([
      {
        severity: 'warning',
        message: '3 requests outside working hours, 2026-02-28 02:00 to 05:00 UTC: 16.7 % of all, 0 % before',
        evidence: {
          requests: 3,
          ofRequests: 18,
          percentBefore: 0,
          workingHours: 'Mon Tue Wed Thu Fri 08:00 to 18:00 UTC',
          hours: ['2026-02-28 02:00 to 05:00 UTC'],
          networks: [expect.stringContaining('103.97.126.0/24: 3 requests')],
        },
        mend: ['pictify-keys', 'incident', 'key_abc123'],
      },
    ])
  })

  test('over midnight are one stretch', () => {
    const [finding] = found(outsideHours, survey([...office, { ...night, from: 1.8, to: 1.3 }]))
    expect(finding?.evidence['hours']).toEqual(['2026-02-27 18:00 to 2026-02-28 05:00 UTC'])
  })

  test.each([
    ['one within them', survey(office), {}],
    ['one who works round the clock', survey([{ everyHours: 1 }]), {}],
    ['one with a tenth of its work at night', survey([...office, { everyHours: 48 }, night]), {}],
    ['a key without a past', survey([{ ...night, from: 1.5, to: 1 }]), {}],
    ['two at night', survey([...office, { ...night, to: 1.34 }]), {}],
    ['what the file calls little', survey([...office, night]), { minRequests: 4 }],
    ['a night of weeks ago', survey([...office, { ...night, from: 15.41, to: 15.3 }]), {}],
    ['a key that is revoked', survey([...office, night], { status: 'revoked' }), {}],
  ])('%s is no finding', (_, given, settings) => {
    expect(found(outsideHours, given, settings)).toEqual([])
  })

  test('is skipped where the file has no hours', () => {
    const without = { ...survey(office), fleet: known(fleet(undefined)) }
    expect(outsideHours.skip?.(without, {})).toBe('pictify-keys.yaml has no audit: workingHours')
    expect(outsideHours.skip?.(survey(office), {})).toBeUndefined()
    expect(outsideHours.skip?.(survey([night]), {})).toContain('does not reach back far enough')
    expect(found(outsideHours, without)).toEqual([])
  })

  const own = { ...night, userAgent: 'pictify-keys/1.2.3', method: 'GET' }
  test.each([
    ['audits of the night', [{ ...own, endpoint: '/audit-logs' }], { leavesOutOwnReadings: true }, 0],
    ['probes of the night', [{ ...own, endpoint: '/templates' }], { leavesOutOwnProbes: true }, 0],
    ['what is no probe', [{ ...own, endpoint: '/api-keys' }], { leavesOutOwnProbes: true }, 1],
    ['a change', [{ ...own, method: 'POST' }], { leavesOutOwnReadings: true, leavesOutOwnProbes: true }, 1],
  ])('%s', (_, traffic, options, count) => {
    expect(found(outsideHours, survey([...office, ...traffic], {}, options))).toHaveLength(count)
  })
})
