// Which rotation is it: a new one, one of this machine's journals, or one that another machine left?
import type { Client } from '../api/contract.ts'
import { systemCode, systemReason } from '../system-error.ts'
import { KeysError } from '../errors.ts'
import { getOrGone, isActive, readAccount, removeRevoked } from './account.ts'
import { adopt } from './adopt.ts'
import { drive, undo, type Outcome } from './drive.ts'
import { open } from './escrow.ts'
import { foundDone } from './found-done.ts'
import type { JournalEntry } from './journal.ts'
import { acquireLock } from './lock.ts'
import { parseMark } from './marked-name.ts'
import { oldKeyOf, plan } from './plan.ts'
import { hasPlacesOf, restore, resume } from './resume.ts'
import type { RotationOptions, RotationServices, Run } from './run.ts'
import { hasReached, isOver, receiptOf, type Journal, type Receipt } from './state.ts'

/**
 * Rotates a key (its id or name), or goes on with a rotation of it that is open, here or elsewhere. Throws a KeysError
 * while nothing is changed yet; afterwards says in the outcome how far it came.
 */
export async function rotate(
  services: RotationServices,
  wanted: string,
  options: RotationOptions,
): Promise<Outcome> {
  services.report({ event: 'step', step: 'plan' })
  const found = await resolve(services, wanted, options)
  return locked(services, found.oldId, options, async () => {
    const run = await begin(services, found.oldId, options)
    if ('receipt' in run) return { receipt: run.receipt, api: services.api }
    reportRotation(run)
    return drive(run)
  })
}

/** Does the work under the key's lock. That the lock stays behind, of a process that is gone by then, changes nothing. */
async function locked(
  { processes, report, stateDir }: RotationServices,
  oldId: string,
  options: RotationOptions,
  work: () => Promise<Outcome>,
): Promise<Outcome> {
  const lock = await acquireLock(stateDir, oldId, processes, options.takeOver)
  try {
    return await work()
  } finally {
    await lock.release().catch((error: unknown) => {
      if (!(error instanceof KeysError) && systemCode(error) === undefined) throw error
      const message = `the lock of ${oldId} could not be removed: ${systemReason(error)}; the next run takes it over`
      report({ event: 'warning', code: 'lock-left', message })
    })
  }
}

function reportRotation({ journal, services }: Run): void {
  const { id: rotation, state, oldKey, newKey, targets, compromised } = journal
  services.report({
    event: 'rotation',
    rotation,
    state,
    oldKey: { id: oldKey.id, name: oldKey.name },
    newKey: newKey?.id ?? null,
    targets: targets.map((target) => ({ name: target.name, state: target.state })),
    revokeFirst: compromised === 'revoke-first',
  })
}

/** Undoes an open rotation of a key. Throws `rotation-not-found` where there is none on this machine. */
export async function abortRotation(
  services: RotationServices,
  wanted: string,
  options: RotationOptions,
): Promise<Outcome> {
  const { oldId } = await resolve(services, wanted, options)
  return locked(services, oldId, options, async () => {
    const journal = await openJournal(services, oldId, options)
    if (journal === undefined) {
      throw new KeysError('rotation-not-found', `no open rotation of ${wanted} on this machine`, {
        hint: 'see pictify-keys rotations; one that another machine began is ended by running its own line again',
      })
    }
    const run = restore(services, options, journal)
    const isRevoked = !isActive(await getOrGone(run.api, journal.oldKey.id))
    const mayBeOurs = journal.retiring === true || run.journal.compromised === 'revoke-first'
    if (hasReached(journal.state, 'retired') || (mayBeOurs && isRevoked)) {
      throw new KeysError(
        'rotation-needs-person',
        `${journal.oldKey.id} is revoked already; there is only forward`,
        {
          hint: `finish it: pictify-keys rotate ${journal.id} --resume`,
        },
      )
    }
    reportRotation(run)
    const outcome = await undo(
      run,
      new KeysError('interrupted', 'it was to be undone (--abort)', {
        hint: 'run the same command again to rotate the key',
      }),
    )
    return outcome.receipt.state === 'aborted' ? { ...outcome, error: undefined } : outcome
  })
}

/** Which key is meant: by an open journal (which needs no API) or by the account. A successor leads to its old key. */
async function resolve(
  { api, journals }: RotationServices,
  wanted: string,
  options: RotationOptions,
): Promise<{ oldId: string }> {
  const entries = await journals.list()
  const open = entries.filter(isOpenFor(api.baseUrl))
  const byId = open.find(({ journal }) => journal.oldKey.id === wanted || journal.newKey?.id === wanted)
  const byName = open.filter(({ journal }) => journal.oldKey.name === wanted)
  const [only] = byName
  if (byId !== undefined && !options.takeOver) return { oldId: byId.oldKeyId }
  if (only !== undefined && byName.length === 1 && !options.takeOver) {
    await refuseAmbiguous(api, wanted, only.journal)
    return { oldId: only.oldKeyId }
  }
  // The line of a rotation that is done, and that deleted the old key, finds its receipt.
  if (entries.some(isDoneFor(api.baseUrl, wanted))) return { oldId: wanted }
  const key = await api.keys.find(wanted)
  return { oldId: parseMark(key.name)?.oldId ?? key.id }
}

