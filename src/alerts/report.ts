import type { Survey } from '../audit/survey.ts'
import type { AlertCondition, NotifierSettings } from '../fleet/fleet.ts'
import type { AlertIncident } from './incident.ts'
import type { Delivery } from './delivery.ts'
import type { Judgement } from './verdict.ts'

/** What a check found and who was told. Instants are ISO 8601. */
export interface AlertsReport {
  /** When the account was looked at, by the API's clock. */
  at: string
  apiUrl: string
  summary: {
    rules: number
    skipped: number
    /** Of how many keys a rule that was not skipped could tell nothing, all rules together. */
    unknown: number
    /** Incidents that fire now, whether or not this check was the first to see them. */
    firing: number
    pending: number
    fired: number
    recovered: number
    /** Of how many incidents every notifier that is to be told was tried, and none was told how they are now. */
    untold: number
  }
  rules: readonly RuleReport[]
  /** Firing first, then those that recovered in this check, then pending ones. */
  incidents: readonly IncidentReport[]
  /** The notifiers of the file, and what this check sent them. */
  notifiers: readonly NotifierReport[]
}

export interface RuleReport {
  rule: string
  condition: AlertCondition['kind']
  /** Null where it was held against the keys; else why not: then it is neither quiet nor firing. */
  skipped: string | null
  /** How many active keys it is about, and of how many of them nothing could be told, with why. */
  keys: number
  unknown: number
  whyUnknown: readonly string[]
  firing: number
}

export interface IncidentReport extends Omit<AlertIncident, 'deliveries'> {
  /** Whether this check was the first to see it fire. */
  isNew: boolean
  untold: readonly string[]
}

export type Sent = Pick<Delivery, 'notifier' | 'about' | 'messageId' | 'sentAt' | 'problem'>

export interface NotifierReport {
  name: string
  kind: NotifierSettings['kind']
  sent: number
  failed: number
  /** Why the last attempt failed, or who of several did not get it. */
  problem: string | null
}

interface Given {
  survey: Pick<Survey, 'at' | 'apiUrl'>
  judgements: readonly Judgement[]
  before: readonly AlertIncident[]
  /** As the check left them, with those that are over. */
  after: readonly AlertIncident[]
  /** Those that are kept, with their deliveries. */
  incidents: readonly AlertIncident[]
  notifiers: readonly NotifierSettings[]
  sent: readonly Sent[]
}

export function reportOf({
  survey,
  judgements,
  before,
  after,
  incidents,
  notifiers,
  sent,
}: Given): AlertsReport {
  const at = new Date(survey.at).toISOString()
  const rules = judgements.map((judgement) => ruleReport(judgement, after))
  const known = new Map(before.map((each) => [each.id, each.state]))
  const kept = new Map(incidents.map((each) => [each.id, each]))
  const reported = after
    .filter(({ id, state }) => state !== 'recovered' || known.get(id) !== 'recovered')
    .map((incident) => incidentReport(kept.get(incident.id) ?? incident, known.get(incident.id) !== 'firing'))
    .sort((a, b) => order.indexOf(a.state) - order.indexOf(b.state) || a.since.localeCompare(b.since))
  const count = (state: AlertIncident['state']) => reported.filter((each) => each.state === state).length
  return {
    at,
    apiUrl: survey.apiUrl,
    summary: {
      rules: rules.length,
      skipped: rules.filter(({ skipped }) => skipped !== null).length,
      unknown: rules.reduce((sum, { unknown }) => sum + unknown, 0),
      firing: count('firing'),
      pending: count('pending'),
      fired: reported.filter(({ state, isNew }) => state === 'firing' && isNew).length,
      recovered: count('recovered'),
      untold: incidents.filter(isUntold).length,
    },
    rules,
    incidents: reported,
    notifiers: notifiers.map(({ name, kind }) => notifierReport(name, kind, sent)),
  }
}

function isUntold({ state, deliveries }: AlertIncident): boolean {
  const own = deliveries.filter(({ about }) => about === state)
  return own.length > 0 && own.every(({ attempts, sentAt }) => attempts > 0 && sentAt === null)
}

const order: readonly AlertIncident['state'][] = ['firing', 'recovered', 'pending']

function ruleReport(
  { rule, reach, skipped, verdicts }: Judgement,
  after: readonly AlertIncident[],
): RuleReport {
  const unknown = [...verdicts.values()].flatMap((each) => (each.state === 'unknown' ? each.why : []))
  const firing = after.filter((each) => each.rule === rule.name && each.state === 'firing').length
  return {
    rule: rule.name,
    condition: rule.condition.kind,
    skipped: skipped ?? null,
    keys: reach.count,
    unknown: unknown.length,
    whyUnknown: [...new Set(unknown)],
    firing,
  }
}

export function incidentReport({ deliveries, ...incident }: AlertIncident, isNew: boolean): IncidentReport {
  const untold = deliveries.filter(({ sentAt }) => sentAt === null).map(({ notifier }) => notifier)
  return { ...incident, isNew: isNew && incident.state === 'firing', untold: [...new Set(untold)] }
}

function notifierReport(name: string, kind: NotifierSettings['kind'], sent: readonly Sent[]): NotifierReport {
  const own = sent.filter(({ notifier }) => notifier === name)
  const failed = own.filter(({ sentAt }) => sentAt === null).length
  const problem = own.findLast((each) => each.problem !== null)?.problem ?? null
  return { name, kind, sent: own.length - failed, failed, problem }
}
