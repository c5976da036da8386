// Rules of this file:
// - the intent is on the disk before the POST leaves, and the secret is in escrow before anything else is done with it;
// - a lost answer is got back by the same POST; where the server does not honour that, the marked name finds the orphan;
// - a list may lag behind creates: that it does not show a key is no proof that there is none, but after a while.
import { randomUUID } from 'node:crypto'
import type { Minted } from '../api/contract.ts'
import { hasCode, KeysError } from '../errors.ts'
import { listLagMs, readAccount, type Successor } from './account.ts'
import { leaseBound, newHolder, removeMinted } from './claim.ts'
import { formatMark, leaseEnd } from './marked-name.ts'
import { checkpoint, pause, record, Setback, type Run } from './run.ts'

const lookPauseMs = 3_000

/** Mints the successor: state `planned` → `minted`. Repeats an earlier attempt's POST where there was one. */
export async function mint(run: Run): Promise<void> {
  checkpoint(run)
  const isRepeat = run.journal.intent !== undefined
  if (!isRepeat) await recordIntent(run)
  const minted = await post(run, isRepeat)
  const mintedAt = isRepeat ? undefined : run.services.clock.now()
  // The secret went into escrow as it was read (`onSecret`); what is left is which key it belongs to.
  const newKey = minted.apiKey ?? (await identify(run))
  await record(run, { state: 'minted', newKey: { id: newKey.id, createdAt: newKey.createdAt }, mintedAt })
}

async function recordIntent(run: Run): Promise<void> {
  const { api, journal, options } = run
  const lease = { until: leaseEnd(api.now(), leaseBound(options)), holder: newHolder() }
  const { oldKey, id: rotationId, fingerprint } = journal
  const mark = { plain: oldKey.name, oldId: oldKey.id, rotationId, fingerprint }
  const name = formatMark({ ...mark, leaseUntil: lease.until, holder: lease.holder })
  const intent = { idempotencyKey: randomUUID(), name, at: new Date(api.now()).toISOString() }
  await record(run, { intent, lease, holders: [...journal.holders, lease.holder] })
}

/** `isRepeat`: an earlier attempt may have worked, and its answer be lost for good. */
async function post(run: Run, isRepeat: boolean): Promise<Minted> {
  const { intent, oldKey } = run.journal
  if (intent === undefined) throw new KeysError('internal', 'a create without a recorded intent')
  const body = { name: intent.name, type: oldKey.type, access: oldKey.access }
  try {
    return await run.api.keys.create(body, {
      idempotencyKey: intent.idempotencyKey,
      onSecret: async (successor) => {
        run.services.learn(successor)
        await record(run, {}, { successor })
      },
    })
  } catch (error) {
    if (!(error instanceof KeysError) || hasCode(error, 'state-directory')) throw error
    return afterRefusal(run, error, isRepeat || error.maybeDone)
  }
}

/** A refusal says that this attempt made no key; where an earlier one may have, that key is looked for and removed. */
async function afterRefusal(run: Run, error: KeysError, maybeDone: boolean): Promise<Minted> {
  // A name that no key may have was never sent.
  const isRefusal =
    hasCode(error, 'invalid-name') ||
    (error.status !== undefined && error.status >= 400 && error.status < 500)
  const mayBeThere = maybeDone || hasCode(error, 'unreadable-answer')
  // Whether there is a key now is for the next run to find out: it repeats the same POST.
  if (!isRefusal && !hasCode(error, 'unreadable-answer')) throw new Setback('leave', unclear(run, error))
  if (maybeDone && !hasCode(error, 'key-limit-reached', 'validation-error', 'idempotency-key-reused')) {
    throw new Setback('leave', unclear(run, error))
  }
  const found = mayBeThere && (await removeOrphans(run, true))
  await record(run, { intent: undefined })
  if (!found || !hasCode(error, 'key-limit-reached', 'idempotency-key-reused')) throw error
  await recordIntent(run)
  return post(run, false)
}

function unclear(run: Run, cause: KeysError): KeysError {
  const what = `whether a successor of ${run.journal.oldKey.id} was created is not known`
  return new KeysError('rotation-needs-person', `${what}: ${cause.message}`, {
    hint: 'nothing else was changed; run the same command again: it finds out, and goes on',
    cause,
  })
}

/** The secret is there and its key is not known: the marked name tells, as soon as the list shows it. */
async function identify(run: Run): Promise<{ id: string; createdAt: string }> {
  const own = await ownSuccessors(run, true)
  const [first] = own
  if (first === undefined) {
    throw new Setback(
      'leave',
      new KeysError(
        'rotation-needs-person',
        'the answer to the create named no key, and the list does not show it',
        {
          hint: 'nothing else was changed; run the same command again in a minute',
        },
      ),
    )
  }
  if (own.length === 1) return first.key
  // One of them fits the secret, and no application has it yet.
  await removeMinted(
    run,
    own.map(({ key }) => key.id),
  )
  throw new KeysError('rotation-undone', `the answer to the create named no key, and ${own.length} fit it`, {
    hint: 'run the same command again',
  })
}

/** The keys that carry this rotation's id; `patient` waits as long as a list may lag, until there is one. */
async function ownSuccessors(run: Run, patient: boolean): Promise<Successor[]> {
  const giveUpAt = run.services.clock.now() + (patient ? listLagMs : 0)
  for (;;) {
    const { successors } = await readAccount(run.api, run.journal.oldKey.id)
    const own = successors.filter(
      ({ mark, key }) => mark.rotationId === run.journal.id && !run.journal.strays.includes(key.id),
    )
    if (own.length > 0 || run.services.clock.now() >= giveUpAt) return own
    await pause(run, lookPauseMs)
  }
}

/** Revokes and deletes every key that carries this rotation's id. Returns whether there was one. */
export async function removeOrphans(run: Run, patient: boolean): Promise<boolean> {
  const orphans = await ownSuccessors(run, patient)
  if (orphans.length > 0) {
    await removeMinted(
      run,
      orphans.map(({ key }) => key.id),
    )
  }
  return orphans.length > 0
}
