// Rules of this file:
// - right before the old key goes, everything that makes that safe is looked at once more;
// - once its revoke may have left, there is only forward.
import { hasCode, KeysError } from '../errors.ts'
import { getOrGone, isActive, remove, removeRevoked } from './account.ts'
import { byHand, confirm, isGone, refuseIfElsewhere, stayTheOne } from './claim.ts'
import { proveAccepted, proveReadable } from './deliver.ts'
import { plainName } from './marked-name.ts'
import { note, pause, record, Setback, successorSecret, type Run } from './run.ts'

const refusedWithinMs = 30_000
const refusedPauseMs = 250

/** Revokes the old key: state `overlapping` → `retired`. */
export async function retire(run: Run): Promise<void> {
  try {
    await stayTheOne(run)
    refuseIfElsewhere(run, await confirm(run))
    await proveReadable(run)
    await proveAccepted(run, successorSecret(run), 'escrow')
  } catch (error) {
    throw hasPassing(error) ? notNow(error) : error
  }
  await record(run, { retiring: true })
  await revokeOld(run)
  await record(run, { state: 'retired' })
}

/** Whether an error says only that the API cannot be asked just now; a rotation that has waited is not undone for it. */
function hasPassing(error: unknown): error is KeysError {
  return (
    hasCode(error, 'rate-limit', 'timed-out', 'connection-failed', 'dns-failed', 'tls-failed') ||
    (error instanceof KeysError && (error.status ?? 0) >= 500)
  )
}

function notNow(cause: KeysError): Setback {
  return new Setback(
    'leave',
    new KeysError('rotation-waiting', `the old key is not revoked yet: ${cause.message}`, {
      hint: 'both keys work; run the same command again to go on, here or on another machine',
      cause,
    }),
  )
}

async function revokeOld(run: Run): Promise<void> {
  const { oldKey } = run.journal
  try {
    await run.api.keys.revoke(oldKey.id)
  } catch (error) {
    if (isGone(error)) return
    throw error
  }
}

/** Proves the end, gives the successor the plain name, tidies up: state `retired` → `done`. */
export async function finish(run: Run): Promise<void> {
  const { clock } = run.services
  const defiant = await proveOldRefused(run)
  await proveAccepted(run, successorSecret(run), 'escrow')
  await retireStrays(run)
  await rename(run)
  if (run.journal.deleteOld) await deleteOld(run)
  await record(run, { state: 'done', finishedAt: new Date(clock.now()).toISOString() })
  if (defiant !== undefined) throw new Setback('leave', defiant)
}

/** Throws while the key is active; returns what is wrong when it is revoked and its secret, as far as we know it, works. */
async function proveOldRefused(run: Run): Promise<KeysError | undefined> {
  const { oldKey } = run.journal
  let key = await getOrGone(run.api, oldKey.id)
  if (isActive(key)) {
    await revokeOld(run)
    key = await getOrGone(run.api, oldKey.id)
  }
  if (isActive(key)) throw stillAlive(oldKey.id, 'is still active after its revoke')
  const { old } = run.escrowed
  if (old === undefined || old.equals(successorSecret(run))) return undefined
  const giveUpAt = run.services.clock.now() + refusedWithinMs
  for (;;) {
    const answer = await run.api.probe(old)
    if (answer === 'refused') return undefined
    if (run.services.clock.now() >= giveUpAt) {
      if (answer === 'accepted') {
        await note(
          run,
          'old-secret-works',
          `${oldKey.id} is revoked, yet the secret the targets held before works`,
        )
        return oldSecretWorks(oldKey.id)
      }
      await note(
        run,
        'old-key-unproved',
        `the API would not say whether it refuses ${oldKey.id}; its status is revoked`,
      )
      return undefined
    }
    await pause(run, refusedPauseMs)
  }
}

function stillAlive(id: string, what: string): KeysError {
  return new KeysError('rotation-needs-person', `${id} ${what}`, {
    hint: `the successor works everywhere; run the same command again, or revoke it by hand: pictify-keys revoke ${id}`,
  })
}

function oldSecretWorks(id: string): KeysError {
  return new KeysError(
    'rotation-needs-person',
    `the rotation is done, but the secret that was replaced still works`,
    {
      hint: `it is not that of ${id}, which is revoked, or the API still accepts it: find out which key it is (pictify-keys usage) and revoke that too`,
    },
  )
}

/** Successors of dead runs whose secret was lost, or that were revoked: nothing needs them now that all targets hold ours. */
async function retireStrays(run: Run): Promise<void> {
  for (const id of run.journal.strays) {
    await remove(run.api, id)
    const message = `removed ${id}, a successor whose secret was lost and that nothing needs any more`
    run.services.report({ event: 'warning', code: 'orphan-removed', message })
  }
  await removeRevoked(run.api, run.journal.oldKey)
}

async function rename(run: Run): Promise<void> {
  const { newKey, oldKey } = run.journal
  if (newKey === undefined) return
  // Somebody may have renamed the old key meanwhile; what they call it now is the name.
  const name = plainName((await getOrGone(run.api, oldKey.id))?.name ?? oldKey.name)
  const ended = (how: 'revoked' | 'deleted') => {
    const what = `the successor ${newKey.id} was ${how} by somebody else`
    const hint = byHand({ ...oldKey, name })
    return new Setback('leave', new KeysError('rotation-needs-person', what, { hint }))
  }
  try {
    const renamed = await run.api.keys.rename(newKey.id, name)
    // A name is given to a key that does not work any more as well.
    if (!isActive(renamed)) throw ended('revoked')
  } catch (error) {
    throw isGone(error) ? ended('deleted') : error
  }
}

async function deleteOld(run: Run): Promise<void> {
  try {
    await run.api.keys.delete(run.journal.oldKey.id)
  } catch (error) {
    if (!hasCode(error, 'api-key-not-found')) throw error
  }
}
