import { exactDuration } from '../duration.ts'
import type { Key } from '../api/contract.ts'
import type { FleetKey } from '../fleet/fleet.ts'
import { entryOf } from './fleet-keys.ts'
import { maybeInUse } from './own-key.ts'
import type { OpenRotation, Survey } from './survey.ts'

/**
 * The words of the whole line, where the keys file says what belongs to it; without targets a person is asked for them.
 * Undefined of an admin key of which it is not known whether it is the one in use: with `--self` or without, one is refused.
 */
export function rotateLine(
  survey: Survey,
  key: Key,
  entry: FleetKey | undefined = survey.fleet.known ? entryOf(key, survey.fleet.value) : undefined,
): string[] | undefined {
  const isOwn = key.id === survey.ownKeyId
  if (!isOwn && maybeInUse(survey).has(key.id)) return undefined
  const { overlapMs } = entry ?? {}
  return [
    ...['pictify-keys', ...rotateWords(key.id, entry, isOwn ? ['--self'] : [])],
    ...(overlapMs === undefined ? [] : ['--overlap', exactDuration(overlapMs)]),
  ]
}

/** The same for a key that leaked, which has no overlap. */
export function rotateLeakedLine(keyId: string, entry: FleetKey | undefined): string[] {
  return ['pictify-keys', ...rotateWords(keyId, entry, ['--compromised'])]
}

/** The words of the line that goes on with a rotation, also where its old key is revoked or deleted. */
export function goOnLine(survey: Survey, rotation: OpenRotation): string[] | undefined {
  const { id, oldKeyId, newKeyId, here } = rotation
  if (here) return ['pictify-keys', 'rotate', id, '--resume']
  const { keys, fleet } = survey
  const active = keys.filter(({ status }) => status === 'active')
  // a successor leads to its old key
  const key = active.find((each) => each.id === oldKeyId) ?? active.find((each) => each.id === newKeyId)
  const entry = fleet.known ? fleet.value.keys.find((each) => rotation.replaces(each.key)) : undefined
  return key && rotateLine(survey, key, entry)
}

/** The words of every line that rotates a key: how, and where it is kept, as far as that is known. */
export function rotateWords(
  keyId: string,
  { to = [], verify }: Partial<Pick<FleetKey, 'to' | 'verify'>> = {},
  flags: readonly string[] = [],
): string[] {
  const places = to.flatMap((target) => ['--to', target])
  return ['rotate', keyId, ...flags, ...places, ...(verify === undefined ? [] : ['--verify', verify])]
}
