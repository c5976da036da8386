import type { OpenRotation, Survey } from './survey.ts'

/** Ids of keys that are there besides the one they replace, only until their rotation is over. */
export function successorsUnderWay({ keys, rotations }: Survey): ReadonlySet<string> {
  if (!rotations.known || rotations.value.length === 0) return new Set()
  const active = new Set(keys.flatMap(({ id, status }) => (status === 'active' ? [id] : [])))
  const underWay = rotations.value.flatMap(({ oldKeyId, newKeyId }) =>
    newKeyId !== undefined && active.has(newKeyId) && active.has(oldKeyId) ? [newKeyId] : [],
  )
  return new Set(underWay)
}

/**
 * Whether nobody is at it: its lease ran out, so that its run died or was cut off; or it was given up, so that it waits for
 * somebody to go on.
 */
export function leaseOf({ leaseUntil }: OpenRotation, at: number): 'held' | 'over' | 'given-up' {
  if (leaseUntil === undefined) return 'given-up'
  return leaseUntil > at ? 'held' : 'over'
}
