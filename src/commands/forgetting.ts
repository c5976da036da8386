// What is said and asked before a profile's key is forgotten: where nobody has it any more, the account can only be had
// back in the dashboard, and rotations that are under way cannot be ended from here.
import type { Config } from '../config.ts'
import type { Context } from '../context.ts'
import { fingerprintOf, isOnlyCopy } from '../credentials/fingerprint.ts'
import type { Secret } from '../secret.ts'

/** Why it would be missed, each in a sentence's half; empty where it would not. */
export async function lossesOf(context: Context, config: Config): Promise<string[]> {
  const open = await openRotations(context, config)
  return [
    ...(isOnlyCopy(config)
      ? [`the key of profile ${config.profile} was made by rotate --self, and this may be its only copy`]
      : []),
    ...(open.length > 0
      ? [`${open.length === 1 ? 'a rotation is' : 'rotations are'} open that need it: ${open.join(', ')}`]
      : []),
  ]
}

/** Asks where the key would be missed. `successor` takes its place; the same key again loses nothing. */
export async function confirmForgetting(
  context: Context,
  config: Config,
  { yes, successor }: { yes: boolean; successor?: Secret },
): Promise<void> {
  if (config.store === undefined) return
  if (successor !== undefined && isSame(config, successor)) return
  const losses = await lossesOf(context, config)
  if (losses.length === 0) return
  if (yes) for (const loss of losses) context.out.warn(loss)
  else await context.prompt.confirm(`Forget the key, although ${losses.join('; ')}?`, '--yes')
}

function isSame(config: Config, successor: Secret): boolean {
  return config.store === 'file'
    ? config.adminKey()?.equals(successor) === true
    : config.facts.keyFingerprints?.includes(fingerprintOf(successor)) === true
}

/** Their secrets are sealed for the admin key that they were begun with. */
async function openRotations({ stateDir }: Context, { settings }: Config): Promise<string[]> {
  const [{ createJournals }, { isOver }] = await Promise.all([
    import('../rotation/journal.ts'),
    import('../rotation/state.ts'),
  ])
  const entries = await createJournals(stateDir).list()
  return entries.flatMap((entry) =>
    'journal' in entry && entry.journal.apiUrl === settings.apiUrl && !isOver(entry.journal.state)
      ? [`${entry.journal.id} (${entry.journal.oldKey.name})`]
      : [],
  )
}
