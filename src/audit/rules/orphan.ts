import type { Key } from '../../api/contract.ts'
import { maybeInUse } from '../own-key.ts'
import { leaseOf } from '../open-rotations.ts'
import type { Rule } from '../rule.ts'
import { goOnLine } from '../rotate-line.ts'
import type { OpenRotation, Survey } from '../survey.ts'

const dayMs = 86_400_000

export const orphan: Rule = {
  id: 'orphan',
  severity: 'warning',
  summary: 'a rotation left a successor that nobody goes on with',
  help: 'A run that died left a second key that works, and takes a place of the plan. It is told by a key with a marked name ("Name (rotating key_… #…)") whose lease is over, and whose rotation has no journal on this machine. Where the run gave its lease up itself, as one does that waits for an overlap, it is a note for a day (`warnAfter`), and a warning from then on.',
  needs: ['rotations'],
  goesByOwnKey: true,
  settings: { warnAfterMs: 'duration' },
  *check(survey, { warnAfterMs = dayMs }) {
    const { at, keys, rotations } = survey
    if (!rotations.known) return
    const byId = new Map(keys.map((key) => [key.id, key]))
    for (const rotation of rotations.value) {
      const { id, oldKeyId, newKeyId, leaseUntil, startedAt, here } = rotation
      const successor = newKeyId === undefined ? undefined : byId.get(newKeyId)
      const lease = leaseOf(rotation, at)
      if (here || successor === undefined || successor.status !== 'active' || lease === 'held') continue
      const ageMs = startedAt === undefined ? undefined : at - startedAt
      const mayWait = lease === 'given-up' && ageMs !== undefined && ageMs <= warnAfterMs
      const old = byId.get(oldKeyId)
      yield {
        rule: 'orphan',
        severity: mayWait ? 'note' : 'warning',
        key: successor,
        message: mayWait
          ? `is the successor of ${oldKeyId} in a rotation that waits on another machine`
          : `was left by a rotation of ${oldKeyId} that nobody goes on with: run its own line again, or revoke it if no application holds it`,
        evidence: {
          rotation: id,
          oldKeyStatus: old?.status ?? 'deleted',
          createdAt: successor.createdAt,
          leaseEndedAt: leaseUntil === undefined ? null : new Date(leaseUntil).toISOString(),
          lastUsedAt: successor.lastUsedAt,
        },
        mend: mend(survey, rotation, successor),
      }
    }
  },
}

/** What removes it, as long as its old key works; the line that goes on with it, where the keys file says to which places. */
function mend(survey: Survey, rotation: OpenRotation, successor: Key): readonly string[] | undefined {
  const isOldActive = survey.keys.some(({ id, status }) => id === rotation.oldKeyId && status === 'active')
  const { fleet } = survey
  const hasPlaces =
    fleet.known && fleet.value.keys.some(({ key, to }) => to.length > 0 && rotation.replaces(key))
  if (!isOldActive || hasPlaces) return goOnLine(survey, rotation)
  return maybeInUse(survey).has(successor.id) ? undefined : ['pictify-keys', 'revoke', successor.id]
}
