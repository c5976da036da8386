// Rules of this file:
// - of two rotations of one key, on any machines, one goes on: the earlier marked successor's;
// - a run says in its successor's name until when it will have ended, and holds nobody up after that;
// - a run whose lease has run out changes nothing more before it has read the list and found itself still the one.
import { randomInt } from 'node:crypto'
import type { Key } from '../api/contract.ts'
import { formatDuration } from '../duration.ts'
import { hasCode, KeysError } from '../errors.ts'
import type { Target } from '../targets/target.ts'
import { getOrGone, isActive, listLagMs, readAccount, remove, type Account } from './account.ts'
import { formatMark, leaseEnd, parseMark, type Mark } from './marked-name.ts'
import { note, record, Setback, type RotationOptions, type Run } from './run.ts'
import { hasReached, isOver, type Journal, type OldKey } from './state.ts'

export function newHolder(): string {
  return randomInt(36 ** 4)
    .toString(36)
    .padStart(4, '0')
}

/** By when a run with these options has ended by itself, counted from now. Milliseconds. */
export function leaseBound(options: RotationOptions): number {
  const deliver = options.targets.reduce((sum, target) => sum + deliverBound(target), 0)
  // once on the way there, once on the way back
  const restarts = options.restarts.reduce((sum, { timeoutMs }) => sum + 2 * timeoutMs, 0)
  return (
    acceptBound(options.settleMs) +
    deliver +
    restarts +
    (options.verify?.timeoutMs ?? 0) +
    options.waitMs +
    2 * 60_000
  )
}

/**
 * How long one target keeps a run, be it tried three times: staged, written and read back each time. One that takes
 * longer still, for the API too is slow, renews its lease on the way (`stayTheOne`).
 */
function deliverBound({ readback, timeoutMs }: Target): number {
  if (timeoutMs !== undefined) return 3 * 3 * timeoutMs + 20_000
  return readback === 'none' ? 200_000 : 30_000
}

/** How long a successor may take to be accepted before the rotation is undone. */
export function acceptBound(settleMs: number): number {
  return Math.max(4 * settleMs, 10_000)
}

/** Puts a fresh lease into the successor's name. */
export async function renewLease(run: Run): Promise<void> {
  await setLease(run, { until: leaseEnd(run.api.now(), leaseBound(run.options)), holder: newHolder() })
}

/** Lets any machine go on from here. */
export async function giveUpLease(run: Run): Promise<void> {
  const { newKey, state, lease } = run.journal
  if (newKey === undefined || isOver(state)) return
  try {
    // A run that slept past its lease may find another machine's there, which is not ours to give up.
    const mark = parseMark((await getOrGone(run.api, newKey.id))?.name ?? '')
    if (mark === undefined || isAnothers(run.journal, mark)) return
    // Who gave it up stays to be seen: the run that had it before must know that another one was at it.
    await setLease(run, { until: 0, holder: lease.holder })
  } catch (error) {
    if (!(error instanceof KeysError)) throw error
    // It runs out by itself; nothing is lost but time.
    run.services.report({
      event: 'warning',
      code: 'lease',
      message: `could not give the lease up: ${error.message}`,
    })
  }
}

async function setLease(run: Run, lease: { until: number; holder: string }): Promise<void> {
  const { journal } = run
  if (journal.newKey === undefined) return
  // Written down first: a name of ours that the journal does not know would look like another machine's.
  await record(run, { lease, holders: [...journal.holders, lease.holder] })
  const { oldKey, id: rotationId, fingerprint } = journal
  const mark = { plain: oldKey.name, oldId: oldKey.id, rotationId, fingerprint }
  await run.api.keys.rename(
    journal.newKey.id,
    formatMark({ ...mark, leaseUntil: lease.until, holder: lease.holder }),
  )
}

/**
 * Before anything is changed: is the lease still ours, and will it be for as long as that takes (milliseconds)? If not,
 * only after another look at the list, and under a new one.
 */
export async function stayTheOne(run: Run, forMs = 0): Promise<void> {
  const { lease, newKey } = run.journal
  if (newKey === undefined || lease.until === 0 || run.api.now() + forMs < lease.until) return
  await confirm(run)
  await renewLease(run)
}

