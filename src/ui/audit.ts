import type { AuditReport, ReportedFinding } from '../audit/report.ts'
import type { Rule } from '../audit/rule.ts'
import type { Severity } from '../fleet/fleet.ts'
import type { Output } from './output.ts'
import { renderTable } from './table.ts'

/** The report for people: findings with the command that mends each, then what was not looked at. */
export function auditText(report: AuditReport, { width, paint }: Pick<Output, 'width' | 'paint'>): string {
  const { summary, findings, skipped } = report
  const marks = {
    error: paint.red('error'),
    warning: paint.yellow('warning'),
    note: paint.dim('note'),
  } satisfies Record<Severity, string>
  const lines = findings.flatMap((finding) => [
    `${marks[finding.severity]}  ${paint.dim(finding.rule)}  ${subject(finding)}${finding.message}`,
    ...(finding.mend === null ? [] : [`  → ${finding.mend}`]),
  ])
  const { error, warning, note } = summary.findings
  const counts = `${error} errors, ${warning} warnings, ${note} notes`
  const left = [
    ...(summary.accepted > 0 ? [`${summary.accepted} accepted`] : []),
    ...(summary.skipped > 0 ? [`${summary.skipped} rules skipped`] : []),
  ]
  const table = renderTable(
    [
      { head: 'SKIPPED', value: ({ rule }) => rule },
      { head: 'WHY', value: ({ why }) => why, flexible: true },
    ],
    skipped,
    { width, paint },
  )
  return [...lines, ...(lines.length > 0 ? [''] : []), [counts, ...left].join(', ')]
    .concat(skipped.length > 0 ? ['', table] : [])
    .join('\n')
}

function subject({ key, place }: ReportedFinding): string {
  if (key !== null) return `${key.name} (${key.id}): `
  return place === null ? '' : `${place.file}:${place.line}: `
}

/** Every rule there is, for people. */
export function rulesText(
  rules: readonly Pick<Rule, 'id' | 'severity' | 'summary' | 'help'>[],
  { paint }: Pick<Output, 'paint'>,
): string {
  return rules
    .map(({ id, severity, summary, help }) =>
      [`${paint.bold(id)} (${severity})`, `  ${summary}`, `  ${help}`].join('\n'),
    )
    .join('\n\n')
}
