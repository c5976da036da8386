// Rules of this file:
// - here a rotation is taken over that another machine began, from the API and the targets alone;
// - what a target holds is the successor's only when that is proved: it is not the fingerprinted old secret, and the
//   audit log, or the successor's own last use, is seen to follow our probe; what is not proved is not touched;
// - a successor that an application may have is not revoked for being lost.
import type { Client, Key } from '../api/contract.ts'
import { hasCode, KeysError } from '../errors.ts'
import type { Secret } from '../secret.ts'
import type { Held } from '../targets/target.ts'
import { getOrGone, isActive, type Successor } from './account.ts'
import { isGone, lockedElsewhere, newHolder, removeMinted, renewLease } from './claim.ts'
import { idleness, usersOf } from './evidence.ts'
import { identitiesOf } from './identity.ts'
import { fingerprintOf, formatMark, leaseEnd, parseMark } from './marked-name.ts'
import { isSecretOf } from './ownership.ts'
import { isUnheld, plan, type Start } from './plan.ts'
import { record, restartsOf, waitsOf, type RotationOptions, type RotationServices, type Run } from './run.ts'

const claimMs = 2 * 60_000
/** Longer than it takes a run from its look at its own name to the rename that renews its lease. */
const claimStandsMs = 2_000

/**
 * Goes on with the marked successors another run left, or, where their secret is nowhere, starts afresh with them out
 * of the way. Throws `rotation-locked` while that run's lease stands and it is not to be taken over.
 */
export async function adopt(
  services: RotationServices,
  options: RotationOptions,
  start: Start,
): Promise<Run> {
  const { api } = services
  const { successors } = start.account
  const alive = successors.find(({ mark }) => mark.leaseUntil > api.now())
  if (alive !== undefined && !options.takeOver) {
    throw lockedElsewhere(start.old.id, alive.mark.leaseUntil, api.now())
  }
  const claims = successors.map((successor) => claimOn(services, options, successor))
  try {
    for (const claimed of claims) await claim(services, claimed)
    // A run that is not dead after all may have looked at its name just now, and renew its lease: then it has it.
    if (alive !== undefined) await services.clock.sleep(claimStandsMs, services.stop)
    for (const claimed of claims) await proveClaim(services, claimed)
    // What cannot be told of one successor may be the secret of the next.
    let unclear: KeysError | undefined
    const rivalsOf = ({ key }: Successor) =>
      successors.map((each) => each.key.id).filter((id) => id !== key.id)
    for (const claimed of claims) {
      const found = await findSecret(services, options, claimed, rivalsOf(claimed)).catch(
        (error: unknown) => {
          if (!hasCode(error, 'rotation-needs-person')) throw error
          unclear ??= error
        },
      )
      if (found) return await goOn(services, options, start, claimed, found)
    }
    if (unclear !== undefined) throw unclear
    return await startAfresh(services, options, start)
  } catch (error) {
    // Nothing came of it: the next one, who may be us, need not wait until the claims run out.
    for (const claimed of claims) await giveUpClaim(services, claimed)
    throw error
  }
}

/** The successor with the mark that says that we are at it. */
function claimOn({ api }: RotationServices, options: RotationOptions, { key, mark }: Successor): Successor {
  const leaseUntil = leaseEnd(api.now(), claimMs + options.usageLagMs)
  return { key, mark: { ...mark, leaseUntil, holder: newHolder() } }
}

/** Says so in its name, so that of several that find it, one goes on. */
async function claim({ api }: RotationServices, { key, mark }: Successor): Promise<void> {
  try {
    await api.keys.rename(key.id, formatMark(mark))
  } catch (error) {
    // Gone since the list was read: whoever removed it is at it too.
    if (isGone(error)) throw lockedElsewhere(mark.oldId, 0, api.now())
    throw error
  }
}

/** Throws `rotation-locked` where another run has put its own claim there since. */
async function proveClaim({ api }: RotationServices, { key, mark }: Successor): Promise<void> {
  const name = (await getOrGone(api, key.id))?.name
  if (name === formatMark(mark)) return
  throw lockedElsewhere(mark.oldId, parseMark(name ?? '')?.leaseUntil ?? 0, api.now())
}

/** Takes a claim of ours back, where it stands in the name. */
async function giveUpClaim({ api, report }: RotationServices, { key, mark }: Successor): Promise<void> {
  try {
    const now = await getOrGone(api, key.id)
    if (!isActive(now) || now.name !== formatMark(mark)) return
    await api.keys.rename(key.id, formatMark({ ...mark, leaseUntil: 0, holder: '' }))
  } catch (error) {
    if (!(error instanceof KeysError)) throw error
    const message = `could not give the claim on ${key.id} up: ${error.message}`
    report({ event: 'warning', code: 'lease', message })
  }
}

interface Found {
  secret: Secret
  /** The old secret, where a target still holds it. */
  old: Secret | undefined
  /** What the targets that do not hold the successor hold. */
  held: Map<string, Held>
  delivered: string[]
}

