import { expect, test } from 'vitest'
import { idleAcceptances } from '../../src/audit/acceptances.ts'
import type { Acceptance } from '../../src/fleet/fleet.ts'
import { emptySurvey, surveyed } from './survey-fixture.ts'

const survey = { ...emptySurvey, keys: [surveyed({ id: 'key_abc123', name: 'Production Server' })] }
const acceptance = (fields: Partial<Acceptance>): Acceptance => ({
  line: 3,
  rule: 'old',
  key: undefined,
  reason: 'meant',
  until: undefined,
  ...fields,
})
const found = [{ rule: 'old', key: { id: 'key_abc123', name: 'Production Server', type: 'live' as const } }]
const inForce = [{ id: 'old' }, { id: 'young' }, { id: 'skipped' }]
const skipped = [{ rule: 'skipped', source: null, why: 'x' }]
const whyOf = (fields: Partial<Acceptance>) =>
  idleAcceptances({ accept: [acceptance(fields)], found }, { inForce, skipped }, survey)[0]?.why

test.each<[string, Partial<Acceptance>, string | undefined]>([
  ['that sets something aside', {}, undefined],
  ['of a key that has it, by name', { key: 'Production Server' }, undefined],
  ['whose day is today', { until: survey.at + 1 }, undefined],
  [
    'whose day is past',
    { until: survey.at },
    `ended on ${new Date(survey.at - 1).toISOString().slice(0, 10)}`,
  ],
  ['whose rule finds nothing', { rule: 'young' }, 'matches nothing'],
  ['whose rule finds nothing of its key', { rule: 'young', key: 'key_abc123' }, 'matches nothing'],
  [
    'of a key that is mistyped',
    { key: 'Prodution Server' },
    'matches nothing: the account has no such key; did you mean Production Server?',
  ],
  ['of a key that is gone', { key: 'zzzzzzzzzz' }, 'matches nothing: the account has no such key'],
  ['whose rule was skipped', { rule: 'skipped' }, undefined],
  [
    'whose rule was skipped, of a key that is gone',
    { rule: 'skipped', key: 'zzzzzzzzzz' },
    'matches nothing: the account has no such key',
  ],
  ['whose rule was not asked for', { rule: 'other', key: 'nobody' }, undefined],
])('an acceptance %s', (_, fields, why) => {
  expect(whyOf(fields)).toBe(why)
})

test('it has the line of the file, where there is one', () => {
  const of = (own: typeof survey) =>
    idleAcceptances({ accept: [acceptance({ rule: 'young' })], found: [] }, { inForce, skipped }, own)[0]
      ?.place
  expect(of(survey)).toBeNull()
  const fleet = { file: 'ops/pictify-keys.yaml' } as Extract<typeof survey.fleet, { known: true }>['value']
  expect(of({ ...survey, fleet: { known: true, value: fleet } })).toEqual({
    file: 'ops/pictify-keys.yaml',
    line: 3,
  })
})
