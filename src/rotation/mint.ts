// Rules of this file:
// - the intent is on the disk before the POST leaves, and the secret is in escrow before anything else is done with it;
// - a lost answer is got back by the same POST; where the server does not honour that, the marked name finds the orphan.
import { randomUUID } from 'node:crypto'
import type { Minted } from '../api/contract.ts'
import { hasCode, KeysError } from '../errors.ts'
import { readAccount, remove } from './account.ts'
import { leaseBound, newHolder } from './claim.ts'
import { formatMark, leaseEnd } from './marked-name.ts'
import { checkpoint, record, type Run } from './run.ts'

/** Mints the successor: state `planned` → `minted`. Repeats an earlier attempt's POST where there was one. */
export async function mint(run: Run): Promise<void> {
  checkpoint(run)
  if (run.escrowed.successor !== undefined) return identify(run)
  if (run.journal.intent === undefined) await recordIntent(run)
  const minted = await post(run)
  // The secret went into escrow as it was read (`onSecret`); what is left is which key it belongs to.
  if (minted.apiKey === undefined) return identify(run)
  await record(run, { state: 'minted', newKey: { id: minted.apiKey.id, createdAt: minted.apiKey.createdAt } })
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

async function post(run: Run, lastTry = false): Promise<Minted> {
  const { intent, oldKey } = run.journal
  if (intent === undefined) throw new KeysError('internal', 'a create without a recorded intent')
  const body = { name: intent.name, type: oldKey.type, access: oldKey.access }
  try {
    return await run.api.keys.create(body, {
      idempotencyKey: intent.idempotencyKey,
      onSecret: (successor) => record(run, {}, { successor }),
    })
  } catch (error) {
    if (lastTry || !hasCode(error, 'key-limit-reached', 'idempotency-key-reused')) throw error
    // An earlier attempt may have worked and its answer be lost for good: then that key fills the plan.
    if (!(await removeOrphans(run))) throw error
    await recordIntent(run)
    return post(run, true)
  }
}

/** The secret is there and its key is not known: the marked name tells. */
async function identify(run: Run): Promise<void> {
  const { id } = run.journal
  const { successors } = await readAccount(run.api, run.journal.oldKey.id)
  const own = successors.filter(({ mark }) => mark.rotationId === id)
  const [only] = own
  if (only !== undefined && own.length === 1) {
    await record(run, { state: 'minted', newKey: { id: only.key.id, createdAt: only.key.createdAt } })
    return
  }
  // None, or several of which one fits the secret: neither can be told apart, and no application has either yet.
  await removeOrphans(run)
  await record(run, { intent: undefined }, { successor: undefined })
  throw new KeysError(
    'rotation-undone',
    `the API's answer to the create named no key, and ${own.length} fit it`,
    {
      hint: 'run the same command again',
    },
  )
}

/** Revokes and deletes every key that carries this rotation's id. Returns whether there was one. */
export async function removeOrphans(run: Run): Promise<boolean> {
  const { successors } = await readAccount(run.api, run.journal.oldKey.id)
  const orphans = successors.filter(
    ({ mark, key }) => mark.rotationId === run.journal.id && !run.journal.strays.includes(key.id),
  )
  for (const { key } of orphans) await remove(run.api, key.id)
  return orphans.length > 0
}
