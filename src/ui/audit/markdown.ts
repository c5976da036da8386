import type { ReportedFinding } from '../../audit/report.ts'
import type { Severity } from '../../fleet/fleet.ts'
import { markdownCodeCell, markdownText } from '../markdown.ts'
import { checkedNote, checkedState } from './checklist-words.ts'
import { evidenceLine, shortInstant } from './evidence.ts'
import { aboutOf, acceptanceOf, counted, countSentence, severities, type AuditSubject } from './subject.ts'

const headings: Readonly<Record<Severity, string>> = { error: 'Errors', warning: 'Warnings', note: 'Notes' }

/** The report for a pull request or a wiki. */
export function auditMarkdown({ report }: Pick<AuditSubject, 'report'>): string {
  const { summary, at, apiUrl } = report
  const parts = [
    `## Audit of the API keys: ${countSentence(summary)}`,
    `${counted(summary.keys.active, 'active key')} and ${summary.keys.revoked.toLocaleString('en')} revoked at ${markdownText(apiUrl)}, looked at ${shortInstant(at)}.`,
    ...severities.flatMap((severity) => findingsOf(severity, report)),
    ...acceptedOf(report),
    ...skippedOf(report),
    ...checklistOf(report),
  ]
  return `${parts.join('\n\n')}\n`
}

function findingsOf(severity: Severity, { findings }: AuditSubject['report']): string[] {
  const found = findings.filter((finding) => finding.severity === severity)
  if (found.length === 0) return []
  const rows = found.map((finding) => [
    markdownCodeCell(finding.rule),
    ...whatOf(finding),
    markdownCodeCell(finding.mend ?? ''),
  ])
  return [
    `### ${headings[severity]}`,
    table(['Rule', 'What about', 'What', 'Evidence', 'What mends it'], rows),
  ]
}

function acceptedOf({ accepted, idleAcceptances }: AuditSubject['report']): string[] {
  const rows = accepted.map((finding) => [
    markdownCodeCell(finding.rule),
    ...whatOf(finding),
    markdownText(finding.reason),
  ])
  const idle = idleAcceptances.map((each) =>
    [acceptanceOf(each), each.why, each.reason].map((text) => markdownText(text)),
  )
  return [
    ...section('Known and accepted', ['Rule', 'What about', 'What', 'Evidence', 'Why'], rows),
    ...section('Accepted, and not found', ['Acceptance', 'What of it', 'Why it was accepted'], idle),
  ]
}

function skippedOf({ skipped, leftOut }: AuditSubject['report']): string[] {
  const rows = skipped.map(({ rule, why }) => [markdownCodeCell(rule), markdownText(why)])
  const without = leftOut.map(({ rule, keys, why }) => [
    markdownCodeCell(rule),
    counted(keys, 'key'),
    markdownText(why),
  ])
  return [
    ...section('Skipped: neither passed nor failed', ['Rule', 'Why'], rows),
    ...section('Left out: keys of which nothing is known', ['Rule', 'Keys', 'Why'], without),
  ]
}

function checklistOf({ checklist }: AuditSubject['report']): string[] {
  if (checklist.length === 0) return []
  const rows = checklist.map((item) => [item.item, checkedState(item), checkedNote(item)].map(markdownText))
  return ['### Security checklist', table(['Item', 'State', 'What of it is not seen'], rows)]
}

function whatOf(finding: ReportedFinding): string[] {
  return [aboutOf(finding), finding.message, evidenceLine(finding.evidence)].map(markdownText)
}

/** Every rule, as `audit rules` has them. */
export function rulesMarkdown(rules: AuditSubject['report']['rules']): string {
  const rows = rules.map(({ id, severity, summary, help }) => [
    markdownCodeCell(id),
    ...[severity, summary, help].map(markdownText),
  ])
  return `${table(['Rule', 'Severity', 'What is wrong', 'Why, and how it is told'], rows)}\n`
}

function section(heading: string, heads: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return rows.length === 0 ? [] : [`### ${heading}`, table(heads, rows)]
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n')
}
