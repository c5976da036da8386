// Rules of this file:
// - a key of which a rule cannot tell neither passes nor fails: it is left out, and said to be;
// - where that is so of every key that a rule is about, the rule is skipped.
import type { Key } from '../api/contract.ts'
import type { RuleSettings } from '../fleet/fleet.ts'
import { hasBaseline } from './novelty.ts'
import type { Rule } from './rule.ts'
import type { Survey } from './survey.ts'
import { usageOf } from './usage-reading.ts'
import { listed } from './wording.ts'

/** Whether a rule can tell of a key, or why not (lower case, no full stop); undefined where it is not about it. */
export type Standing = { known: true } | { known: false; why: string } | undefined

type StandingOf = (key: Key, survey: Survey, settings: RuleSettings) => Standing

/** What a rule that looks at keys one by one says of those that it can tell nothing of. */
export function heldByKey(standingOf: StandingOf): Required<Pick<Rule, 'skip' | 'leftOut'>> {
  const look = (survey: Survey, settings: RuleSettings) => {
    const names = new Map<string, string[]>()
    let isHeld = false
    for (const key of survey.keys) {
      const standing = key.status === 'active' ? standingOf(key, survey, settings) : undefined
      if (standing?.known === false) names.set(standing.why, [...(names.get(standing.why) ?? []), key.name])
      else isHeld ||= standing !== undefined
    }
    return { isHeld, unknown: [...names].sort(([, a], [, b]) => b.length - a.length) }
  }
  return {
    skip(survey, settings) {
      const { isHeld, unknown } = look(survey, settings)
      return isHeld ? undefined : unknown[0]?.[0]
    },
    leftOut: (survey, settings) =>
      look(survey, settings).unknown.map(([why, names]) => ({
        keys: names.length,
        why: `${why}: ${listed(names)}`,
      })),
  }
}

/** By its figures. */
export function standingByUsage(key: Key, survey: Survey): Standing {
  const usage = usageOf(survey, key)
  if (!usage.known) return usage
  return usage.value && { known: true }
}

/** By what the audit log shows of it. */
export function standingByLog({ id, lastUsedAt }: Key, { log }: Pick<Survey, 'log'>): Standing {
  if (!log.known) return log
  if (log.value.keys.has(id)) return { known: true }
  const usedAt = lastUsedAt === null ? -Infinity : Date.parse(lastUsedAt)
  if (usedAt < log.value.since || usedAt >= log.value.until) return undefined
  return { known: false, why: 'the audit log has nothing of keys that were used' }
}

/** By what the audit log shows of it that is recent, against what was before. */
export function standingByPast(key: Key, survey: Survey): Standing {
  const standing = standingByLog(key, survey)
  const own = survey.log.known ? survey.log.value.keys.get(key.id) : undefined
  if (own === undefined || !survey.log.known) return standing
  if (own.recent === 0) return undefined
  if (hasBaseline(survey.log.value, own)) return { known: true }
  return { known: false, why: 'the audit log does not reach back far enough to tell what is new' }
}
