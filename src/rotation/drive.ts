// Rules of this file:
// - here it is decided what comes next and what a failure means; how each step is done is in its own file;
// - before `retired` a failure undoes, where that is possible; after it there is only forward;
// - an interruption stops at the next safe point; a second one undoes as well.
import { hasCode, KeysError } from '../errors.ts'
import { redact } from '../secret.ts'
import { abort, secretsOf } from './abort.ts'
import { accept } from './accept.ts'
import { confirm, giveUpLease, renewLease } from './claim.ts'
import { deliver } from './deliver.ts'
import { mint } from './mint.ts'
import { overlap } from './overlap.ts'
import { finish, retire } from './retire.ts'
import { note, record, Setback, type Run } from './run.ts'
import { hasReached, isOver, receiptOf, type Journal, type Receipt, type RotationState } from './state.ts'
import { verify } from './verify.ts'

/** What came of a rotation: its receipt so far, and, when it is not done, why. */
export interface Outcome {
  receipt: Receipt
  error?: KeysError
}

/** How long after a first interruption a second one is waited for. */
const secondThoughtMs = 1_000

type OpenState = Exclude<RotationState, 'done' | 'aborting' | 'aborted'>

/** The step that leads on from each state. */
const steps: Record<OpenState, { name: string; take: (run: Run) => Promise<void> }> = {
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
    if (run.journal.compromised === 'revoke-first') await revokeFirst(run)
    for (let last = ''; !isOver(run.journal.state);) {
      const { name, take } = steps[run.journal.state as OpenState]
      if (name !== last) run.services.report({ event: 'step', step: name })
      last = name
      await take(run)
    }
    return { receipt: receiptOf(run.journal) }
  } catch (error) {
    return settle(run, error)
  }
}

/** After a resume: are we still the one? Then say so in the name, with a lease of our own. */
async function reclaim(run: Run): Promise<void> {
  if (run.journal.newKey === undefined) return
  await confirm(run)
  if (!hasReached(run.journal.state, 'retired')) await renewLease(run)
}

async function overlapThenRetire(run: Run): Promise<void> {
  if (!run.journal.retiring) await overlap(run)
  run.services.report({ event: 'step', step: 'retire' })
  await retire(run)
}

async function revokeFirst(run: Run): Promise<void> {
  if (hasReached(run.journal.state, 'minted')) return
  await note(
    run,
    'revoked-first',
    `${run.journal.oldKey.id} was revoked before its successor was made (--revoke-first)`,
  )
  await run.api.keys.revoke(run.journal.oldKey.id)
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
  if (isOnlyForward(run)) return ended(run, needsPerson(run, reason))
  if (run.journal.state === 'planned' && isUnclear(reason)) return ended(run, needsPerson(run, reason))
  return undo(run, reason)
}

/** Undoes it, and says in the outcome how far that came. */
export async function undo(run: Run, reason: KeysError): Promise<Outcome> {
  try {
    await abort(run, reason)
  } catch (error) {
    if (error instanceof Setback) return ended(run, error.error)
    if (error instanceof KeysError) return ended(run, needsPerson(run, error))
    throw error
  }
  return ended(run, undone(run, reason))
}

async function interrupted(run: Run): Promise<Outcome> {
  const { services } = run
  const second = services.undo.aborted ? Promise.resolve() : waitForAbort(services.undo)
  await Promise.race([second, services.clock.sleep(secondThoughtMs)])
  const error = new KeysError('interrupted', `rotation ${run.journal.id} was interrupted`, {
    hint: 'both keys are as they were; run the same command again to go on',
  })
  if (services.undo.aborted && !isOnlyForward(run)) {
    const { receipt } = await undo(run, new KeysError('interrupted', 'interrupted twice'))
    return { receipt, error }
  }
  await giveUpLease(run)
  return ended(run, error)
}

function waitForAbort(signal: AbortSignal): Promise<void> {
  return new Promise((done) => signal.addEventListener('abort', () => done(), { once: true }))
}

function isInterruption(run: Run, error: unknown): boolean {
  return hasCode(error, 'interrupted') || (run.services.stop.aborted && error === run.services.stop.reason)
}

function isOnlyForward({ journal }: Run): boolean {
  return (
    hasReached(journal.state, 'retired') ||
    journal.retiring === true ||
    journal.compromised === 'revoke-first'
  )
}

/** Whether a failed create may have worked all the same. */
function isUnclear(error: KeysError): boolean {
  return (
    hasCode(error, 'timed-out', 'connection-failed', 'tls-failed', 'dns-failed') || (error.status ?? 0) >= 500
  )
}

function undone(run: Run, reason: KeysError): KeysError {
  if (hasCode(reason, 'rotation-locked', 'key-limit-reached', 'rotation-undone')) return reason
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
  return new KeysError(
    'rotation-needs-person',
    `rotation ${id} (${keys}) stopped at ${state}: ${redact(reason.message, secretsOf(run))}`,
    {
      hint: reason.hint ? `${reason.hint}; then run the same command again` : 'run the same command again',
      cause: reason,
    },
  )
}

function failureOf(journal: Journal): KeysError {
  const { code, message } = journal.failure ?? { code: 'rotation-undone', message: 'it failed' }
  return new KeysError(code === 'rotation-locked' ? 'rotation-locked' : 'rotation-undone', message)
}

function ended(run: Run, error: KeysError): Outcome {
  return { receipt: receiptOf(run.journal), error }
}
