// Rules of this file and of those that ask for its parts (rotate-guide-*.ts):
// - nothing is changed before the one confirmation, and whoever leaves is told so;
// - what was typed is not lost: the line that says the same is printed however it ends.
import type { Context } from '../context.ts'
import { hasCode, KeysError } from '../errors.ts'
import { acceptBound } from '../rotation/claim.ts'
import { planText, type PlannedRotation } from '../ui/rotation-plan.ts'
import { commandLine, whoseKeys } from '../command-line.ts'
import { lastUses } from './last-use.ts'
import { flags, type RotateInputs, waitsOf } from './rotate-flags.ts'
import { chooseSubject, type Subject } from './rotate-guide-key.ts'
import { choosePlaces } from './rotate-guide-places.ts'
import { chooseOverlap, chooseVerify } from './rotate-guide-terms.ts'

export interface Guided {
  /** As if all of it had been typed. */
  inputs: RotateInputs
  /** Prints the line that does the same unattended. */
  tellLine: () => void
}

/** Asks for all that the line leaves open, shows what will happen, and has it confirmed. */
export async function guide(context: Context, given: RotateInputs): Promise<Guided> {
  try {
    const subject = await chooseSubject(context, given)
    return 'journal' in subject ? await goOn(context, given, subject) : await begin(context, given, subject)
  } catch (error) {
    if (!hasCode(error, 'interrupted')) throw error
    throw new KeysError('interrupted', `${error.message}: nothing was changed`, { cause: error })
  }
}

async function goOn(
  context: Context,
  given: RotateInputs,
  { journal }: Extract<Subject, { journal: unknown }>,
): Promise<Guided> {
  const { id, oldKey, state, targets } = journal
  const places = targets.map(({ name }) => name).join(', ')
  const way = await context.prompt.select(
    `The rotation ${id} of ${oldKey.name} is not over: ${state}. What now?`,
    [
      { name: 'go on with it', value: 'resume' as const, description: `with ${places}` },
      { name: 'undo it', value: 'abort' as const, description: `${places} get the old key back` },
    ],
    '--resume or --abort',
  )
  const inputs = { ...given, key: id, to: [], [way]: true }
  const line = commandLine(context, 'rotate', [id], flags, inputs, await whoseKeys(context))
  return { inputs, tellLine: () => tell(context, line) }
}

async function begin(
  context: Context,
  given: RotateInputs,
  { key, name, self }: Extract<Subject, { key: unknown }>,
): Promise<Guided> {
  const chosen = await choosePlaces(context, { ...given, self }, key)
  const verify = given.verify ?? (await chooseVerify(context))
  const asked = given.overlap === undefined && !given.noEvidence && !given.compromised
  const overlap = asked
    ? await chooseOverlap(context, waitsOf(given, undefined), chosen.places)
    : given.overlap
  const inputs: RotateInputs = {
    ...given,
    key: key.id,
    self,
    to: chosen.to,
    restart: chosen.restart,
    createTarget: chosen.createTarget,
    verify,
    // none at all is what the line says without the flag
    overlap: overlap === 0 ? given.overlap : overlap,
  }
  const line = commandLine(context, 'rotate', self ? [] : [name], flags, inputs, await whoseKeys(context))
  // an id is gone with this rotation, and its line does not rotate what comes after it
  const isOnce = !self && name === key.id
  const tellLine = () =>
    tell(context, line, isOnce ? ' (this rotation alone: the new key has another id)' : '')
  const waits = waitsOf(inputs, undefined)
  const plan: PlannedRotation = {
    key,
    places: chosen.places,
    restarts: inputs.restart,
    verify,
    waits,
    acceptBoundMs: acceptBound(waits.settleMs),
    evidence: !inputs.noEvidence,
    compromised: inputs.compromised ? (inputs.revokeFirst ? 'revoke-first' : 'no-overlap') : undefined,
    deleteOld: inputs.delete,
  }
  context.out.show('', ...planText(plan, context.out.columns), '')
  if (inputs.revokeFirst) context.out.show(...(await lastUses(await context.api(), [key], context.signal)))
  try {
    await context.prompt.confirm(`Rotate ${key.name} (${key.id}) now?`, '--to')
  } catch (error) {
    tellLine()
    throw error
  }
  return { inputs, tellLine }
}

function tell({ out }: Context, line: string, note = ''): void {
  out.show('', `the same without questions${note}:`, `  ${line}`)
}
