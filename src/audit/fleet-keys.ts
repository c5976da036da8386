import type { Key } from '../api/contract.ts'
import type { Fleet, FleetKey } from '../fleet/fleet.ts'
import type { Survey } from './survey.ts'

/** What the keys file says of a key: by its id, else by its exact name. */
export function entryOf({ id, name }: Pick<Key, 'id' | 'name'>, { keys }: Fleet): FleetKey | undefined {
  return keys.find(({ key }) => key === id) ?? keys.find(({ key }) => key === name)
}

/** Whether a key is the successor of a rotation that is not over: its name is not the one it will have. */
export function isSuccessor({ id }: Pick<Key, 'id'>, { rotations }: Pick<Survey, 'rotations'>): boolean {
  return rotations.known && rotations.value.some(({ newKeyId }) => newKeyId === id)
}

/** Where an entry stands. */
export function placeOf(fleet: Fleet, { line }: FleetKey): { file: string; line: number } {
  return { file: fleet.file, line }
}
