import { expect, test } from 'vitest'
import type { Key, KeyType, Plan } from '../../../src/api/contract.ts'
import { judge } from '../../../src/audit/report.ts'
import { planHeadroom } from '../../../src/audit/rules/plan-headroom.ts'
import { emptySurvey, surveyed } from '../survey-fixture.ts'
import { checked, daysAgo, rotating } from './checked.ts'

const keys = (count: number, type: KeyType): Key[] =>
  Array.from({ length: count }, (_, index) => surveyed({ id: `key_${type}${index}`, type }))

test.each<[Plan, KeyType, number]>([
  ['free', 'live', 2],
  ['free', 'test', 5],
  ['pro', 'live', 10],
  ['pro', 'test', 10],
  ['business', 'live', 50],
  ['business', 'test', 50],
])('on %s the last place of %s keys is the %dth', (plan, type, limit) => {
  expect(checked(planHeadroom, keys(limit - 1, type), { plan })).toEqual([])
  for (const count of [limit, limit + 1]) {
    expect(checked(planHeadroom, keys(count, type), { plan })).toMatchObject([
      {
        severity: 'error',
        key: undefined,
        message: `no ${type} key can be rotated: all ${limit} that the ${plan} plan allows are taken`,
        evidence: { plan, type, active: count, limit, successorsUnderWay: 0 },
        mend: undefined,
      },
    ])
  }
})

test('the key that was not used for longest is the one to revoke, unless the audit is made with it', () => {
  const idle = (id: string, days: number) =>
    surveyed({ id, name: id, lastUsedAt: daysAgo(days), access: 'admin' })
  const line = (ownKeyId: string, ...days: number[]) =>
    checked(
      planHeadroom,
      days.map((each, index) => idle(`key_${index}`, each)),
      { plan: 'free', ownKeyId },
    )[0]?.mend
  expect(line('key_9', 31, 45)).toEqual(['pictify-keys', 'revoke', 'key_1'])
  expect(line('key_1', 31, 45)).toEqual(['pictify-keys', 'revoke', 'key_0'])
  expect(line('key_1', 30, 45)).toBeUndefined()
  const never = [idle('key_a', 45), surveyed({ id: 'key_b', lastUsedAt: null, createdAt: daysAgo(60) })]
  expect(checked(planHeadroom, never, { plan: 'free', ownKeyId: 'key_9' })).toMatchObject([
    { evidence: { longestUnused: 'Production Server (key_b)' }, mend: ['pictify-keys', 'revoke', 'key_b'] },
  ])
})

test('revoked keys take no place, and an enterprise has as many as it likes', () => {
  const [revoked, ...active] = keys(2, 'live')
  expect(checked(planHeadroom, [{ ...revoked!, status: 'revoked' }, ...active], { plan: 'free' })).toEqual([])
  expect(checked(planHeadroom, keys(2_000, 'live'), { plan: 'enterprise' })).toEqual([])
})

test('a place that an open rotation takes comes free again', () => {
  const both = [surveyed(), surveyed({ id: 'key_new456' })]
  expect(checked(planHeadroom, both, { plan: 'free', ...rotating() })).toMatchObject([
    {
      severity: 'warning',
      evidence: { successorsUnderWay: 1 },
      mend: ['pictify-keys', 'rotations', '--open', '--account'],
    },
  ])
})

test('a plan that is not known is said, and not passed', () => {
  const survey = {
    ...emptySurvey,
    plan: undefined,
    rotations: { known: true as const, value: [] },
    keys: keys(60, 'live'),
  }
  const settings = { rules: {}, workingHours: undefined, accept: [] }
  const report = judge(survey, [planHeadroom], settings, (words) => words.join(' '))
  expect([report.findings, report.skipped]).toEqual([
    [],
    [{ rule: 'plan-headroom', source: null, why: 'the plan is not known: name it with --plan' }],
  ])
})
