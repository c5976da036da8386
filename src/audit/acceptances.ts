import type { Acceptance } from '../fleet/fleet.ts'
import { nearest } from '../nearest.ts'
import type { ReportedFinding, SkippedRule } from './report.ts'
import type { Survey } from './survey.ts'

/** What the file accepts, and this audit did not find. */
export interface IdleAcceptance {
  rule: string
  /** Id or name, as the file has it; null where every key is meant. */
  key: string | null
  reason: string
  /** Lower case, no full stop. */
  why: string
  place: { file: string; line: number } | null
}

type Finding = Pick<ReportedFinding, 'rule' | 'key'>

/** Whether a finding is one that is known and meant. */
export function covers({ rule, key, until }: Acceptance, finding: Finding, at: number): boolean {
  if (rule !== finding.rule || isOver(until, at)) return false
  return key === undefined || key === finding.key?.id || key === finding.key?.name
}

function isOver(until: number | undefined, at: number): until is number {
  return until !== undefined && until <= at
}

/** Acceptances that set nothing aside; of a rule that is not in force nothing can be said. */
export function idleAcceptances(
  { accept, found }: { accept: readonly Acceptance[]; found: readonly Finding[] },
  { inForce, skipped }: { inForce: readonly { id: string }[]; skipped: readonly SkippedRule[] },
  { at, keys, fleet }: Survey,
): IdleAcceptance[] {
  const whyOf = (acceptance: Acceptance): string | undefined => {
    const { rule, key, until } = acceptance
    if (!inForce.some(({ id }) => id === rule)) return undefined
    if (isOver(until, at)) return `ended on ${new Date(until - 1).toISOString().slice(0, 10)}`
    if (found.some((finding) => covers(acceptance, finding, at))) return undefined
    if (key !== undefined && !keys.some(({ id, name }) => id === key || name === key)) {
      const [meant] = nearest(key, names(keys))
      return `matches nothing: the account has no such key${meant === undefined ? '' : `; did you mean ${meant}?`}`
    }
    return skipped.some((each) => each.rule === rule) ? undefined : 'matches nothing'
  }
  return accept.flatMap((acceptance) => {
    const why = whyOf(acceptance)
    if (why === undefined) return []
    const { rule, key = null, reason, line } = acceptance
    return [{ rule, key, reason, why, place: fleet.known ? { file: fleet.value.file, line } : null }]
  })
}

function names(keys: Survey['keys']): string[] {
  return keys.flatMap(({ id, name, status }) => (status === 'active' ? [name, id] : []))
}
