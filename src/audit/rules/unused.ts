import type { Rule } from '../rule.ts'

const dayMs = 86_400_000

export const unused: Rule = {
  id: 'unused',
  severity: 'error',
  summary: 'a key has not been used for a long time',
  help: 'Nobody would notice a stranger who uses it. It is told by the last use of an active key: more than 30 days ago is a warning (`warnAfter`), more than 90 days ago an error (`errorAfter`). A key that was never used is left to never-used.',
  needs: [],
  settings: ['warnAfterMs', 'errorAfterMs'],
  *check({ at, keys }, { warnAfterMs = 30 * dayMs, errorAfterMs = Math.max(90 * dayMs, warnAfterMs) }) {
    for (const key of keys) {
      if (key.status !== 'active' || key.lastUsedAt === null) continue
      const idleMs = at - Date.parse(key.lastUsedAt)
      const isError = idleMs > errorAfterMs
      if (!isError && !(idleMs > warnAfterMs)) continue
      yield {
        rule: 'unused',
        severity: isError ? 'error' : 'warning',
        key,
        message: `has not been used for ${Math.floor(idleMs / dayMs)} days`,
        evidence: { lastUsedAt: key.lastUsedAt },
        mend: ['pictify-keys', 'revoke', key.id],
      }
    }
  },
}
