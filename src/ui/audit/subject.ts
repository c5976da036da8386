import type { AuditReport, ReportedFinding } from '../../audit/report.ts'
import type { Survey } from '../../audit/survey.ts'
import type { Severity } from '../../fleet/fleet.ts'
import type { Receipt } from '../../rotation/state.ts'

/** What the formats of an audit draw. */
export interface AuditSubject {
  report: AuditReport
  /** What the report was made of. */
  survey: Survey
  /** Of this machine's rotations, newest first. */
  receipts: readonly Receipt[]
  /** Of this program. */
  version: string
  /** The working directory, which the places of findings start from, and the repository's root; absolute. */
  cwd: string
  root: string
}

/** Severest first. */
export const severities: readonly Severity[] = ['error', 'warning', 'note']

const nouns: Readonly<Record<Severity, string>> = { error: 'error', warning: 'warning', note: 'note' }

/** `1 error`, `12,000 notes`. */
export function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`
}

/** `3 errors, 2 warnings`; what there is none of is not said. */
export function countSentence({ findings }: AuditReport['summary']): string {
  const some = severities.filter((severity) => findings[severity] > 0)
  return some.length === 0
    ? 'nothing found'
    : some.map((severity) => counted(findings[severity], nouns[severity])).join(', ')
}

/** `nothing found, 2 accepted, 1 rule skipped (20 active keys)` */
export function totalSentence(summary: AuditReport['summary']): string {
  const { accepted, skipped, keys } = summary
  const parts = [
    countSentence(summary),
    ...(accepted > 0 ? [`${accepted.toLocaleString('en')} accepted`] : []),
    ...(skipped > 0 ? [`${counted(skipped, 'rule')} skipped`] : []),
  ]
  return `${parts.join(', ')} (${counted(keys.active, 'active key')})`
}

/** An acceptance as the file has it. */
export function acceptanceOf({ rule, key, place }: AuditReport['idleAcceptances'][number]): string {
  const what = key === null ? rule : `${rule} of ${key}`
  return place === null ? what : `${place.file}:${place.line}, ${what}`
}

/** What a finding is about, for people: a key, a line of a file, or the account. */
export function aboutOf({ key, place }: ReportedFinding): string {
  if (place !== null) {
    const where = `${place.file}:${place.line}`
    return key === null ? where : `${key.name} (${key.id}), ${where}`
  }
  return key === null ? 'the account' : `${key.name} (${key.id})`
}
