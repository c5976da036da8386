import { hasFigures } from '../../ages.ts'
import type { Key } from '../../api/contract.ts'
import type { ReportedFinding } from '../../audit/report.ts'
import type { KeyUsage, Survey } from '../../audit/survey.ts'
import type { Severity } from '../../fleet/fleet.ts'
import { severities, type AuditSubject } from './subject.ts'

const dayMs = 86_400_000

/** An active key with all that a page says of it. */
export interface KeyRow {
  key: Key
  ageDays: number
  /** Undefined where the API gives no figures of it; a key that did nothing has zeros. */
  use: KeyUse | undefined
  /** Its findings, and the severest of them. */
  findings: readonly ReportedFinding[]
  worst: Severity | undefined
}

export interface KeyUse {
  requests: number
  errors: number
  /** Milliseconds; undefined where there was no request. */
  p95: number | undefined
  /** Of the last 30 days, the last one last; undefined where the API gives no days. */
  days: readonly { date: string; requests: number; errors: number }[] | undefined
}

/** Active keys, those with the severest findings first, then those used most. */
export function keyRows({ report, survey }: AuditSubject): KeyRow[] {
  const findings = new Map<string, ReportedFinding[]>()
  for (const finding of report.findings) {
    if (finding.key === null) continue
    const own = findings.get(finding.key.id)
    if (own === undefined) findings.set(finding.key.id, [finding])
    else own.push(finding)
  }
  const rows = survey.keys
    .filter(({ status }) => status === 'active')
    .map((key): KeyRow => {
      const own = findings.get(key.id) ?? []
      return {
        key,
        ageDays: Math.max(0, (survey.at - Date.parse(key.createdAt)) / dayMs),
        use: useOf(survey, key),
        findings: own,
        worst: severities.find((severity) => own.some((finding) => finding.severity === severity)),
      }
    })
  return rows.sort(
    (a, b) => rank(a) - rank(b) || (b.use?.requests ?? 0) - (a.use?.requests ?? 0) || b.ageDays - a.ageDays,
  )
}

function rank({ worst }: KeyRow): number {
  return worst === undefined ? severities.length : severities.indexOf(worst)
}

function useOf({ usage: usages, at }: Survey, key: Key): KeyUse | undefined {
  const usage = usages.known ? usages.value.get(key.id) : undefined
  if (usage === undefined) {
    if (!usages.known || hasFigures(key, at)) return undefined
    return { requests: 0, errors: 0, p95: undefined, days: undefined }
  }
  const { requests, errors, latencyMs } = usage.windows['30d']
  return { requests, errors, p95: requests === 0 ? undefined : latencyMs.p95, days: daysOf(usage, at) }
}

/** Thirty days that end today; what the API has no count for is none. */
function daysOf({ days }: KeyUsage, at: number): KeyUse['days'] {
  if (days === undefined) return undefined
  const counts = new Map(
    days.requests.map((requests, index) => {
      const before = days.requests.length - 1 - index
      const date = dateOf(Date.parse(`${days.lastDay}T00:00:00Z`) - before * dayMs)
      return [date, { requests, errors: days.errors[index] ?? 0 }] as const
    }),
  )
  return Array.from({ length: 30 }, (_, index) => {
    const date = dateOf(at - (29 - index) * dayMs)
    return { date, ...(counts.get(date) ?? { requests: 0, errors: 0 }) }
  })
}

function dateOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10)
}
