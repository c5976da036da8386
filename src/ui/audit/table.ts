import type { ReportedFinding } from '../../audit/report.ts'
import type { Severity } from '../../fleet/fleet.ts'
import type { Output } from '../output.ts'
import { renderTable } from '../table.ts'
import { evidenceLine } from './evidence.ts'
import { aboutOf, counted, countSentence, severities, type AuditSubject } from './subject.ts'

type Space = Pick<Output, 'width' | 'paint'>

/** The report at a terminal: findings by severity and rule, each with its evidence and the command that mends it; then what was not looked at. */
export function auditTable({ report }: Pick<AuditSubject, 'report'>, space: Space): string {
  const { summary, findings } = report
  const rest = [
    ...(summary.accepted > 0 ? [`${summary.accepted} accepted`] : []),
    ...(summary.skipped > 0 ? [`${counted(summary.skipped, 'rule')} skipped`] : []),
  ]
  const total = `${[countSentence(summary), ...rest].join(', ')} (${counted(summary.keys.active, 'active key')})`
  const parts = severities.map((severity) =>
    severityLines(
      severity,
      findings.filter((finding) => finding.severity === severity),
      report,
      space,
    ),
  )
  return [...parts, skippedLines(report, space), [space.paint.bold(total)]]
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')
}

function severityLines(
  severity: Severity,
  findings: readonly ReportedFinding[],
  { rules }: AuditSubject['report'],
  { paint }: Space,
): string[] {
  const marks = { error: paint.red('error'), warning: paint.yellow('warning'), note: paint.cyan('note') }
  let last: string | undefined
  return findings.flatMap((finding) => {
    const summary = rules.find(({ id }) => id === finding.rule)?.summary
    const head =
      finding.rule === last
        ? []
        : [
            ...(last === undefined ? [] : ['']),
            `${marks[severity]} ${paint.bold(finding.rule)}${summary ? paint.dim(`: ${summary}`) : ''}`,
          ]
    last = finding.rule
    return [...head, ...findingLines(finding, { paint })]
  })
}

function findingLines(finding: ReportedFinding, { paint }: Pick<Space, 'paint'>): string[] {
  const evidence = evidenceLine(finding.evidence)
  return [
    `  ${aboutOf(finding)}: ${finding.message}`,
    ...(evidence === '' ? [] : [paint.dim(`    ${evidence}`)]),
    ...(finding.mend === null ? [] : [`    → ${finding.mend}`]),
  ]
}

function skippedLines({ skipped }: AuditSubject['report'], { width, paint }: Space): string[] {
  if (skipped.length === 0) return []
  const table = renderTable(
    [
      { head: 'SKIPPED', value: ({ rule }) => rule },
      { head: 'NEITHER PASSED NOR FAILED, FOR', value: ({ why }) => why, flexible: true },
    ],
    skipped,
    { width, paint },
  )
  return [table]
}
