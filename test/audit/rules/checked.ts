import type { Key } from '../../../src/api/contract.ts'
import type { Finding } from '../../../src/audit/finding.ts'
import type { Rule } from '../../../src/audit/rule.ts'
import type { OpenRotation, Survey } from '../../../src/audit/survey.ts'
import type { RuleSettings } from '../../../src/fleet/fleet.ts'
import { emptySurvey, surveyedAt } from '../survey-fixture.ts'

const dayMs = 86_400_000

/** What a rule finds in an account of these keys, which no rotation is open in unless `more` says so. */
export function checked(
  rule: Rule,
  keys: readonly Key[],
  more: Partial<Survey> = {},
  settings: RuleSettings = {},
): Finding[] {
  const rotations = { known: true, value: [] } as const
  return [...rule.check({ ...emptySurvey, rotations, keys, ...more }, settings)]
}

/** The instant so many days before the survey, and `ms` earlier still. */
export function daysAgo(days: number, ms = 0): string {
  return new Date(surveyedAt - days * dayMs - ms).toISOString()
}

/** Of key_abc123, minted a moment ago by this machine. */
export function rotating(fields: Partial<OpenRotation> = {}): Pick<Survey, 'rotations'> {
  const rotation = {
    id: '7f3a9c',
    oldKeyId: 'key_abc123',
    replaces: (wanted: string) => ['key_abc123', 'Production Server'].includes(wanted),
    newKeyId: 'key_new456',
    startedAt: surveyedAt - 60_000,
    leaseUntil: surveyedAt + 60_000,
    here: true,
    ...fields,
  }
  return { rotations: { known: true, value: [rotation] } }
}
