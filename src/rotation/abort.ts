// Rules of this file:
// - undone means: every target holds what it held, the old key works, and no key that was minted is left;
// - an application may have loaded the successor meanwhile: it goes only when it is as idle as an old key must be;
// - where the old secret cannot be put back, or does not work any more, nothing is undone: there is only forward.
import { formatDuration } from '../duration.ts'
import { hasCode, KeysError } from '../errors.ts'
import { redact } from '../secret.ts'
import { getOrGone, isActive, remove } from './account.ts'
import { idleness } from './evidence.ts'
import { removeOrphans } from './mint.ts'
import { note, record, recordTarget, Setback, successorSecret, type Run } from './run.ts'

const shortestPauseMs = 200
const longestPauseMs = 15_000

/** Undoes the rotation: any state before `retired` → `aborting` → `aborted`. Throws a Setback (`leave`) where it cannot. */
export async function abort(run: Run, reason: KeysError): Promise<void> {
  // With --self it may have become the successor's own client, which is about to go.
  if (run.journal.self && run.escrowed.old) run.api = run.services.api.as(run.escrowed.old)
  if (run.journal.state !== 'aborting') {
    refuseOneWay(run, reason)
    await refuseWithoutOld(run, reason)
    const message = redact(reason.message, secretsOf(run))
    await record(run, { state: 'aborting', failure: { code: reason.code, message } })
  }
  await restoreTargets(run)
  await removeSuccessor(run)
  for (const id of run.journal.strays) {
    if ((await idleness(run.api, run.options, id)) === true) await remove(run.api, id)
    else await note(run, 'stray-left', `${id} of an earlier rotation may still be in use and was left`)
  }
  await record(run, { state: 'aborted', finishedAt: new Date(run.services.clock.now()).toISOString() })
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
    ({ readback, state }) => readback === 'none' && (state === 'writing' || state === 'delivered'),
  )
  if (written.length === 0 || run.escrowed.old !== undefined) return
  const names = written.map(({ name }) => name).join(', ')
  const why = `${names} was written, cannot be read back, and what it held before is not known`
  throw onlyForward(run, reason, why, 'give the old secret with --old-secret-stdin to undo it after all')
}

async function refuseWithoutOld(run: Run, reason: KeysError): Promise<void> {
  const { oldKey, state, targets } = run.journal
  if (state === 'planned') return
  // Another rotation has replaced it, and no target holds ours: there is nothing that needs the old key.
  if (hasCode(reason, 'rotation-locked') && targets.every((target) => target.state === 'pending')) return
  const key = await getOrGone(run.api, oldKey.id)
  if (!isActive(key)) throw onlyForward(run, reason, `${oldKey.id} does not work any more`)
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
  for (const { name, state, readback } of run.journal.targets) {
    if (state === 'pending' || state === 'failed' || state === 'restored') continue
    const target = run.options.targets.find((candidate) => candidate.name === name)
    const { old } = run.escrowed
    const held = readback === 'value' ? run.escrowed.held.get(name) : old && { value: old }
    try {
      if (target === undefined) throw new KeysError('target-failed', `${name} was not given this time`)
      await target.restore(held, successorSecret(run))
    } catch (error) {
      if (!(error instanceof KeysError)) throw error
      if (!hasCode(error, 'target-changed')) {
        failed.push(`${name}: ${error.message}`)
        continue
      }
      await note(run, 'target-left', `${name} was changed by somebody else and left as it is`)
    }
    await recordTarget(run, name, 'restored')
  }
  if (failed.length === 0) return
  throw new Setback(
    'leave',
    new KeysError('rotation-needs-person', `could not put the old value back: ${failed.join('; ')}`, {
      hint: 'both keys work; mend the target and run the same command again to go on undoing',
    }),
  )
}

async function removeSuccessor(run: Run): Promise<void> {
  const { newKey, targets } = run.journal
  const mayBeInUse = targets.some(({ state }) => state !== 'pending')
  if (newKey !== undefined && mayBeInUse && run.options.evidence && run.options.compromised === undefined) {
    await waitUntilIdle(run, newKey.id)
  }
  if (newKey !== undefined) await remove(run.api, newKey.id)
  if (run.journal.intent !== undefined) await removeOrphans(run)
}

/** Here a second interruption does not stop us; a third one ends the process, and the journal goes on from here. */
async function waitUntilIdle(run: Run, id: string): Promise<void> {
  const { options, services } = run
  const giveUpAt = services.clock.now() + options.waitMs
  const pauseMs = Math.min(
    Math.max((options.idleMs + options.usageLagMs) / 10, shortestPauseMs),
    longestPauseMs,
  )
  for (;;) {
    if ((await idleness(run.api, run.options, id)) === true) return
    const waitEndsInMs = giveUpAt - services.clock.now()
    if (waitEndsInMs <= 0) throw stillInUse(run, id)
    services.report({ event: 'undo-wait', newKey: id, waitEndsInMs })
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
