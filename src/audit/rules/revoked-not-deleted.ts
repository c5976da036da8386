import type { Rule } from '../rule.ts'

const dayMs = 86_400_000

export const revokedNotDeleted: Rule = {
  id: 'revoked-not-deleted',
  severity: 'note',
  summary: 'a key was revoked long ago and is still listed',
  help: 'It works no more, and is in the way of who reads the list. It is told by a key that was revoked more than 30 days ago (`warnAfter`); until then its usage may still be wanted. Where the API does not say when it was revoked, it is told by the key alone.',
  needs: [],
  settings: { warnAfterMs: 'duration' },
  *check({ at, keys }, { warnAfterMs = 30 * dayMs }) {
    for (const key of keys) {
      if (key.status !== 'revoked') continue
      const revokedAt = key.revokedAt ?? null
      const sinceMs = revokedAt === null ? undefined : at - Date.parse(revokedAt)
      if (sinceMs !== undefined && !(sinceMs > warnAfterMs)) continue
      yield {
        rule: 'revoked-not-deleted',
        severity: 'note',
        key,
        message:
          sinceMs === undefined
            ? 'is revoked and not deleted; since when, the API does not say'
            : `was revoked ${Math.floor(sinceMs / dayMs)} days ago and is not deleted`,
        evidence: { revokedAt },
        mend: ['pictify-keys', 'delete', key.id],
      }
    }
  },
}