/**
 * Reads the list and finds out whether this rotation is still the one that goes on. Sweeps keys that a repeated mint
 * left. Throws a Setback where it is not; `takeOver` overrides another machine's lease. Returns what it read.
 */
export async function confirm(run: Run, takeOver = false): Promise<Account> {
  const account = await readAccount(run.api, run.journal.oldKey.id)
  await sweepDuplicates(run, account)
  const { newKey } = run.journal
  if (newKey === undefined) return account

  const own =
    account.successors.find(({ key }) => key.id === newKey.id)?.key ?? (await getOrGone(run.api, newKey.id))
  if (!isActive(own)) {
    refuseIfRivalWon(run, account)
    throw successorGone(run, own, account)
  }
  if (!takeOver) refuseIfTakenOver(run, own)
  refuseIfEarlier(run, account)
  await refuseIfRotatedMeanwhile(run, own, account)
  return account
}

/**
 * Later successors of runs that have ended, or died: ours goes on, so they go together with the old key, under the same
 * evidence. Their own runs undo themselves when they are run again, if they ever are.
 */
export async function takeInStrays(run: Run): Promise<void> {
  const { journal, api } = run
  const { successors } = await readAccount(api, journal.oldKey.id)
  const ours = [journal.newKey?.id, ...journal.strays]
  const left = successors.filter(({ key, mark }) => !ours.includes(key.id) && mark.leaseUntil <= api.now())
  if (left.length === 0) return
  await record(run, { strays: [...journal.strays, ...left.map(({ key }) => key.id)] })
}

/**
 * Removes keys that this rotation minted. They are written down first: of one that is revoked, and not yet deleted, no
 * list of active keys tells the run that goes on from here.
 */
export async function removeMinted(run: Run, ids: readonly string[]): Promise<void> {
  const others = run.journal.strays.filter((id) => !ids.includes(id))
  await record(run, { strays: [...others, ...ids] })
  for (const id of ids) await remove(run.api, id)
  await record(run, { strays: others })
}

/** Keys that carry this rotation's id and are not its successor: a server that ignored the idempotency key minted them. */
async function sweepDuplicates(run: Run, account: Account): Promise<void> {
  const { id, newKey, strays } = run.journal
  if (newKey === undefined) return
  const kept = [newKey.id, ...strays]
  const orphans = account.successors.filter(
    ({ key, mark }) => mark.rotationId === id && !kept.includes(key.id),
  )
  for (const { key } of orphans) {
    await removeMinted(run, [key.id])
    account.successors = account.successors.filter((successor) => successor.key.id !== key.id)
    await note(run, 'orphan-removed', `removed ${key.id}, which a repeated create had left`)
  }
}

function successorGone(run: Run, own: Key | undefined, account: Account): Setback {
  const { newKey, oldKey } = run.journal
  const what = `the successor ${newKey?.id} was ${own === undefined ? 'deleted' : 'revoked'} by somebody else`
  if (isActive(account.old)) {
    return new Setback('undo', new KeysError('rotation-undone', what, { hint: 'run the same command again' }))
  }
  // Undoing finds out whether anything of ours is still needed.
  return new Setback(
    'undo',
    new KeysError('rotation-needs-person', `${what}, and ${oldKey.id} no longer works either`, {
      hint: byHand(oldKey),
    }),
  )
}

/** What a person does when both keys are gone. */
export function byHand({ name, type }: OldKey): string {
  return `where the targets hold no key that works, create one and put it there: pictify-keys create ${JSON.stringify(name)} --type ${type} --to …`
}

/** Whether another machine has written its lease, or that it gave it up, into the successor's name since we did. */
export function isAnothers({ holders }: Journal, mark: Mark | undefined): mark is Mark {
  return mark !== undefined && !holders.includes(mark.holder)
}

