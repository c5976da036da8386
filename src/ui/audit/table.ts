import type { CheckedItem } from '../../audit/checklist.ts'
import type { ReportedFinding } from '../../audit/report.ts'
import type { Severity } from '../../fleet/fleet.ts'
import type { Output } from '../output.ts'
import { checkedNote, checkedState } from './checklist-words.ts'
import { evidenceLine } from './evidence.ts'
import { aboutOf, acceptanceOf, counted, severities, totalSentence, type AuditSubject } from './subject.ts'

type Space = Pick<Output, 'paint'>

/** The report at a terminal: findings by severity and rule, each with its evidence and the command that mends it; then what was not looked at. */
export function auditTable({ report }: Pick<AuditSubject, 'report'>, space: Space): string {
  const { summary, findings } = report
  const parts = severities.map((severity) =>
    severityLines(
      severity,
      findings.filter((finding) => finding.severity === severity),
      report,
      space,
    ),
  )
  return [
    ...parts,
    acceptedLines(report, space),
    skippedLines(report, space),
    leftOutLines(report, space),
    checklistLines(report, space),
    [space.paint.bold(totalSentence(summary))],
  ]
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

function findingLines(finding: ReportedFinding, { paint }: Space): string[] {
  const evidence = evidenceLine(finding.evidence)
  return [
    `  ${aboutOf(finding)}: ${finding.message}`,
    ...(evidence === '' ? [] : [paint.dim(`    ${evidence}`)]),
    ...(finding.mend === null ? [] : [`    → ${finding.mend}`]),
  ]
}

function acceptedLines({ accepted, idleAcceptances }: AuditSubject['report'], { paint }: Space): string[] {
  if (accepted.length + idleAcceptances.length === 0) return []
  return [
    `${paint.green('accepted')}: ${paint.dim('known and meant, as the keys file says')}`,
    ...accepted.flatMap((finding) => [
      `  ${paint.bold(finding.rule)}, ${aboutOf(finding)}: ${finding.message}`,
      paint.dim(`    ${finding.reason}`),
    ]),
    ...idleAcceptances.map((each) => `  ${acceptanceOf(each)}: ${paint.yellow(each.why)}`),
  ]
}

function skippedLines({ skipped }: AuditSubject['report'], { paint }: Space): string[] {
  if (skipped.length === 0) return []
  const lines = skipped.map(({ rule, why }) => `  ${paint.bold(rule)}: ${why}`)
  return [`${paint.yellow('skipped')}: ${paint.dim('neither passed nor failed')}`, ...lines]
}

function leftOutLines({ leftOut }: AuditSubject['report'], { paint }: Space): string[] {
  if (leftOut.length === 0) return []
  const lines = leftOut.map(({ rule, keys, why }) => `  ${paint.bold(rule)}: ${counted(keys, 'key')}, ${why}`)
  return [`${paint.yellow('left out')}: ${paint.dim('keys of which nothing is known')}`, ...lines]
}

function checklistLines({ checklist }: AuditSubject['report'], { paint }: Space): string[] {
  if (checklist.length === 0) return []
  const looks = {
    'in-order': paint.green('✓'),
    findings: paint.red('✗'),
    unknown: paint.yellow('?'),
    'not-checkable': paint.dim('-'),
  } satisfies Record<CheckedItem['state'], string>
  return [
    paint.bold('security checklist'),
    ...checklist.flatMap((item) => {
      const note = checkedNote(item)
      return [
        `  ${looks[item.state]} ${item.item}: ${checkedState(item)}`,
        ...(note === '' ? [] : [paint.dim(`    ${note}`)]),
      ]
    }),
  ]
}
