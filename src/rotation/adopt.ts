// Rules of this file:
// - here a rotation is taken over that another machine began, from the API and the targets alone;
// - what a target holds is the successor's only when that is proved: it is not the fingerprinted old secret, the API
//   accepts it, and the successor's own last use is seen to move; what is not proved is not touched.
import type { Client, Key } from '../api/contract.ts'
import { KeysError } from '../errors.ts'
import type { Secret } from '../secret.ts'
import type { Held } from '../targets/target.ts'
import { getOrGone, isActive, remove, type Successor } from './account.ts'
import { lockedElsewhere, newHolder, renewLease } from './claim.ts'
import { idleness } from './evidence.ts'
import { fingerprintOf, formatMark, leaseEnd } from './marked-name.ts'
import { plan, type Start } from './plan.ts'
import { record, type RotationOptions, type RotationServices, type Run } from './run.ts'

const proofPauseMs = 1_000
/** Beyond the usage lag: how long a use may take to show. */
const proofGraceMs = 15_000
const claimMs = 2 * 60_000
const probesWhileSpreading = 5

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
  for (const successor of successors) await claim(services, options, successor)

  for (const successor of successors) {
    const found = await findSecret(services, options, successor)
    if (found === undefined) continue
    return goOn(services, options, start, successor, found)
  }
  return startAfresh(services, options, start)
}

/** Says in its name that we are at it, so that of several that find it, one goes on. */
async function claim(
  { api }: RotationServices,
  options: RotationOptions,
  { key, mark }: Successor,
): Promise<void> {
  const claimed = {
    ...mark,
    leaseUntil: leaseEnd(api.now(), claimMs + options.usageLagMs),
    holder: newHolder(),
  }
  await api.keys.rename(key.id, formatMark(claimed))
  const now = await getOrGone(api, key.id)
  if (now?.name !== formatMark(claimed)) throw lockedElsewhere(mark.oldId, claimed.leaseUntil, api.now())
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
    if (secret?.equals(value)) {
      delivered.push(target.name)
    } else if (fingerprintOf(value, mark.rotationId) === mark.fingerprint || old?.equals(value)) {
      old ??= value
      held.set(target.name, found)
    } else if (await isSecretOf(services, options, key, value)) {
      if (secret !== undefined) throw cannotTell(target.name, key)
      secret = value
      delivered.push(target.name)
    } else {
      throw cannotTell(target.name, key)
    }
  }
  return secret && { secret, old, held, delivered }
}

/** Probes with the value and watches whether the key's last use moves to that moment. */
async function isSecretOf(
  { api, clock }: RotationServices,
  options: RotationOptions,
  key: Key,
  value: Secret,
): Promise<boolean> {
  if (value.type !== key.type) return false
  const before = (await getOrGone(api, key.id))?.lastUsedAt ?? null
  // An instant before the probe on the API's clock, whose header is cut to the second.
  const probedAt = Math.floor(api.now() / 1_000) * 1_000 - 1_000
  if (!(await isAccepted(api, clock, value))) return false
  const giveUpAt = clock.now() + options.usageLagMs + proofGraceMs
  while (clock.now() < giveUpAt) {
    const after = (await getOrGone(api, key.id))?.lastUsedAt ?? null
    if (after !== null && after !== before && Date.parse(after) >= probedAt)
      return isOurProbe(api, key, probedAt)
    await clock.sleep(proofPauseMs)
  }
  return false
}

/** The audit log, where there is one, tells our probe from an application's use at the same moment. */
async function isOurProbe(api: Client, key: Key, probedAt: number): Promise<boolean> {
  let seen = 0
  try {
    for await (const event of api.auditLogs({ keyId: key.id, since: new Date(probedAt).toISOString() })) {
      if (event.userAgent.startsWith('pictify-keys/') && event.endpoint.startsWith('/templates')) return true
      if (++seen >= 500) break
    }
  } catch (error) {
    if (!(error instanceof KeysError)) throw error
    return true
  }
  return seen === 0
}

async function isAccepted(api: Client, clock: RotationServices['clock'], value: Secret): Promise<boolean> {
  for (let attempt = 0; attempt < probesWhileSpreading; attempt++) {
    if ((await api.probe(value)) === 'accepted') return true
    await clock.sleep(proofPauseMs)
  }
  return false
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
  await services.journals.prove()
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
        state: delivered.includes(name) ? 'delivered' : 'pending',
      })),
      verify: options.verify?.command,
      strays,
      self: options.self,
      compromised: options.compromised,
      deleteOld: options.deleteOld,
      notes: [],
    },
  }
  await record(run, { state: 'minted' }, { successor: secret, old, held: withOld(held, delivered, old) })
  services.report({ event: 'adopted', rotation: mark.rotationId, newKey: key.id })
  await renewLease(run)
  return run
}

/** A target that was delivered before we came held the old secret, as far as anybody knows: undoing puts that back. */
function withOld(held: Map<string, Held>, delivered: string[], old: Secret | undefined): Map<string, Held> {
  if (old === undefined) return held
  return new Map([...held, ...delivered.map((name): [string, Held] => [name, { value: old }])])
}

/**
 * The successors' secret is nowhere we can look. Where every target can be read, no application has it, and they go at
 * once; where one cannot, they stay until they are idle or our own successor has taken their place.
 */
async function startAfresh(services: RotationServices, options: RotationOptions, start: Start): Promise<Run> {
  const { account } = start
  const everyTargetReadable = options.targets.every(({ readback }) => readback === 'value')
  const strays: string[] = []
  const kept: Successor[] = []
  for (const successor of account.successors) {
    const { id } = successor.key
    if (everyTargetReadable || (await idleness(services.api, options, id)) === true) {
      await remove(services.api, id)
    } else {
      strays.push(id)
      kept.push(successor)
    }
  }
  const forward = start.forward || !isActive(account.old)
  return plan(services, options, { ...start, strays, forward, account: { ...account, successors: kept } })
}
