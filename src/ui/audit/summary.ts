import type { AuditReport } from '../../audit/report.ts'
import type { Summary } from '../output.ts'
import { aboutOf, acceptanceOf, counted, countSentence } from './subject.ts'

/** What the page of a CI's job has room for. */
const mostFindings = 25

/** What a CI hands to later steps. */
export function auditOutputs({ summary }: AuditReport): Record<string, string> {
  const { findings, skipped } = summary
  return {
    audit_errors: String(findings.error),
    audit_warnings: String(findings.warning),
    audit_notes: String(findings.note),
    audit_skipped: String(skipped),
  }
}

/** An audit as the page of a CI's job shows it. */
export function auditSummary(report: AuditReport): Summary {
  const { summary, findings, idleAcceptances, skipped } = report
  const left = findings.length - mostFindings
  return {
    id: 'audit',
    title: `Audit of the API keys: ${countSentence(summary)}`,
    rows: [
      ['Active keys', summary.keys.active.toLocaleString('en')],
      ...findings
        .slice(0, mostFindings)
        .map(
          (finding) =>
            [`${finding.severity}: ${finding.rule}`, `${aboutOf(finding)}: ${finding.message}`] as const,
        ),
      ...(left > 0 ? [['', `${counted(left, 'more finding')}`] as const] : []),
      ...(summary.accepted > 0 ? [['Accepted', String(summary.accepted)] as const] : []),
      ...idleAcceptances.map((each) => [acceptanceOf(each), each.why] as const),
      ...skipped.map(({ rule, why }) => [`skipped: ${rule}`, why] as const),
    ],
  }
}