/** A name that a further active key has does not say that the open rotation is meant. */
async function refuseAmbiguous(
  api: Client,
  wanted: string,
  { oldKey, newKey, self }: Journal,
): Promise<void> {
  // With --self the credential may be gone already, and the rotation must go on all the same.
  if (self) return
  const named: string[] = []
  for await (const { id, name } of api.keys.list({ status: 'active' })) {
    if (name === wanted && id !== newKey?.id) named.push(id)
  }
  // Without the old key among them, another machine may have ended the rotation; its journal here finds that out.
  if (named.length < 2 || !named.includes(oldKey.id)) return
  throw new KeysError('ambiguous-key', `"${wanted}" is the name of several keys: ${named.join(', ')}`, {
    hint: 'give the id of the one you mean',
  })
}

function isOpenFor(apiUrl: string) {
  return (entry: JournalEntry): entry is Extract<JournalEntry, { journal: Journal }> =>
    'journal' in entry && entry.journal.apiUrl === apiUrl && !isOver(entry.journal.state)
}

/** The open journal of a key. One that cannot be followed throws, or is set aside with `--take-over`. */
async function openJournal(
  { api, journals, credential, report }: RotationServices,
  oldId: string,
  options: RotationOptions,
): Promise<Journal | undefined> {
  for (const entry of await journals.list()) {
    if (entry.oldKeyId !== oldId) continue
    const problem = 'problem' in entry ? entry.problem : problemOf(entry.journal, api.baseUrl, credential)
    if (problem === undefined) {
      if ('journal' in entry && isOpenFor(api.baseUrl)(entry)) return entry.journal
      continue
    }
    if (!options.takeOver) throw problem
    const aside = await journals.setAside(entry)
    report({
      event: 'warning',
      code: 'journal-set-aside',
      message: `${problem.message}; set aside as ${aside}`,
    })
  }
  return undefined
}

/** Why an open journal cannot be gone on with. */
function problemOf(
  journal: Journal,
  apiUrl: string,
  credential: RotationServices['credential'],
): KeysError | undefined {
  if (journal.apiUrl !== apiUrl || isOver(journal.state) || journal.escrow === undefined) return undefined
  try {
    open(journal.escrow, journal.id, credential)
    return undefined
  } catch (error) {
    if (error instanceof KeysError) return error
    throw error
  }
}

async function begin(
  services: RotationServices,
  oldId: string,
  options: RotationOptions,
): Promise<Run | { receipt: Receipt }> {
  const journal = await openJournal(services, oldId, options)
  if (journal !== undefined) return resume(services, options, journal)

  const account = await readAccount(services.api, oldId)
  const finished =
    account.old?.status === 'active' ? undefined : await finishedReceipt(services, oldId, options)
  if (account.successors.length === 0 && finished !== undefined) return { receipt: finished }
  const first = account.successors[0]
  const old =
    account.old !== undefined
      ? oldKeyOf(account.old)
      : first !== undefined
        ? { ...oldKeyOf(first.key), id: oldId }
        : undefined
  if (old === undefined) {
    throw new KeysError('api-key-not-found', `there is no key ${oldId}`, {
      hint: 'pictify-keys list shows the ids and names',
    })
  }
  for (const id of await removeRevoked(services.api, old)) {
    const message = `removed ${id}, which an earlier run had revoked`
    services.report({ event: 'warning', code: 'orphan-removed', message })
  }
  if (account.successors.length === 0 && finished === undefined) {
    const receipt = await foundDone(services, options, account)
    if (receipt !== undefined) return { receipt }
  }
  const start = { old, account, strays: [], forward: false }
  return account.successors.length > 0 ? adopt(services, options, start) : plan(services, options, start)
}

/** A rotation of this key that was done on this machine: running its line once more finds it done. */
async function finishedReceipt(
  { api, journals }: RotationServices,
  oldId: string,
  options: RotationOptions,
): Promise<Receipt | undefined> {
  const entry = (await journals.list()).find(isDoneFor(api.baseUrl, oldId))
  if (entry === undefined) return undefined
  const { journal } = entry
  if (!hasPlacesOf(options, journal)) throw doneElsewhere(journal)
  return receiptOf(journal)
}

function doneElsewhere({ id, oldKey, newKey, targets }: Journal): KeysError {
  const names = targets.map(({ name }) => name).join(', ')
  const what = `${oldKey.id} was rotated to ${newKey?.id} already (rotation ${id}), in other targets: ${names}`
  return new KeysError('rotation-differs', what, {
    hint: `for a key in further places rotate the one in use: pictify-keys rotate ${newKey?.id} --to …`,
  })
}

function isDoneFor(apiUrl: string, oldId: string) {
  return (entry: JournalEntry): entry is Extract<JournalEntry, { journal: Journal }> =>
    'journal' in entry &&
    entry.oldKeyId === oldId &&
    entry.journal.apiUrl === apiUrl &&
    entry.journal.state === 'done'
}
