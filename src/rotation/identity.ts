// Rules of this file:
// - a name can mean another place tomorrow (another cluster, another account): what was planned for the one is neither
//   delivered to nor undone in the other.
import { KeysError } from '../errors.ts'
import type { Target } from '../targets/target.ts'
import type { Run } from './run.ts'

/** Throws `target-refused` where the target's name means another place than when the rotation was planned. */
export async function refuseElsewhere({ journal }: Run, target: Target): Promise<void> {
  const { identity } = journal.targets.find(({ name }) => name === target.name) ?? {}
  if (identity === undefined) return
  const now = await target.identify?.()
  if (now === undefined || now === identity) return
  throw new KeysError('target-refused', `${target.name} is in ${now} now, and was in ${identity} before`, {
    hint: 'go back to the account or the cluster that the rotation was planned in, then run the same command again',
  })
}

/** Which place each target is, where the name alone does not say; by its name, for the journal. */
export async function identitiesOf(
  targets: readonly Target[],
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, string | undefined>> {
  const found = new Map<string, string | undefined>()
  for (const target of targets) found.set(target.name, await target.identify?.(signal))
  return found
}
