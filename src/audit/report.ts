import type { Acceptance, AuditSettings, Severity } from '../fleet/fleet.ts'
import type { Finding } from './finding.ts'
import type { Rule } from './rule.ts'
import type { Survey } from './survey.ts'

/** What an audit says, without how it looks. Instants are ISO 8601. */
export interface AuditReport {
  at: string
  apiUrl: string
  summary: {
    keys: { active: number; revoked: number }
    findings: Readonly<Record<Severity, number>>
    accepted: number
    skipped: number
  }
  /** Severest first, then by rule and key. */
  findings: readonly Finding[]
  /** Known and meant, as `pictify-keys.yaml` says. */
  accepted: readonly (Finding & { reason: string })[]
  /** Rules that could not be held against the account: they neither passed nor failed. */
  skipped: readonly SkippedRule[]
  /** Every rule that was in force, whether or not it found something. */
  rules: readonly Pick<Rule, 'id' | 'severity' | 'summary' | 'help'>[]
}

export interface SkippedRule {
  rule: string
  why: string
}

const severities: readonly Severity[] = ['error', 'warning', 'note']

/** Holds a survey against rules. */
export function judge(survey: Survey, rules: readonly Rule[], settings: AuditSettings): AuditReport {
  const inForce = rules.filter(({ id }) => settings.rules[id]?.severity !== 'off')
  const found: Finding[] = []
  const skipped: SkippedRule[] = []
  for (const rule of inForce) {
    const why = missing(survey, rule)
    if (why !== undefined) {
      skipped.push({ rule: rule.id, why })
      continue
    }
    const own = settings.rules[rule.id] ?? {}
    for (const finding of rule.check(survey, own)) {
      found.push({ ...finding, severity: atMost(finding.severity, own.severity) })
    }
  }
  const accepted: (Finding & { reason: string })[] = []
  const findings: Finding[] = []
  for (const finding of found) {
    const acceptance = settings.accept.find((each) => covers(each, finding, survey.at))
    if (acceptance === undefined) findings.push(finding)
    else accepted.push({ ...finding, reason: acceptance.reason })
  }
  findings.sort(bySeverity)
  const count = (severity: Severity) => findings.filter((finding) => finding.severity === severity).length
  const active = survey.keys.filter(({ status }) => status === 'active').length
  return {
    at: new Date(survey.at).toISOString(),
    apiUrl: survey.apiUrl,
    summary: {
      keys: { active, revoked: survey.keys.length - active },
      findings: { error: count('error'), warning: count('warning'), note: count('note') },
      accepted: accepted.length,
      skipped: skipped.length,
    },
    findings,
    accepted,
    skipped,
    rules: inForce.map(({ id, severity, summary, help }) => ({ id, severity, summary, help })),
  }
}

/** Why a rule cannot be held against the account; undefined where it can. */
function missing(survey: Survey, { needs }: Rule): string | undefined {
  for (const need of needs) {
    const source = survey[need]
    if (!source.known) return source.why
  }
  return undefined
}

/** What a rule finds is as severe as the file says at most: a rule that also warns of less goes on doing so. */
function atMost(own: Severity, most: Severity | 'off' | undefined): Severity {
  if (most === undefined || most === 'off') return own
  return severities.indexOf(own) > severities.indexOf(most) ? own : most
}

function covers({ rule, key, until }: Acceptance, finding: Finding, at: number): boolean {
  if (rule !== finding.rule || (until !== undefined && until <= at)) return false
  return key === undefined || key === finding.key?.id || key === finding.key?.name
}

function bySeverity(a: Finding, b: Finding): number {
  return (
    severities.indexOf(a.severity) - severities.indexOf(b.severity) ||
    compare(a.rule, b.rule) ||
    compare(a.key?.name ?? '', b.key?.name ?? '') ||
    compare(a.key?.id ?? '', b.key?.id ?? '')
  )
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}
