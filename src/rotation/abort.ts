// Rules of this file:
// - undone means: every target holds what it held, the old key works, and no key that was minted is left;
// - an application may have loaded the successor meanwhile: it goes only when it is as idle as an old key must be;
// - where the old secret cannot be put back, or does not work any more, nothing is undone: there is only forward.
import { formatDuration } from '../duration.ts'
import { hasCode, KeysError } from '../errors.ts'
import { redact, type Secret } from '../secret.ts'
import type { Target } from '../targets/target.ts'
import { getOrGone, isActive, readAccount, remove } from './account.ts'
import { byHand, isAnothers, refuseIfTakenOver, renewLease, rivalOf } from './claim.ts'
import { idleness, mayBeProbedElsewhere } from './evidence.ts'
import { refuseElsewhere } from './identity.ts'
import { parseMark } from './marked-name.ts'
import { removeOrphans } from './mint.ts'
import { restartUndone } from './restarts.ts'
import { mayHoldOurs, type TargetState } from './state.ts'
import { mendInstants, note, record, recordTarget, Setback, successorSecret, type Run } from './run.ts'

const shortestPauseMs = 200
const longestPauseMs = 15_000

/** Undoing came to find the old key gone: what was put back does not work, and the successor must go out again. */
export class OldKeyGone extends Error {}

/**
 * Undoes the rotation: any state before `retired` → `aborting` → `aborted`. Throws a Setback (`leave`) where it
 * cannot, and OldKeyGone where the old key is gone by the time some target holds it again.
 */
export async function abort(run: Run, reason: KeysError): Promise<void> {
  // With --self it may have become the successor's own client, which is about to go.
  if (run.journal.self && run.escrowed.old) run.api = run.services.api.as(run.escrowed.old)
  const isResumed = run.journal.state === 'aborting'
  const way = await wayBack(run, reason)
  if (way === 'none') throw bothGone(run)
  if (!isResumed) {
    if (way === 'old key') refuseOneWay(run, reason)
    if (way === 'successor') {
      throw onlyForward(run, reason, `${run.journal.oldKey.id} does not work any more`)
    }
  }
  await keepLease(run)
  if (!isResumed) {
    const message = redact(reason.message, secretsOf(run))
    await record(run, { state: 'aborting', failure: { code: reason.code, message } })
  }
  if ((await wayBack(run, reason)) === 'successor') throw new OldKeyGone()
  if (way !== 'replaced') await restoreTargets(run)
  await restartUndone(run)
  await removeSuccessor(run, reason)
  await removeStrays(run)
  await record(run, { state: 'aborted', finishedAt: new Date(run.services.clock.now()).toISOString() })
}

/** Undoing takes time too, and is nobody else's meanwhile; what another machine has by now is not undone. */
async function keepLease(run: Run): Promise<void> {
  const { newKey } = run.journal
  if (newKey === undefined) return
  const own = await getOrGone(run.api, newKey.id)
  if (!isActive(own)) return
  if (!run.options.takeOver) refuseIfTakenOver(run, own)
  await renewLease(run)
}

/** Every secret of the rotation, for masking. */
export function secretsOf(run: Run) {
  const { successor, old, held } = run.escrowed
  return [successor, old, ...[...held.values()].map(({ value }) => value)].filter(
    (secret) => secret !== undefined,
  )
}

function refuseOneWay(run: Run, reason: KeysError): void {
  const written = run.journal.targets.filter(
    ({ readback, state, heldUnknown }) =>
      (readback === 'none' || heldUnknown) && (state === 'writing' || state === 'delivered'),
  )
  if (written.length === 0 || run.escrowed.old !== undefined) return
  const names = written.map(({ name }) => name).join(', ')
  const why = `${names} was written, and what it held before is not known`
  throw onlyForward(run, reason, why, 'give the old secret with --old-secret-stdin to undo it after all')
}

/**
 * What there is to go back to: the `old key`, which works; the `successor` alone, so that there is only forward. Where
 * both are gone, nothing of ours is left in targets that were never written or have been `replaced`; else `none`.
 */
