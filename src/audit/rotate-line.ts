import { exactDuration } from '../duration.ts'
import type { Key } from '../api/contract.ts'
import type { FleetKey } from '../fleet/fleet.ts'
import { entryOf } from './fleet-keys.ts'
import { maybeInUse } from './own-key.ts'
import type { Survey } from './survey.ts'

/**
 * The words of the whole line, where the keys file says what belongs to it; without targets a person is asked for them.
 * Undefined of an admin key of which it is not known whether it is the one in use: with `--self` or without, one is refused.
 */
export function rotateLine(survey: Survey, key: Key): string[] | undefined {
  const { fleet, ownKeyId } = survey
  const isOwn = key.id === ownKeyId
  if (!isOwn && maybeInUse(survey).has(key.id)) return undefined
  const entry = fleet.known ? entryOf(key, fleet.value) : undefined
  const { overlapMs } = entry ?? {}
  return [
    ...['pictify-keys', 'rotate', key.id, ...(isOwn ? ['--self'] : []), ...flagsOf(entry)],
    ...(overlapMs === undefined ? [] : ['--overlap', exactDuration(overlapMs)]),
  ]
}

/** The same for a key that leaked, which has no overlap. */
export function rotateLeakedLine(keyId: string, entry: FleetKey | undefined): string[] {
  return ['pictify-keys', 'rotate', keyId, '--compromised', ...flagsOf(entry)]
}

function flagsOf({ to = [], verify }: Partial<FleetKey> = {}): string[] {
  return [...to.flatMap((target) => ['--to', target]), ...(verify === undefined ? [] : ['--verify', verify])]
}
