import { describe, expect, test } from 'vitest'
import { wokeUp } from '../../../src/audit/rules/woke-up.ts'
import type { Survey } from '../../../src/audit/survey.ts'
import { figures, found, known, logOf, type Traffic, usual } from '../account-fixture.ts'
import { emptySurvey, surveyed } from '../survey-fixture.ts'

const old = surveyed({ createdAt: '2025-12-11T00:00:00Z' })
const other: Traffic = { ...usual, key: 'key_other' }
const thief: Traffic = { ip: '185.220.101.7', userAgent: 'python-requests/2.31', from: 2, everyHours: 1 }

/** An account of an old key and another one that is used all along. */
const survey = (traffic: readonly Traffic[], key = {}, requests?: readonly number[]): Survey => {
  const days = requests && { lastDay: '2026-03-01', requests, errors: requests.map(() => 0) }
  return {
    ...emptySurvey,
    keys: [{ ...old, ...key }],
    usage: known(new Map(days && [[old.id, figures({}, {}, { days })]])),
    log: known(logOf(traffic)),
  }
}
const zeros = (count: number) => Array.from({ length: count }, () => 0)

describe('woke-up', () => {
  test('says how long a key was silent, and what came then from where', () => {
    expect(found(wokeUp, survey([other, thief]))).toMatchObject([
      {
        severity: 'warning',
        message:
          'was silent for 27 days, then made 48 requests from 2026-02-27 on by python-requests from 185.220.101.0/24',
        evidence: { silentDays: 27, requests: 48 },
        mend: ['pictify-keys', 'incident', 'key_abc123'],
      },
    ])
  })

  test('goes by the days of its usage where they are known', () => {
    const days = [5, ...zeros(27), 24, 24]
    expect(found(wokeUp, survey([thief], {}, days))).toMatchObject([{ evidence: { silentDays: 27 } }])
    expect(found(wokeUp, survey([thief], {}, [...zeros(20), 5, ...zeros(7), 24, 24]))).toEqual([])
    expect(found(wokeUp, survey([thief], {}, days), { warnAfterMs: 28 * 86_400_000 })).toEqual([])
  })

  test('from where other keys are used is a note', () => {
    const [finding] = found(wokeUp, survey([other, { ...thief, ip: usual.ip }]))
    expect(finding?.severity).toBe('note')
    expect(finding?.message).toMatch(/, where other keys are used too$/)
  })

  test.each([
    ['a key that is used all along', survey([other, usual, thief]), {}],
    ['a key that is silent still', survey([other, { ...thief, from: 29, to: 20 }]), {}],
    ['a young key', survey([other, thief], { createdAt: '2026-02-20T00:00:00Z' }), {}],
    ['a revoked key', survey([other, thief], { status: 'revoked' }), {}],
    ['pictify-keys', survey([other, { ...thief, userAgent: 'pictify-keys/1.2.3' }]), {}],
    ['what the file ignores', survey([other, thief]), { ignore: ['185.220.101.0/24'] }],
    ['what the file calls little', survey([other, thief]), { minRequests: 49 }],
  ])('%s is none', (_, given, settings) => {
    expect(found(wokeUp, given, settings)).toEqual([])
    expect(wokeUp.skip?.(given, settings)).toBeUndefined()
  })

  test('cannot be told where the log begins with what woke up', () => {
    const short = survey([thief])
    expect(found(wokeUp, short)).toEqual([])
    expect(wokeUp.skip?.(short, {})).toBe(
      'neither the audit log nor its usage reaches back far enough to tell whether a key was silent',
    )
    expect(wokeUp.skip?.(survey([thief], {}, [...zeros(28), 24, 24]), {})).toBeUndefined()
  })

  test('cannot be told of a key that was used and that the log does not show', () => {
    expect(wokeUp.skip?.(survey([other]), {})).toBe('the audit log has nothing of keys that were used')
  })
})
