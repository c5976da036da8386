import { exactDuration } from '../duration.ts'
import type { FleetKey } from '../fleet/fleet.ts'

/** The words of the whole line, where the keys file says what belongs to it; without targets a person is asked for them. */
export function rotateLine(keyId: string, entry: FleetKey | undefined): string[] {
  const { overlapMs } = entry ?? {}
  return [
    ...['pictify-keys', 'rotate', keyId, ...flagsOf(entry)],
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