async function wayBack(run: Run, reason: KeysError): Promise<'old key' | 'successor' | 'replaced' | 'none'> {
  const { oldKey, newKey, targets } = run.journal
  // Where another rotation has replaced it, and no target holds ours, nothing needs the old key.
  const isUntouched = targets.every(({ state }) => state === 'pending')
  if (isUntouched && (hasCode(reason, 'rotation-locked') || newKey === undefined)) return 'old key'
  if (isActive(await getOrGone(run.api, oldKey.id))) return 'old key'
  if (newKey !== undefined && isActive(await getOrGone(run.api, newKey.id))) return 'successor'
  return isUntouched || (await isReplaced(run)) ? 'replaced' : 'none'
}

/** Whether the targets that can be read hold neither of our two keys; where none can, whether a rival is there. */
export async function isReplaced(run: Run): Promise<boolean> {
  const readable = run.options.targets.filter(({ readback }) => readback === 'value')
  if (readable.length === 0)
    return rivalOf(run, await readAccount(run.api, run.journal.oldKey.id)) !== undefined
  const { successor, old, held } = run.escrowed
  for (const target of readable) {
    const value = (await target.read())?.value
    if (value === undefined || successor?.equals(value)) return false
    // What it held before may have been a rival's already, and work.
    const isBefore = [old, held.get(target.name)?.value].some((secret) => secret?.equals(value))
    if (isBefore && (await run.api.probe(value)) !== 'accepted') return false
  }
  return true
}

function bothGone({ journal: { oldKey, newKey } }: Run): Setback {
  const what = `neither ${oldKey.id} nor its successor ${newKey?.id} works any more`
  return new Setback('leave', new KeysError('rotation-needs-person', what, { hint: byHand(oldKey) }))
}

function onlyForward(run: Run, reason: KeysError, why: string, wayBack?: string): Setback {
  const forward = `mend what failed and run the same command again; ${run.journal.newKey?.id ?? 'the new key'} stays valid`
  return new Setback(
    'leave',
    new KeysError('rotation-needs-person', `${reason.message}; this cannot be undone: ${why}`, {
      hint: wayBack === undefined ? forward : `${forward}; or ${wayBack}`,
      cause: reason,
    }),
  )
}

async function restoreTargets(run: Run): Promise<void> {
  const failed: string[] = []
  for (const { name, state, readback, heldUnknown } of run.journal.targets) {
    if (!mayHoldOurs(state)) continue
    const target = run.options.targets.find((candidate) => candidate.name === name)
    const { old } = run.escrowed
    const isKnown = readback === 'value' && !heldUnknown
    const held = isKnown ? run.escrowed.held.get(name) : old && { value: old }
    let end: TargetState = 'restored'
    try {
      if (target === undefined) throw new KeysError('target-failed', `${name} was not given this time`)
      await refuseElsewhere(run, target)
      await target.restore(held, successorSecret(run))
    } catch (error) {
      if (!(error instanceof KeysError)) throw error
      if (!hasCode(error, 'target-changed')) {
        failed.push(error.message.startsWith(name) ? error.message : `${name}: ${error.message}`)
        continue
      }
      await note(run, 'target-left', `${name} was changed by somebody else and left as it is`)
      end = 'left'
    }
    await recordTarget(run, name, end)
  }
  if (failed.length === 0) return
  throw new Setback(
    'leave',
    new KeysError('rotation-needs-person', `could not put the old value back: ${failed.join('; ')}`, {
      hint: `both keys work; mend the target, then: pictify-keys rotate ${run.journal.id} --abort`,
    }),
  )
}

async function removeSuccessor(run: Run, reason: KeysError): Promise<void> {
  const { newKey, targets } = run.journal
  const mayBeInUse = targets.some(({ state }) => state !== 'pending')
  if (newKey !== undefined && mayBeInUse) {
    if (run.options.evidence) await waitUntilIdle(run, newKey.id, reason)
    if (await mayHaveBeenElsewhere(run, newKey.id)) await restoreDoubted(run)
    // The last look before the successor goes: it may be the only key that works by now.
    if ((await wayBack(run, reason)) === 'successor') throw new OldKeyGone()
  }
  if (newKey !== undefined) await remove(run.api, newKey.id)
  if (run.journal.intent !== undefined) await removeOrphans(run, newKey === undefined)
}

