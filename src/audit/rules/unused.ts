import { butByProbes, lastUseOf } from '../last-use.ts'
import { maybeInUse } from '../own-key.ts'
import type { Rule } from '../rule.ts'

const dayMs = 86_400_000

export const unused: Rule = {
  id: 'unused',
  severity: 'error',
  summary: 'a key has not been used for a long time',
  help: 'Nobody would notice a stranger who uses it. It is told by the last use of an active key: more than 30 days ago is a warning (`warnAfter`), more than 90 days ago an error (`errorAfter`); where the audit log has nothing of the key but probes of pictify-keys (`audit --probe`, a rotation), it was before that log (`--since`). A key that was never used is left to never-used; the key that the audit is made with is spared, whose use shows minutes later; where the API does not tell which that is, every admin key is.',
  needs: [],
  goesByOwnKey: true,
  settings: { warnAfterMs: 'duration', errorAfterMs: 'duration' },
  *check(survey, { warnAfterMs = 30 * dayMs, errorAfterMs = Math.max(90 * dayMs, warnAfterMs) }) {
    const inUse = maybeInUse(survey)
    for (const key of survey.keys) {
      if (key.status !== 'active' || inUse.has(key.id)) continue
      const lastUse = lastUseOf(survey, key)
      if (lastUse.at === null) continue
      const { isAtLatest, probes } = lastUse
      const idleMs = survey.at - lastUse.at
      const isLongerThan = (ms: number) => idleMs > ms || (isAtLatest && idleMs === ms)
      const isError = isLongerThan(errorAfterMs)
      if (!isError && !isLongerThan(warnAfterMs)) continue
      yield {
        rule: 'unused',
        severity: isError ? 'error' : 'warning',
        key,
        message: `has not been used for ${Math.floor(idleMs / dayMs)} days${isAtLatest ? ' or more' : ''}${butByProbes(lastUse)}`,
        evidence: { lastUsedAt: key.lastUsedAt, ...(probes > 0 && { probes }) },
        mend: ['pictify-keys', 'revoke', key.id],
      }
    }
  },
}
