import type { ReportedFinding } from '../../audit/report.ts'
import { csvRow } from '../csv.ts'
import { oneLine, toJson } from '../text.ts'
import { counted, type AuditSubject } from './subject.ts'

const columns = [
  'status',
  'severity',
  'rule',
  'keyId',
  'keyName',
  'keyType',
  'message',
  'evidence',
  'mend',
  'file',
  'line',
  'reason',
] as const
type Row = Partial<Record<(typeof columns)[number], string | number | null | undefined>>

/**
 * A row for each finding (`open`, `accepted`), each acceptance without one (`idle`), and each rule that was not held against
 * the account (`skipped`) or against some keys (`left-out`).
 */
export function auditCsv({ report }: AuditSubject): string {
  const rows: Row[] = [
    ...report.findings.map((finding) => ({ status: 'open', ...rowOf(finding) })),
    ...report.accepted.map((finding) => ({ status: 'accepted', ...rowOf(finding), reason: finding.reason })),
    ...report.idleAcceptances.map(({ rule, key, reason, why, place }) => ({
      status: 'idle',
      rule,
      keyName: key,
      message: why,
      reason,
      ...place,
    })),
    ...report.skipped.map(({ rule, why }) => ({ status: 'skipped', rule, reason: why })),
    ...report.leftOut.map(({ rule, keys, why }) => ({
      status: 'left-out',
      rule,
      message: counted(keys, 'key'),
      reason: why,
    })),
  ]
  const cell = (value: Row[keyof Row]) => (typeof value === 'string' ? oneLine(value) : value)
  return [csvRow(columns), ...rows.map((row) => csvRow(columns.map((name) => cell(row[name]))))].join('\n')
}

const ruleColumns = ['id', 'severity', 'summary', 'help'] as const

/** Every rule, as `audit rules` has them. */
export function rulesCsv(rules: AuditSubject['report']['rules']): string {
  return [csvRow(ruleColumns), ...rules.map((rule) => csvRow(ruleColumns.map((name) => rule[name])))].join(
    '\n',
  )
}

function rowOf({ severity, rule, key, message, evidence, mend, place }: ReportedFinding): Row {
  return {
    severity,
    rule,
    keyId: key?.id,
    keyName: key?.name,
    keyType: key?.type,
    message,
    evidence: toJson(evidence),
    mend,
    file: place?.file,
    line: place?.line,
  }
}