/** Whether another machine may have been at it since we said in the name that we are. Throws where it is still. */
async function mayHaveBeenElsewhere({ api, journal, options }: Run, newId: string): Promise<boolean> {
  const own = await getOrGone(api, newId)
  if (isActive(own) && !options.takeOver) refuseIfTakenOver({ api, journal }, own)
  if (isAnothers(journal, parseMark(own?.name ?? ''))) return true
  // It may have come and gone between our look at the name and our rename.
  return own !== undefined && mayBeProbedElsewhere(api, own, journal.ownUseAt)
}

/** What another machine put into targets that this one had not written, or had put back, is put back too. */
async function restoreDoubted(run: Run): Promise<void> {
  const doubted: string[] = []
  for (const target of run.options.targets) {
    const value = await valueIn(target)
    if (value === 'unread' || value?.equals(successorSecret(run))) doubted.push(target.name)
  }
  if (doubted.length === 0) return
  await note(
    run,
    'taken-over',
    'another machine may have taken the rotation over; what it may have written was put back',
  )
  const targets = run.journal.targets.map((target) =>
    doubted.includes(target.name) ? { ...target, state: 'writing' as const } : target,
  )
  await record(run, { targets })
  await restoreTargets(run)
}

/** Successors of dead runs that nobody needs; one that a target may hold stays, be it as idle as it may. */
async function removeStrays(run: Run): Promise<void> {
  for (const id of run.journal.strays) {
    const isFree = !(await mayHoldStray(run)) && (await idleness(run.api, run.options, id)) === true
    if (isFree) await remove(run.api, id)
    else await note(run, 'stray-left', `${id} of an earlier rotation may still be in use and was left`)
  }
}

/** A run that was taken for dead may have come back to life, and delivered; one target may be left as the dead run left it. */
async function mayHoldStray(run: Run): Promise<boolean> {
  for (const target of run.options.targets) {
    if (target.readback === 'none') {
      const { state } = run.journal.targets.find(({ name }) => name === target.name) ?? {}
      if (state !== 'restored' && state !== 'left') return true
      continue
    }
    const value = await valueIn(target)
    if (value === 'unread') return true
    if (value !== undefined && !secretsOf(run).some((secret) => secret.equals(value))) return true
  }
  return false
}

async function valueIn(target: Target): Promise<Secret | undefined | 'unread'> {
  try {
    return (await target.read())?.value
  } catch (error) {
    if (error instanceof KeysError) return 'unread'
    throw error
  }
}

/** Here a second interruption does not stop us; a third one ends the process, and the journal goes on from here. */
async function waitUntilIdle(run: Run, id: string, reason: KeysError): Promise<void> {
  const { options, services } = run
  // Kept from run to run: a line that waits for less than the quiet time comes to its end all the same.
  await mendInstants(run)
  const restoredAt = run.journal.restoredAt ?? run.api.now()
  if (run.journal.restoredAt === undefined) await record(run, { restoredAt })
  const giveUpAt = services.clock.now() + options.waitMs
  const pauseMs = Math.min(
    Math.max((options.idleMs + options.usageLagMs) / 10, shortestPauseMs),
    longestPauseMs,
  )
  for (;;) {
    if ((await idleness(run.api, run.options, id, restoredAt)) === true) return
    const waitEndsInMs = giveUpAt - services.clock.now()
    if (waitEndsInMs <= 0) throw stillInUse(run, id)
    services.report({
      event: 'undo-wait',
      newKey: id,
      quietMs: options.idleMs + options.usageLagMs,
      waitEndsInMs,
    })
    if ((await wayBack(run, reason)) === 'successor') throw new OldKeyGone()
    await services.clock.sleep(Math.min(pauseMs, waitEndsInMs))
  }
}

function stillInUse(run: Run, id: string): Setback {
  const quiet = formatDuration(run.options.idleMs + run.options.usageLagMs)
  return new Setback(
    'leave',
    new KeysError('rotation-waiting', `the rotation is undone but for ${id}, which may still be in use`, {
      hint: `run the same command again when it has been quiet for ${quiet}: it then removes that key; --no-evidence does not wait`,
    }),
  )
}
