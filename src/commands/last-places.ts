import path from 'node:path'
import type { Context } from '../context.ts'
import type { Journal, TargetRecord } from '../rotation/state.ts'
import { credentialPrefix } from '../targets/credential.ts'

/** A rotation of this machine that wrote a key into places, each as `--to` takes it. */
export interface LastPlaces {
  rotation: Journal
  to: string[]
}

/** Where the rotation that made a key put it; undefined where no receipt of this machine tells. */
export function lastPlaces(
  journals: readonly Journal[],
  keyId: string,
  { cwd }: Pick<Context, 'cwd'>,
): LastPlaces | undefined {
  const rotation = journals.find(({ newKey, state }) => newKey?.id === keyId && state === 'done')
  const to = rotation?.targets.flatMap((target) => specFrom(cwd, target, rotation.cwd) ?? []) ?? []
  return rotation && to.length > 0 ? { rotation, to } : undefined
}

/** As it is named from another folder; undefined for what is none of `--to`, or means something only where it was named. */
function specFrom(cwd: string, { name, place }: TargetRecord, namedIn: string): string | undefined {
  const [scheme = ''] = name.split(':', 1)
  if (scheme === 'env' || scheme === 'file') return `${scheme}:${within(cwd, place)}`
  if (scheme === 'exec') return cwd === namedIn ? name : undefined
  return name.startsWith(credentialPrefix) ? undefined : name
}

/** A path of the folder without the folder, as it would be typed there. */
function within(cwd: string, place: string): string {
  const relative = path.relative(cwd, place)
  return relative.startsWith('..') || path.isAbsolute(relative) ? place : relative
}
