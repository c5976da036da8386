// Rules of this file:
// - here it is decided what comes next and what a failure means; how each step is done is in its own file;
// - before `retired` a failure undoes, where that is possible; after it there is only forward;
// - an interruption stops at the next safe point; a second one undoes as well.
import type { Client } from '../api/contract.ts'
import { Exit, hasCode, KeysError } from '../errors.ts'
import { redact } from '../secret.ts'
import { abort, isReplaced, OldKeyGone, secretsOf } from './abort.ts'
import { accept } from './accept.ts'
import { getOrGone, isActive } from './account.ts'
import { confirm, giveUpLease, isAnothers, renewLease } from './claim.ts'
import { deliver, noteOwnUse } from './deliver.ts'
import { parseMark } from './marked-name.ts'
import { mint } from './mint.ts'
import { overlap } from './overlap.ts'
import { finish, retire } from './retire.ts'
import { note, record, Setback, successorSecret, type RotationStep, type Run } from './run.ts'
import { hasReached, isOver, receiptOf, type Journal, type Receipt, type RotationState } from './state.ts'
import { verify } from './verify.ts'

/** What came of a rotation: its receipt so far, and, when it is not done, why. */
export interface Outcome {
  receipt: Receipt
  /** A client that works now: with `--self`, the successor's own. */
  api: Client
  error?: KeysError | undefined
}

/** How long after a first interruption a second one is waited for. */
const secondThoughtMs = 1_000

type OpenState = Exclude<RotationState, 'done' | 'aborting' | 'aborted'>

/** The step that leads on from each state. */
const steps: Record<OpenState, { name: RotationStep; take: (run: Run) => Promise<void> }> = {
  planned: { name: 'mint', take: mint },
  minted: { name: 'accept', take: accept },
  accepted: { name: 'deliver', take: deliver },
  delivered: { name: 'verify', take: verify },
  verified: { name: 'overlap', take: (run) => record(run, { state: 'overlapping' }) },
  overlapping: { name: 'overlap', take: overlapThenRetire },
  retired: { name: 'finish', take: finish },
}

/** Takes step after step until it is over, and turns what goes wrong into an outcome. */
export async function drive(run: Run): Promise<Outcome> {
  if (run.journal.state === 'aborting') return undo(run, failureOf(run.journal))
  try {
    await reclaim(run)
    for (let last = ''; !isOver(run.journal.state);) {
      if (run.journal.compromised === 'revoke-first') await revokeFirst(run)
      const { name, take } = steps[run.journal.state as OpenState]
      if (name !== last) run.services.report({ event: 'step', step: name })
      last = name
      await take(run)
    }
    return ended(run)
  } catch (error) {
    return settle(run, error)
  }
}

/** After a resume: are we still the one? Then say so in the name, with a lease of our own. */
async function reclaim(run: Run): Promise<void> {
  const { newKey } = run.journal
  if (newKey === undefined) return
  const own = await getOrGone(run.api, newKey.id)
  if (hasReached(run.journal.state, 'retired') && !isActive(own) && (await isReplaced(run))) {
    return endReplaced(run)
  }
  const mark = parseMark(own?.name ?? '')
  await confirm(run, run.options.takeOver)
  if (hasReached(run.journal.state, 'retired')) return
  await renewLease(run)
  const wasElsewhere = isAnothers(run.journal, mark)
  // Another machine was at it: what it did with the successor is not an application's use of it.
  if (wasElsewhere) await noteOwnUse(run)
  await deliverAgain(run, wasElsewhere)
}

/** The old key is gone, and the successor was replaced in its turn: of this rotation nothing is left to be done. */
async function endReplaced(run: Run): Promise<void> {
  const what = `${run.journal.newKey?.id} is gone too, and the targets hold neither it nor the old key`
  await note(run, 'successor-replaced', what)
  await record(run, { state: 'done', finishedAt: new Date(run.services.clock.now()).toISOString() })
}

/**
 * Ours goes once more into all targets where another machine was at it, which shows in the name or in what a target
 * holds: what it did to those that cannot be read is not known.
 */