/** Looks for the successor's secret in the targets that can be read. Throws `rotation-needs-person` for what cannot be told. */
async function findSecret(
  services: RotationServices,
  options: RotationOptions,
  { key, mark }: Successor,
  rivals: readonly string[],
): Promise<Found | undefined> {
  const held = new Map<string, Held>()
  const delivered: string[] = []
  let secret: Secret | undefined
  let old = options.oldSecret
  for (const target of options.targets) {
    if (target.readback === 'none') continue
    const found = await target.read()
    if (found === undefined) continue
    const { value } = found
    services.learn(value)
    if (value.reveal() === '') {
      // A variable that is there and empty holds nobody's secret.
      held.set(target.name, found)
    } else if (secret?.equals(value)) {
      delivered.push(target.name)
    } else if (fingerprintOf(value, mark.rotationId) === mark.fingerprint || old?.equals(value)) {
      old ??= value
      held.set(target.name, found)
    } else if (await isSecretOf(services, options, key, value, rivals)) {
      if (secret !== undefined) throw cannotTell(target.name, key)
      secret = value
      delivered.push(target.name)
    } else {
      throw cannotTell(target.name, key)
    }
  }
  return secret && { secret, old, held, delivered }
}

function cannotTell(target: string, key: Key): KeysError {
  return new KeysError(
    'rotation-needs-person',
    `cannot tell whose key ${target} holds: it is not the old one, and not proved to be ${key.id}`,
    {
      hint: `nothing was changed; put the old key's secret or ${key.id}'s into it, then run the same command again with --take-over`,
    },
  )
}

async function goOn(
  services: RotationServices,
  options: RotationOptions,
  start: Start,
  { key, mark }: Successor,
  { secret, old, held, delivered }: Found,
): Promise<Run> {
  const now = new Date(services.clock.now()).toISOString()
  const strays = start.account.successors.map((other) => other.key.id).filter((id) => id !== key.id)
  for (const target of options.targets) await target.check()
  for (const restart of options.restarts) await restart.check()
  const identities = await identitiesOf(options.targets)
  await services.journals.prove(start.old.id)
  const run: Run = {
    options,
    services,
    api: options.self ? services.api.as(secret) : services.api,
    escrowed: { successor: undefined, old: undefined, held: new Map() },
    journal: {
      id: mark.rotationId,
      apiUrl: services.api.baseUrl,
      state: 'planned',
      startedAt: now,
      updatedAt: now,
      oldKey: start.old,
      newKey: { id: key.id, createdAt: key.createdAt },
      lease: { until: mark.leaseUntil, holder: mark.holder },
      holders: [mark.holder],
      fingerprint: mark.fingerprint,
      cwd: options.cwd,
      targets: options.targets.map(({ name, place, readback }) => ({
        name,
        place,
        readback,
        // One that cannot be read back may have been written already.
        state: delivered.includes(name) ? 'delivered' : readback === 'none' ? 'writing' : 'pending',
        heldUnknown: delivered.includes(name) && old === undefined,
        identity: identities.get(name),
      })),
      verify: options.verify?.command,
      restarts: restartsOf(options),
      createTarget: options.createTarget,
      waits: waitsOf(options),
      strays,
      // The dead run found no secret in its targets, and was given none.
      unheld: isUnheld(options, mark.fingerprint === 'none' ? undefined : mark.fingerprint),
      self: options.self,
      compromised: options.compromised,
      deleteOld: options.deleteOld,
      notes: [],
    },
  }
  services.report({ event: 'adopted', rotation: mark.rotationId, newKey: key.id })
  await record(run, { state: 'minted' }, { successor: secret, old, held: withOld(held, delivered, old) })
  await renewLease(run)
  return run
}

/** A target that was delivered before we came held the old secret, as far as anybody knows: undoing puts that back. */
function withOld(held: Map<string, Held>, delivered: string[], old: Secret | undefined): Map<string, Held> {
  if (old === undefined) return held
  return new Map([...held, ...delivered.map((name): [string, Held] => [name, { value: old }])])
}

/**
 * The successors' secret is nowhere we can look. Those that no application can have go at once, before the plan is
 * checked against its limit; the others stay, as strays, until they are idle and our own successor is in their place.
 */
async function startAfresh(services: RotationServices, options: RotationOptions, start: Start): Promise<Run> {
  const { account } = start
  const free: Successor[] = []
  const kept: Successor[] = []
  for (const successor of account.successors) {
    const isFree = await isUnused(services.api, options, successor)
    ;(isFree ? free : kept).push(successor)
  }
  const forward = start.forward || !isActive(account.old)
  const strays = kept.map(({ key }) => key.id)
  const run = await plan(services, options, {
    ...start,
    strays,
    forward,
    account: { ...account, successors: kept },
  })
  if (free.length > 0) {
    await removeMinted(
      run,
      free.map(({ key }) => key.id),
    )
    for (const { key } of free) {
      const message = `removed ${key.id}, a successor whose secret was lost and that no application used`
      services.report({ event: 'warning', code: 'orphan-removed', message })
    }
  }
  return run
}

/**
 * Idle by the same evidence as an old key; or nobody but this program ever used it, and no target holds it. One that a
 * target may hold which cannot be read is needed until our own is in its place: whoever starts finds it there.
 */
async function isUnused(api: Client, options: RotationOptions, { key }: Successor): Promise<boolean> {
  if (options.targets.some(({ readback }) => readback === 'none')) return false
  if ((await idleness(api, options, key.id)) === true) return true
  return (await usersOf(api, key.id, Date.parse(key.createdAt) - 1_000)) === 'probes'
}
