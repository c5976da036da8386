// Rules of this file:
// - a run goes on with the targets it began with, under the names it knows them by;
// - what a line asks for in addition is taken over; it never takes back what an earlier one asked for.
import { KeysError } from '../errors.ts'
import type { Secret } from '../secret.ts'
import type { Target } from '../targets/target.ts'
import { open, type Escrowed } from './escrow.ts'
import { fingerprintOf } from './marked-name.ts'
import { restartsOf, waitsOf, type RotationOptions, type RotationServices, type Run } from './run.ts'
import { hasReached, type Journal } from './state.ts'

/** Goes on from a journal of this machine. */
export async function resume(
  services: RotationServices,
  options: RotationOptions,
  journal: Journal,
): Promise<Run> {
  const run = restore(services, options, journal)
  services.report({ event: 'resumed', rotation: journal.id, state: journal.state })
  await services.journals.prove(journal.oldKey.id)
  return run
}

/** The run as its journal left it; what this line asks for in addition is taken over. */
export function restore(services: RotationServices, given: RotationOptions, journal: Journal): Run {
  const named = namedAsBefore(given, journal)
  refuseOtherRestarts(given, journal)
  const escrowed: Escrowed = journal.escrow
    ? open(journal.escrow, journal.id, services.credential)
    : { successor: undefined, old: undefined, held: new Map() }
  const { oldSecret } = given
  if (oldSecret !== undefined) refuseOtherSecret(oldSecret, journal)
  const secrets = [escrowed.successor, escrowed.old, ...[...escrowed.held.values()].map(({ value }) => value)]
  for (const secret of secrets) if (secret !== undefined) services.learn(secret)
  const options = { ...given, targets: named }
  const isOurs = journal.self && escrowed.successor !== undefined && hasReached(journal.state, 'accepted')
  return {
    options,
    services,
    api: isOurs && escrowed.successor ? services.api.as(escrowed.successor) : services.api,
    escrowed: { ...escrowed, old: escrowed.old ?? options.oldSecret },
    journal: {
      ...journal,
      deleteOld: journal.deleteOld || options.deleteOld,
      compromised: journal.compromised ?? options.compromised,
      verify: options.verify?.command ?? journal.verify,
      restarts: restartsOf(options) ?? journal.restarts,
      createTarget: (journal.createTarget ?? false) || options.createTarget,
      waits: waitsOf(options),
    },
  }
}

/**
 * The targets by the names the journal has for their places. Going on with others than it began with would leave some
 * with the old key, or undo what was never done.
 */
function namedAsBefore({ targets }: RotationOptions, journal: Journal): Target[] {
  if (!hasPlacesOf({ targets }, journal)) {
    const names = journal.targets.map(({ name }) => name).join(', ')
    const what = `the open rotation ${journal.id} of ${journal.oldKey.id} has other targets: ${names} (in ${journal.cwd})`
    throw new KeysError('rotation-differs', what, {
      hint: `go on with it: pictify-keys rotate ${journal.id} --resume; or undo it: pictify-keys rotate ${journal.id} --abort`,
    })
  }
  return targets.map((target) => {
    const known = journal.targets.find(({ place }) => place === target.place)
    return { ...target, name: known?.name ?? target.name }
  })
}

/** What another line would start anew was not looked at when the rotation was planned, and may be past its time. */
function refuseOtherRestarts({ restarts }: RotationOptions, journal: Journal): void {
  const known = journal.restarts ?? []
  const others = restarts.filter(({ name }) => !known.includes(name)).map(({ name }) => name)
  if (others.length === 0) return
  const begun = known.length === 0 ? 'no --restart' : `--restart ${known.join(', ')}`
  const what = `the open rotation ${journal.id} was begun with ${begun}, and not with ${others.join(', ')}`
  throw new KeysError('rotation-differs', what, {
    hint: `go on with it: pictify-keys rotate ${journal.id} --resume; or undo it: pictify-keys rotate ${journal.id} --abort`,
  })
}

/** Whether the options name the places that the rotation began with. */
export function hasPlacesOf({ targets }: Pick<RotationOptions, 'targets'>, journal: Journal): boolean {
  const places = (list: readonly { place: string }[]) => list.map(({ place }) => place).sort()
  return places(targets).join('\n') === places(journal.targets).join('\n')
}

function refuseOtherSecret(secret: Secret, { fingerprint, id, oldKey }: Journal): void {
  const isOther =
    fingerprint === 'none' ? secret.type !== oldKey.type : fingerprintOf(secret, id) !== fingerprint
  if (!isOther) return
  throw new KeysError('invalid-secret', `the secret on stdin is not the one that rotation ${id} replaces`, {
    hint: `give the secret of ${oldKey.id}`,
  })
}
