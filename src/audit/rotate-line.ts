import type { Key } from '../api/contract.ts'
import type { FleetKey } from '../fleet/fleet.ts'
import type { Survey } from './survey.ts'

/** What the keys file says of a key, by its id or else its name. */
export function fleetKeyOf(
  { fleet }: Pick<Survey, 'fleet'>,
  { id, name }: Pick<Key, 'id' | 'name'>,
): FleetKey | undefined {
  if (!fleet.known) return undefined
  const { keys } = fleet.value
  return keys.find(({ key }) => key === id) ?? keys.find(({ key }) => key === name)
}

/** The words of the line that rotates a key to the places that the keys file names, and as it says. */
export function rotateWords(survey: Pick<Survey, 'fleet'>, key: Pick<Key, 'id' | 'name'>): string[] {
  const { to = [], overlapMs, verify } = fleetKeyOf(survey, key) ?? {}
  return [
    ...['pictify-keys', 'rotate', key.id],
    ...to.flatMap((place) => ['--to', place]),
    ...(overlapMs === undefined ? [] : ['--overlap', durationWord(overlapMs)]),
    ...(verify === undefined ? [] : ['--verify', verify]),
  ]
}

/** The same for a key that leaked, which has no overlap. */
export function rotateLeakedWords(survey: Pick<Survey, 'fleet'>, key: Pick<Key, 'id' | 'name'>): string[] {
  const { to = [], verify } = fleetKeyOf(survey, key) ?? {}
  return [
    ...['pictify-keys', 'rotate', key.id, '--compromised'],
    ...to.flatMap((place) => ['--to', place]),
    ...(verify === undefined ? [] : ['--verify', verify]),
  ]
}

const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const

/** In one unit, as a flag takes it. */
function durationWord(ms: number): string {
  const [unit, length] = units.find(([, each]) => ms % each === 0) ?? ['ms', 1]
  return `${ms / length}${unit}`
}
