// Rules of this file:
// - a rotation that another machine ended has left no mark: that it is done is shown by the old key and the targets;
// - shown means: every target can be read and holds the secret of one active key with the old one's name and type.
import { randomBytes } from 'node:crypto'
import type { Key } from '../api/contract.ts'
import { hasCode } from '../errors.ts'
import type { Account } from './account.ts'
import { isSecretOf } from './ownership.ts'
import { oldKeyOf } from './plan.ts'
import { waitsOf, type RotationOptions, type RotationServices } from './run.ts'
import { receiptOf, type Journal, type Receipt } from './state.ts'

/**
 * The receipt of a rotation of a revoked key of which only its end is to be seen; undefined where that is not shown.
 * What is left to be done (`--delete`) is done, and the receipt kept.
 */
export async function foundDone(
  services: RotationServices,
  options: RotationOptions,
  account: Account,
): Promise<Receipt | undefined> {
  const { old } = account
  if (old?.status !== 'revoked') return undefined
  const successor = await successorInTargets(services, options, account, old)
  if (successor === undefined) return undefined
  const { api, clock, journals } = services
  const now = new Date(clock.now()).toISOString()
  const journal: Journal = {
    id: randomBytes(3).toString('hex'),
    apiUrl: api.baseUrl,
    state: 'done',
    startedAt: now,
    updatedAt: now,
    finishedAt: now,
    oldKey: oldKeyOf(old),
    newKey: { id: successor.id, createdAt: successor.createdAt },
    lease: { until: 0, holder: '' },
    holders: [],
    fingerprint: 'none',
    targets: options.targets.map(({ name, place, readback }) => ({
      name,
      place,
      readback,
      state: 'delivered',
    })),
    cwd: options.cwd,
    verify: undefined,
    restarts: undefined,
    waits: waitsOf(options),
    strays: [],
    unheld: false,
    self: options.self,
    compromised: options.compromised,
    deleteOld: options.deleteOld,
    notes: [`it was done before: ${old.id} is revoked, and every target holds ${successor.id}`],
  }
  if (options.deleteOld) {
    await api.keys.delete(old.id).catch((error: unknown) => {
      if (!hasCode(error, 'api-key-not-found')) throw error
    })
  }
  await journals.save(journal)
  return receiptOf(journal)
}

/** The one key that every target holds, where it is as a successor is in the end. */
async function successorInTargets(
  services: RotationServices,
  options: RotationOptions,
  { others }: Account,
  old: Key,
): Promise<Key | undefined> {
  const named = others.filter(({ name, type }) => name === oldKeyOf(old).name && type === old.type)
  if (named.length === 0) return undefined
  if (options.targets.some(({ readback }) => readback === 'none')) return undefined
  const held = await Promise.all(options.targets.map((target) => target.read()))
  const value = held[0]?.value
  if (value === undefined || !held.every((other) => other?.value.equals(value))) return undefined
  services.learn(value)
  for (const key of named) if (await isSecretOf(services, options, key, value)) return key
  return undefined
}
