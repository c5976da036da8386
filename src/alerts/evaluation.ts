// Rules of this file:
// - a rule looks at a survey and nothing else;
// - what is not known fires nothing, and is no evidence that something is over: a rule without its source is skipped, and
//   a key without its figures is unknown.
import type { Key } from '../api/contract.ts'
import type { KeyUsage, Known, Survey } from '../audit/survey.ts'
import type { AlertCondition, AlertRule, RuleSettings, UsageSpan, WorkingHours } from '../fleet/fleet.ts'
import { nearest } from '../nearest.ts'
import { agedVerdict } from './age-verdicts.ts'
import type { AlertLog } from './log-digest.ts'
import { countryVerdict, hoursVerdict, networkVerdict } from './place-verdicts.ts'
import { usageVerdict } from './usage-verdicts.ts'
import type { Judgement, Reach, Verdict } from './verdict.ts'

/** What rules look at. */
export type AlertSurvey = Omit<Survey, 'log'> & { log: Known<AlertLog> }

/** What of a survey a condition needs. */
export type AlertSource = 'usage' | 'log' | 'past'

export function sourcesOf({ kind }: AlertCondition): readonly AlertSource[] {
  switch (kind) {
    case 'requests':
    case 'error-rate':
    case 'p95':
    case 'spike':
      return ['usage']
    case 'new-country':
      return ['usage', 'past']
    case 'new-network':
    case 'outside-hours':
      return ['log']
    case 'too-old':
    case 'unused':
      return []
  }
}

/** Whether a rule is about a key, by its name. */
export type KeyMatch = (rule: AlertRule, name: string) => boolean

/** Holds every rule against every active key it is about. */
export function evaluate(survey: AlertSurvey, rules: readonly AlertRule[], isAbout: KeyMatch): Judgement[] {
  const active = survey.keys.filter(({ status }) => status === 'active')
  return rules.map((rule) => {
    const keys = active.filter(({ name }) => isAbout(rule, name))
    const reach = reachOf(rule, keys.length, active)
    const skipped = whySkipped(survey, rule)
    const judged = skipped === undefined ? keys : []
    const verdicts = new Map(judged.map((key) => [key.id, verdictOf(survey, rule, key)]))
    return { rule, reach, skipped, verdicts }
  })
}

function reachOf({ name: rule, keys }: AlertRule, count: number, active: readonly Key[]): Reach {
  if (keys === undefined || count > 0) return { rule, keys: keys ?? null, count, meant: null }
  const named = active.find(({ id }) => id === keys)?.name
  const [like] = nearest(
    keys.replaceAll('*', ''),
    active.map(({ name }) => name),
  )
  return { rule, keys, count, meant: named ?? like ?? null }
}

function whySkipped(survey: AlertSurvey, { condition }: AlertRule): string | undefined {
  for (const source of sourcesOf(condition)) {
    const known = survey[source]
    if (!known.known) return known.why
  }
  if (condition.kind !== 'outside-hours') return undefined
  return workingHoursOf(survey) === undefined
    ? 'there are no working hours in the file (audit: workingHours)'
    : undefined
}

function verdictOf(survey: AlertSurvey, { condition }: AlertRule, key: Key): Verdict {
  switch (condition.kind) {
    case 'too-old':
    case 'unused':
      return agedVerdict(condition, key, survey.at)
    case 'new-network':
      return networkVerdict(logOf(survey), key, settingsOf(survey, 'new-network'))
    case 'outside-hours':
      return hoursVerdict(logOf(survey), key, hoursOf(survey), settingsOf(survey, 'outside-hours'))
    case 'new-country':
      return withUsage(survey, key, (usage) =>
        countryVerdict(
          usage,
          survey.past.known ? survey.past.value : undefined,
          key,
          survey.recentSince,
          settingsOf(survey, 'new-country'),
        ),
      )
    case 'requests':
    case 'error-rate':
    case 'p95':
    case 'spike':
      return withUsage(survey, key, (usage) =>
        usageVerdict(condition, usage, key, settingsOf(survey, 'request-spike')),
      )
  }
}

const dayMs = 86_400_000
const none = { requests: 0, errors: 0, latencyMs: { p50: 0, p95: 0, p99: 0 } }

/** A key that was not used for a month has no figures, and did nothing; any other without them is unknown. */
function withUsage(survey: AlertSurvey, key: Key, judge: (usage: KeyUsage) => Verdict): Verdict {
  const usage = survey.usage.known ? survey.usage.value.get(key.id) : undefined
  if (usage !== undefined) return judge(usage)
  const { lastUsedAt } = key
  const isUsed = lastUsedAt !== null && Date.parse(lastUsedAt) > survey.at - 31 * dayMs
  if (isUsed) return { state: 'unknown', why: 'the API gave no figures for it' }
  const windows: Record<UsageSpan, typeof none> = { '24h': none, '7d': none, '30d': none }
  return judge({ updatedAt: survey.at, windows, days: undefined, countries: {} })
}

/** How an audit is told to judge: an alert about the same thing judges so, too. */
function settingsOf({ fleet }: AlertSurvey, rule: string): RuleSettings {
  return (fleet.known ? fleet.value.audit.rules[rule] : undefined) ?? {}
}

function workingHoursOf({ fleet }: AlertSurvey): WorkingHours | undefined {
  return fleet.known ? fleet.value.audit.workingHours : undefined
}

/** Only asked for where there are such. */
function hoursOf(survey: AlertSurvey): WorkingHours {
  const hours = workingHoursOf(survey)
  if (hours !== undefined) return hours
  throw new Error('a rule of working hours is held against a survey without them')
}

/** Only asked for where the log is known. */
function logOf({ log }: AlertSurvey): AlertLog {
  if (log.known) return log.value
  throw new Error('a rule of the log is held against a survey without one')
}