async function deliverAgain(run: Run, wasElsewhere: boolean): Promise<void> {
  const { state, targets } = run.journal
  const delivered = targets.filter((target) => target.state === 'delivered')
  let isDoubted = wasElsewhere
  for (const { name } of delivered) isDoubted ||= !(await mayHold(run, name))
  if (!isDoubted || delivered.length === 0) return
  await record(run, {
    state: hasReached(state, 'delivered') ? 'accepted' : state,
    targets: targets.map((target) => (delivered.includes(target) ? { ...target, state: 'writing' } : target)),
  })
}

/** Whether a target holds the successor, as far as it can be seen now. */
async function mayHold(run: Run, name: string): Promise<boolean> {
  const target = run.options.targets.find((candidate) => candidate.name === name)
  if (target === undefined || target.readback === 'none') return true
  try {
    return (await target.read())?.value.equals(successorSecret(run)) === true
  } catch (error) {
    if (error instanceof KeysError) return true
    throw error
  }
}

async function overlapThenRetire(run: Run): Promise<void> {
  await overlap(run)
  run.services.report({ event: 'step', step: 'retire' })
  await retire(run)
}

async function revokeFirst(run: Run): Promise<void> {
  const { oldKey, state } = run.journal
  if (hasReached(state, 'retired') || !isActive(await getOrGone(run.api, oldKey.id))) return
  await note(
    run,
    'revoked-first',
    `${oldKey.id} was revoked before its successor was in place (--revoke-first)`,
  )
  await run.api.keys.revoke(oldKey.id)
}

/** What a failure means where it happened. */
async function settle(run: Run, error: unknown): Promise<Outcome> {
  if (isInterruption(run, error)) return interrupted(run)
  if (error instanceof Setback && error.way === 'leave') {
    if (error.error.code === 'rotation-waiting') await giveUpLease(run)
    return ended(run, error.error)
  }
  const reason = error instanceof Setback ? error.error : error
  // A defect of ours: nothing is known about it, so nothing is undone on its account; the journal has it all.
  if (!(reason instanceof KeysError)) throw reason
  if (hasCode(reason, 'state-directory')) return ended(run, needsPerson(run, reason))
  if (!isMoot(run, reason) && (await isOnlyForward(run))) return ended(run, needsPerson(run, reason))
  return undo(run, reason)
}

/** There is no forward: another rotation has the key, and no target ever held ours; or the successor is gone too. */
function isMoot({ journal: { state, targets } }: Run, reason: KeysError): boolean {
  if (hasCode(reason, 'rotation-locked')) return targets.every((target) => target.state === 'pending')
  return hasCode(reason, 'rotation-needs-person') && !hasReached(state, 'retired')
}

/** Undoes it, and says in the outcome how far that came. */
export async function undo(run: Run, reason: KeysError): Promise<Outcome> {
  try {
    await abort(run, reason)
  } catch (error) {
    if (error instanceof OldKeyGone) return forwardAgain(run)
    if (error instanceof Setback) {
      if (error.error.code === 'rotation-waiting') await giveUpLease(run)
      return ended(run, error.error)
    }
    if (error instanceof KeysError) return ended(run, needsPerson(run, error))
    throw error
  }
  return ended(run, undone(run, reason))
}

/** Somebody revoked the old key while it was put back: now the successor is all there is. */
async function forwardAgain(run: Run): Promise<Outcome> {
  const { oldKey, newKey } = run.journal
  const what = `${oldKey.id} was revoked by somebody else while the rotation was undone; going on with ${newKey?.id}`
  await note(run, 'old-key-revoked', what)
  await record(run, { state: 'accepted', failure: undefined, restoredAt: undefined })
  return drive(run)
}

