import type { KeyType } from '../api/contract.ts'
import type { AuditSettings, RuleSettings, Severity } from '../fleet/fleet.ts'
import { covers, idleAcceptances, type IdleAcceptance } from './acceptances.ts'
import { holdChecklist, type CheckedItem } from './checklist.ts'
import type { Finding } from './finding.ts'
import type { Rule, Source } from './rule.ts'
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
  findings: readonly ReportedFinding[]
  /** Known and meant, as `pictify-keys.yaml` says. */
  accepted: readonly (ReportedFinding & { reason: string })[]
  /** What is accepted and was not found: it is over, or mistyped, or can go. */
  idleAcceptances: readonly IdleAcceptance[]
  /** Rules that could not be held against the account: they neither passed nor failed. */
  skipped: readonly SkippedRule[]
  /** Keys that a rule could say nothing of: of these it neither passed nor failed. */
  leftOut: readonly LeftOut[]
  /** Every rule that was in force, whether or not it found something. */
  rules: readonly Pick<Rule, 'id' | 'severity' | 'summary' | 'help'>[]
  /** The API's own security checklist, and how it stands with each item; empty where only some rules were asked for. */
  checklist: readonly CheckedItem[]
}

/** A finding as it is printed: its command line can be pasted. */
export interface ReportedFinding extends Omit<Finding, 'key' | 'mend' | 'mendFirst' | 'place'> {
  /** Null where it is about the account, the file or the working tree. */
  key: { id: string; name: string; type: KeyType } | null
  mend: string | null
  place: { file: string; line: number } | null
}

export interface SkippedRule {
  rule: string
  /** The source that is not to be had; null where the rule itself has nothing to go by. */
  source: Source | null
  why: string
}

export interface LeftOut {
  rule: string
  /** How many. */
  keys: number
  why: string
}

const severities: readonly Severity[] = ['error', 'warning', 'note']

/** Rules that the file does not turn off. */
export function rulesInForce(rules: readonly Rule[], settings: AuditSettings): Rule[] {
  return rules.filter(({ id }) => settings.rules[id]?.severity !== 'off')
}

/** Holds a survey against rules; `lineOf` makes a command line of its words. */
export function judge(
  survey: Survey,
  rules: readonly Rule[],
  settings: AuditSettings,
  lineOf: (words: readonly string[]) => string,
): AuditReport {
  const inForce = rulesInForce(rules, settings)
  const found: ReportedFinding[] = []
  const skipped: SkippedRule[] = []
  const leftOut: LeftOut[] = []
  for (const rule of inForce) {
    const own = settings.rules[rule.id] ?? {}
    const skip = skipOf(survey, rule, own)
    if (skip !== undefined) {
      skipped.push(skip)
      continue
    }
    for (const { keys, why } of rule.leftOut?.(survey, own) ?? []) {
      if (keys > 0) leftOut.push({ rule: rule.id, keys, why })
    }
    for (const finding of rule.check(survey, own)) {
      found.push(reported(withoutFlags(finding, survey), rule, own, lineOf))
    }
  }
  const accepted: (ReportedFinding & { reason: string })[] = []
  const findings: ReportedFinding[] = []
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
    idleAcceptances: idleAcceptances({ accept: settings.accept, found }, { inForce, skipped }, survey),
    skipped,
    leftOut,
    rules: inForce.map(({ id, severity, summary, help }) => ({ id, severity, summary, help })),
    checklist: holdChecklist(survey, findings, notHeldOf(survey, inForce, skipped, leftOut)),
  }
}

/** The rules that said nothing of any key. */
function notHeldOf(
  survey: Survey,
  inForce: readonly Rule[],
  skipped: readonly SkippedRule[],
  leftOut: readonly LeftOut[],
): (id: string) => boolean {
  const active = survey.keys.filter(({ status }) => status === 'active').length
  return (id) => {
    const without = leftOut.filter(({ rule }) => rule === id).reduce((sum, { keys }) => sum + keys, 0)
    const isHeld = inForce.some((rule) => rule.id === id) && !skipped.some(({ rule }) => rule === id)
    return !isHeld || (without > 0 && without >= active)
  }
}

/** A line in which the id of a key would be read as a flag does not do what was meant. */
function withoutFlags(finding: Finding, { keys }: Survey): Finding {
  const isFlag = (word: string) => word.startsWith('-') && keys.some(({ id }) => id === word)
  return finding.mend?.some(isFlag) ? { ...finding, mend: undefined } : finding
}

function reported(
  { rule: id, severity, key, message, evidence, mendFirst, mend, place }: Finding,
  rule: Rule,
  settings: RuleSettings,
  lineOf: (words: readonly string[]) => string,
): ReportedFinding {
  return {
    rule: id,
    severity: inOrderOf(severity, rule.severity, settings.severity),
    key: key === undefined ? null : { id: key.id, name: key.name, type: key.type },
    message,
    evidence,
    mend: mend === undefined ? null : [...(mendFirst ? [mendFirst] : []), mend].map(lineOf).join(' && '),
    place: place ?? null,
  }
}

/** Why a rule cannot be held against the account; undefined where it can. */
function skipOf(survey: Survey, rule: Rule, settings: RuleSettings): SkippedRule | undefined {
  for (const source of rule.needs) {
    const known = survey[source]
    if (!known.known) return { rule: rule.id, source, why: known.why }
  }
  const why = rule.skip?.(survey, settings)
  return why === undefined ? undefined : { rule: rule.id, source: null, why }
}

/** The severest that a rule finds becomes what the file says; what is less stays so, unless the file says even less. */
function inOrderOf(found: Severity, severest: Severity, set: Severity | 'off' | undefined): Severity {
  if (set === undefined || set === 'off') return found
  if (found === severest) return set
  return severities.indexOf(found) > severities.indexOf(set) ? found : set
}

function bySeverity(a: ReportedFinding, b: ReportedFinding): number {
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