/** Another machine has the rotation now, and its lease stands. */
export function refuseIfTakenOver({ api, journal }: Pick<Run, 'api' | 'journal'>, own: Key): void {
  const mark = parseMark(own.name)
  if (!isAnothers(journal, mark) || mark.leaseUntil <= api.now()) return
  throw new Setback('leave', lockedElsewhere(journal.oldKey.id, mark.leaseUntil, api.now()))
}

/**
 * Another machine had the rotation since this run began, be it over by now: what it did with the successor may have been
 * taken for an application's use of it.
 */
export function refuseIfElsewhere({ api, journal }: Run, { successors }: Account): void {
  const mark = successors.find(({ key }) => key.id === journal.newKey?.id)?.mark
  if (!isAnothers(journal, mark)) return
  throw new Setback('leave', lockedElsewhere(journal.oldKey.id, 0, api.now()))
}

function refuseIfEarlier(run: Run, account: Account): void {
  const ours = [run.journal.newKey?.id, ...run.journal.strays]
  const [first] = account.successors
  if (first === undefined || ours.includes(first.key.id)) return
  throw new Setback('undo', lockedElsewhere(run.journal.oldKey.id, first.mark.leaseUntil, run.api.now()))
}

/** The old key is gone and not by us: did another rotation of it come and go while this one slept? */
async function refuseIfRotatedMeanwhile(run: Run, own: Key, account: Account): Promise<void> {
  const { journal } = run
  if (isActive(account.old) || journal.retiring) return
  if (hasReached(journal.state, 'retired') || parseMark(own.name) === undefined) return
  refuseIfRivalWon(run, account)
  if (journal.compromised === 'revoke-first') return
  await note(
    run,
    'old-key-revoked',
    `${journal.oldKey.id} was revoked by somebody else; there is only forward`,
  )
}

/** Another machine's successor has the plain name by now, or goes on: this rotation has nothing left to do. */
function refuseIfRivalWon(run: Run, account: Account): void {
  const { journal } = run
  if (isActive(account.old) && account.successors.length === 0) return
  if (journal.targets.some(({ state }) => state !== 'pending')) return
  const rival = rivalOf(run, account)
  if (rival === undefined) return
  throw new Setback(
    'undo',
    new KeysError('rotation-locked', `${journal.oldKey.id} was rotated elsewhere meanwhile, to ${rival.id}`, {
      hint: 'nothing more is to be done',
    }),
  )
}

/** Another successor of the old key: one that is in its place by now, or goes on. */
export function rivalOf({ journal }: Run, { others, successors }: Account): Key | undefined {
  // A plan that revoked first and died may be much older than its create.
  const began = Date.parse(journal.startedAt)
  // One that was minted before our plan read the list may not have shown in it.
  const since = Math.min(began, Date.parse(journal.intent?.at ?? journal.startedAt)) - listLagMs
  const isOurs = ({ id }: Key) => id === journal.newKey?.id
  // One that was taken for a dead run's may have come back to life, and won.
  const isNew = ({ id, createdAt }: Key) => Date.parse(createdAt) >= since || journal.strays.includes(id)
  return (
    others.find((key) => !isOurs(key) && key.name === journal.oldKey.name && isNew(key)) ??
    successors.find(({ key }) => !isOurs(key) && !journal.strays.includes(key.id))?.key
  )
}

/** The refusal (exit 8) for a key that another run has until `leaseUntil` (API clock, Unix ms; 0: given up). */
export function lockedElsewhere(oldId: string, leaseUntil: number, now: number): KeysError {
  if (leaseUntil <= now) {
    return new KeysError('rotation-locked', `another rotation of ${oldId} goes on`, {
      hint: 'run the same command again',
    })
  }
  const until = new Date(leaseUntil).toISOString().slice(0, 16).replace('T', ' ')
  const left = formatDuration(leaseUntil - now)
  return new KeysError(
    'rotation-locked',
    `${oldId} is being rotated elsewhere, until ${until} UTC at the latest (${left})`,
    {
      hint: 'run the same command again then; if that run is known to be dead, add --take-over',
    },
  )
}

/** Whether an error says that a key is not there (any more). */
export function isGone(error: unknown): boolean {
  return hasCode(error, 'api-key-not-found')
}