async function interrupted(run: Run): Promise<Outcome> {
  const { services, journal } = run
  if (isUntouched(journal)) {
    const hint = 'nothing was changed; run the same command again to rotate the key'
    return ended(run, new KeysError('interrupted', 'interrupted before anything was changed', { hint }))
  }
  const second = services.undo.aborted ? Promise.resolve() : waitForAbort(services.undo)
  await Promise.race([second, services.clock.sleep(secondThoughtMs)])
  const what = `rotation ${journal.id} was interrupted`
  if (services.undo.aborted && !(await isOnlyForward(run))) {
    const { receipt, api, error } = await undo(run, new KeysError('interrupted', 'interrupted twice'))
    const hint =
      receipt.state === 'aborted' ? 'it was undone: the old key works and every target holds it' : error?.hint
    const why = receipt.state === 'aborted' ? '' : `, and undoing it failed: ${error?.message}`
    return { receipt, api, error: new KeysError('interrupted', `${what}${why}`, { hint, cause: error }) }
  }
  await giveUpLease(run)
  const hint = hasReached(run.journal.state, 'retired')
    ? 'the old key is revoked and the successor is in its place; run the same command again to tidy up'
    : run.journal.compromised === 'revoke-first'
      ? 'the old key was to be revoked first and may not work any more: run the same command again to go on'
      : `go on: pictify-keys rotate ${journal.id} --resume; undo it: pictify-keys rotate ${journal.id} --abort; until then the old key works`
  return ended(run, new KeysError('interrupted', what, { hint }))
}

function isUntouched({ newKey, intent, compromised }: Journal): boolean {
  return newKey === undefined && intent === undefined && compromised !== 'revoke-first'
}

function waitForAbort(signal: AbortSignal): Promise<void> {
  return new Promise((done) => signal.addEventListener('abort', () => done(), { once: true }))
}

function isInterruption(run: Run, error: unknown): boolean {
  return hasCode(error, 'interrupted') || (run.services.stop.aborted && error === run.services.stop.reason)
}

/** Once the revoke of the old key may have left, or was asked for first, undoing takes more than it gives. */
async function isOnlyForward({ api, journal }: Run): Promise<boolean> {
  if (hasReached(journal.state, 'retired')) return true
  if (!journal.retiring && journal.compromised !== 'revoke-first') return false
  try {
    return !isActive(await getOrGone(api, journal.oldKey.id))
  } catch (error) {
    if (error instanceof KeysError) return true
    throw error
  }
}

function undone(run: Run, reason: KeysError): KeysError {
  const isAsItIs = hasCode(
    reason,
    'rotation-locked',
    'key-limit-reached',
    'rotation-undone',
    'rotation-needs-person',
  )
  // Refused before there was a successor: the exit tells why, there was nothing to undo.
  const isRefusal =
    run.journal.newKey === undefined && (reason.exit === Exit.notSignedIn || reason.exit === Exit.limit)
  if (isAsItIs || isRefusal) return reason
  const message = redact(reason.message, secretsOf(run))
  return new KeysError('rotation-undone', `rotation undone: ${message}`, {
    hint:
      reason.hint ??
      'the old key still works and every target holds the old value; mend what failed and run it again',
    cause: reason,
  })
}

function needsPerson(run: Run, reason: KeysError): KeysError {
  if (reason.code === 'rotation-needs-person') return reason
  const { id, state, oldKey, newKey } = run.journal
  const keys = newKey === undefined ? oldKey.id : `${oldKey.id} → ${newKey.id}`
  const hint = 'run the same command again'
  return new KeysError(
    'rotation-needs-person',
    `rotation ${id} (${keys}) stopped at ${state}: ${redact(reason.message, secretsOf(run))}`,
    { hint: reason.hint ? `${reason.hint}; then ${hint}` : hint, cause: reason },
  )
}

/** Why it is being undone, as the run wrote it down that began to; its hint went with that. */
function failureOf({ failure }: Journal): KeysError {
  const { code, message } = failure ?? { code: 'rotation-undone', message: 'it failed' }
  if (code === 'rotation-locked') return new KeysError('rotation-locked', message)
  if (code === 'interrupted') {
    return new KeysError('rotation-undone', 'rotation undone, as asked', {
      hint: 'the old key works and every target holds it; run the same command again to rotate the key anew',
    })
  }
  return new KeysError(
    'rotation-undone',
    code === 'rotation-undone' ? message : `rotation undone: ${message}`,
    {
      hint: 'the old key still works and every target holds the old value; mend what failed and run it again',
    },
  )
}

function ended(run: Run, error?: KeysError): Outcome {
  return { receipt: receiptOf(run.journal), api: run.api, error }
}
