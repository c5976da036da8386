// Rules of this file:
// - where a target can stage the successor, it is proved from there before an application reads it;
// - targets that cannot be read back go last, when all others hold the successor and it works from there;
// - a failure retries only the targets that failed, with the same secret;
// - a target that somebody else changed is left alone.
import { hasCode, KeysError } from '../errors.ts'
import type { Secret } from '../secret.ts'
import type { Target } from '../targets/target.ts'
import { stayTheOne } from './claim.ts'
import { refuseElsewhere } from './identity.ts'
import { fingerprintOf } from './marked-name.ts'
import { checkpoint, pause, record, recordTarget, successorSecret, type Run } from './run.ts'
import { mayHoldOurs } from './state.ts'

const attempts = 3
const firstBackoffMs = 500
/** For a probe that gets no clear answer: how often it is asked again. */
const probeAttempts = 10
const probePauseMs = 500

/** Puts the successor into every target: state `accepted` → `delivered`. */
export async function deliver(run: Run): Promise<void> {
  const { targets } = run.options
  await deliverTo(
    run,
    targets.filter(({ readback }) => readback === 'value'),
  )
  const oneWay = targets.filter(({ readback }) => readback === 'none')
  if (oneWay.length > 0) {
    await proveReadable(run)
    await deliverTo(run, oneWay)
  }
  const { deliveries = 0 } = run.journal
  await record(run, { state: 'delivered', deliveredAt: run.api.now(), deliveries: deliveries + 1 })
}

/** Probes with the value read back from each target that can be read. Throws `verify-failed` or `target-failed`. */
export async function proveReadable(run: Run): Promise<void> {
  const secret = successorSecret(run)
  for (const target of run.options.targets) {
    if (target.readback === 'none') continue
    const held = await target.read()
    if (held === undefined || !held.value.equals(secret)) throw changed(target)
    await proveAccepted(run, held.value, target.name)
  }
}

/** Asks until the API gives a clear answer; anything but `accepted` throws `verify-failed`. */
export async function proveAccepted(run: Run, secret: Secret, where: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const answer = await run.api.probe(secret)
    if (answer === 'accepted') break
    if (attempt === probeAttempts) {
      await noteOwnUse(run)
      throw new KeysError(
        'verify-failed',
        answer === 'refused'
          ? `the API refuses the new key as ${where} holds it`
          : `the API gave no clear answer about the new key as ${where} holds it`,
        { hint: 'see whether the API is in order, then run the same command again' },
      )
    }
    await pause(run, probePauseMs)
  }
  await noteOwnUse(run)
}

/** Writes down that the successor's use up to now may be our own. */
export async function noteOwnUse(run: Run): Promise<void> {
  await record(run, { ownUseAt: run.api.now() })
}

async function deliverTo(run: Run, targets: readonly Target[]): Promise<void> {
  let left = targets
  for (let attempt = 1; left.length > 0; attempt++) {
    const failed: { target: Target; error: KeysError }[] = []
    for (const target of left) {
      checkpoint(run)
      await stayTheOne(run)
      const error = await deliverOne(run, target)
      if (error === undefined) continue
      const told = { event: 'target-failed', target: target.name, message: error.message } as const
      run.services.report({ ...told, attempt, attempts })
      failed.push({ target, error })
    }
    const final = failed.filter(({ error }) => hasCode(error, 'target-changed', 'target-refused'))
    if (final.length > 0 || (failed.length > 0 && attempt === attempts)) throw allFailed(failed)
    left = failed.map(({ target }) => target)
    if (left.length > 0) await pause(run, firstBackoffMs * 2 ** (attempt - 1))
  }
}

async function deliverOne(run: Run, target: Target): Promise<KeysError | undefined> {
  const secret = successorSecret(run)
  const known = run.journal.targets.find(({ name }) => name === target.name)
  const { state, heldUnknown } = known ?? {}
  if (state === 'delivered' && target.readback === 'none') return undefined
  let identity = known?.identity
  let isStaged = false
  let isWritten = false
  try {
    await refuseElsewhere(run, target)
    if (heldUnknown) await learnHeld(run, target)
    if (state !== 'writing') await recordTarget(run, target.name, 'writing')
    const held = run.escrowed.held.get(target.name)
    if (target.stage) {
      const staged = await target.stage(secret, held)
      isStaged = true
      if (!staged.equals(secret)) throw changed(target)
      await proveAccepted(run, staged, target.name)
    }
    await stayTheOne(run, target.timeoutMs)
    await target.write(secret, held)
    isWritten = true
    if (target.readback === 'value') {
      const held = await target.read()
      if (held === undefined || !held.value.equals(secret)) throw changed(target)
    }
    // What was made just now had none before.
    identity ??= await target.identify?.()
  } catch (error) {
    if (!(error instanceof KeysError) || hasCode(error, 'state-directory', 'interrupted')) throw error
    // That nothing was put there this time does not undo an earlier write that may have happened.
    if (!mayHoldOurs(state) && !isStaged && !isWritten && saysNothingWasPut(target, error)) {
      await recordTarget(run, target.name, 'failed')
    }
    return error
  }
  await recordTarget(run, target.name, 'delivered', identity)
  return undefined
}

/** A place that can be read is looked at when it is undone, where it may have taken something before it refused. */
function saysNothingWasPut({ readback }: Target, error: KeysError): boolean {
  if (readback === 'value') return hasCode(error, 'target-failed')
  return hasCode(error, 'target-failed', 'target-refused', 'target-changed')
}

/** Another machine wrote it first, and undid that since: what it holds is the old secret, as its fingerprint shows. */
async function learnHeld(run: Run, target: Target): Promise<void> {
  const { id, fingerprint, targets } = run.journal
  const found = target.readback === 'value' ? await target.read() : undefined
  if (found === undefined || fingerprintOf(found.value, id) !== fingerprint) return
  run.services.learn(found.value)
  const known = targets.map((each) => (each.name === target.name ? { ...each, heldUnknown: false } : each))
  const { old, held } = run.escrowed
  await record(
    run,
    { targets: known },
    { old: old ?? found.value, held: new Map(held).set(target.name, found) },
  )
}

function changed(target: Target): KeysError {
  return new KeysError('target-changed', `${target.name} does not hold what was written to it`, {
    hint: 'find out who else writes there, then run the same command again',
  })
}

function allFailed(failed: { target: Target; error: KeysError }[]): KeysError {
  const [first] = failed
  if (first !== undefined && failed.length === 1) return first.error
  return new KeysError('target-failed', failed.map(({ error }) => error.message).join('; '), {
    hint: first?.error.hint,
  })
}
