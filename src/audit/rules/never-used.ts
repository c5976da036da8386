import { butByProbes, lastUseOf } from '../last-use.ts'
import { maybeInUse } from '../own-key.ts'
import { successorsUnderWay } from '../open-rotations.ts'
import type { Rule } from '../rule.ts'

const dayMs = 86_400_000

export const neverUsed: Rule = {
  id: 'never-used',
  severity: 'warning',
  summary: 'a key was made and never used',
  help: 'A key that nothing uses can only leak. It is told by a key that was created more than 7 days ago (`warnAfter`) and has no last use, or none in the audit log but by probes of pictify-keys (`audit --probe`, a rotation); the successor of a rotation that is not over is left to rotation-open and orphan, and the key that the audit is made with is spared, whose use shows minutes later; where the API does not tell which that is, every admin key is.',
  needs: ['rotations'],
  goesByOwnKey: true,
  settings: { warnAfterMs: 'duration' },
  *check(survey, { warnAfterMs = 7 * dayMs }) {
    const spared = new Set([...successorsUnderWay(survey), ...maybeInUse(survey)])
    for (const key of survey.keys) {
      if (key.status !== 'active' || spared.has(key.id)) continue
      const lastUse = lastUseOf(survey, key)
      if (lastUse.at !== null) continue
      const ageMs = survey.at - Date.parse(key.createdAt)
      if (!(ageMs > warnAfterMs)) continue
      yield {
        rule: 'never-used',
        severity: 'warning',
        key,
        message: `was never used in the ${Math.floor(ageMs / dayMs)} days since it was created${butByProbes(lastUse)}`,
        evidence: {
          createdAt: key.createdAt,
          lastUsedAt: key.lastUsedAt,
          ...(lastUse.probes > 0 && { probes: lastUse.probes }),
        },
        mend: ['pictify-keys', 'revoke', key.id],
      }
    }
  },
}
