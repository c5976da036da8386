import type { Survey } from './survey.ts'

/** Longer than usage is late. */
const recentMs = 3_600_000

/**
 * Ids of keys of which one may be the key that the audit is made with, whose use does not show yet: usage is minutes late.
 * Where an admin key was used a moment ago, it is taken for that.
 */
export function maybeInUse({ at, keys }: Pick<Survey, 'at' | 'keys'>): ReadonlySet<string> {
  const admins = keys.filter(({ status, access }) => status === 'active' && access === 'admin')
  const isShown = admins.some(
    ({ lastUsedAt }) => lastUsedAt !== null && at - Date.parse(lastUsedAt) < recentMs,
  )
  return new Set(isShown ? [] : admins.map(({ id }) => id))
}
