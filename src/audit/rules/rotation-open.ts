import { formatDuration } from '../../duration.ts'
import { leaseOf } from '../open-rotations.ts'
import type { Rule } from '../rule.ts'

const dayMs = 86_400_000

export const rotationOpen: Rule = {
  id: 'rotation-open',
  severity: 'warning',
  summary: 'a rotation was begun and is not over',
  help: 'Until it is over two keys work for one purpose, and the old one may be the one that leaked. It is told by the journals of this machine and the marked names in the account: a rotation that waits or needs a person for longer than a day (`warnAfter`), or whose run died, so that its lease ran out. What this machine has no journal of is left to orphan once its lease is over.',
  needs: ['rotations'],
  settings: { warnAfterMs: 'duration' },
  *check({ at, keys, rotations }, { warnAfterMs = dayMs }) {
    if (!rotations.known) return
    const byId = new Map(keys.map((key) => [key.id, key]))
    for (const rotation of rotations.value) {
      const { id, oldKeyId, newKeyId, startedAt, leaseUntil, here } = rotation
      const lease = leaseOf(rotation, at)
      if (!here && lease !== 'held') continue
      const ageMs = startedAt === undefined ? undefined : at - startedAt
      const isLong = ageMs !== undefined && ageMs > warnAfterMs
      if (!isLong && lease !== 'over') continue
      const age = ageMs === undefined ? '' : ` ${formatDuration(Math.max(ageMs, 0))} ago`
      yield {
        rule: 'rotation-open',
        severity: 'warning',
        key: byId.get(oldKeyId) ?? (newKeyId === undefined ? undefined : byId.get(newKeyId)),
        message:
          lease === 'over'
            ? `has a rotation that was begun${age} and whose run is gone`
            : `has a rotation that was begun${age} and is not over`,
        evidence: {
          rotation: id,
          startedAt: startedAt === undefined ? null : new Date(startedAt).toISOString(),
          leaseUntilAt: leaseUntil === undefined ? null : new Date(leaseUntil).toISOString(),
          successor: newKeyId ?? null,
          onThisMachine: here,
        },
        mend: here
          ? ['pictify-keys', 'rotate', id, '--resume']
          : ['pictify-keys', 'rotations', '--open', '--account'],
      }
    }
  },
}
