import type { Client, Key } from '../api/contract.ts'
import type { Known, OpenRotation } from '../audit/survey.ts'
import type { Context } from '../context.ts'
import { KeysError } from '../errors.ts'
import { createJournals, type JournalEntry } from '../rotation/journal.ts'
import { answersTo, parseMark } from '../rotation/marked-name.ts'
import { isOver } from '../rotation/state.ts'

/**
 * The rotations of an account's keys that are not over: by the journals of this machine, and by the marked names in the
 * account, whichever machine gave them.
 */
export async function readOpenRotations(
  { stateDir, out }: Pick<Context, 'stateDir' | 'out'>,
  api: Pick<Client, 'baseUrl' | 'clockSkewMs'>,
  keys: readonly Key[],
): Promise<Known<readonly OpenRotation[]>> {
  let entries: JournalEntry[]
  try {
    entries = await createJournals(stateDir).list()
  } catch (error) {
    if (!(error instanceof KeysError)) throw error
    return { known: false, why: error.message }
  }
  for (const entry of entries) {
    if (!('problem' in entry)) continue
    const { message, hint } = entry.problem
    out.warn(hint === undefined ? message : `${message}; ${hint}`)
  }
  const account = new Set(keys.map(({ id }) => id))
  const marked = keys.flatMap(({ id, name, status, createdAt }) => {
    const mark = status === 'active' ? parseMark(name) : undefined
    return mark === undefined ? [] : [{ ...mark, keyId: id, name, createdAt }]
  })
  const own = entries.flatMap((entry) => rotationOf(entry, api, account, marked))
  const known = new Set(own.flatMap(({ id, newKeyId }) => [id, newKeyId]))
  // of one whose journal cannot be read it is known at least that it is here
  const spoilt = new Set(entries.flatMap((entry) => ('problem' in entry ? [entry.rotationId] : [])))
  const others = marked
    .filter(({ rotationId, keyId }) => !known.has(rotationId) && !known.has(keyId))
    .map((mark) => ({
      id: mark.rotationId,
      oldKeyId: mark.oldId,
      replaces: (wanted: string) => wanted === mark.oldId || answersTo(mark.name, wanted),
      newKeyId: mark.keyId,
      startedAt: Date.parse(mark.createdAt),
      leaseUntil: mark.leaseUntil === 0 ? undefined : mark.leaseUntil,
      here: spoilt.has(mark.rotationId),
    }))
  return { known: true, value: [...own, ...others] }
}

/** What a journal says; nothing of one that is over, or about keys of another account. */
function rotationOf(
  entry: JournalEntry,
  { baseUrl, clockSkewMs = 0 }: Pick<Client, 'baseUrl' | 'clockSkewMs'>,
  account: ReadonlySet<string>,
  marked: readonly { rotationId: string; keyId: string }[],
): OpenRotation[] {
  if (!('journal' in entry)) return []
  const { id, apiUrl, state, oldKey, newKey, startedAt, lease } = entry.journal
  if (isOver(state) || apiUrl !== baseUrl) return []
  // a run that died in the create has not written down what it made
  const newKeyId = newKey?.id ?? marked.find(({ rotationId }) => rotationId === id)?.keyId
  if (!account.has(oldKey.id) && !(newKeyId !== undefined && account.has(newKeyId))) return []
  return [
    {
      id,
      oldKeyId: oldKey.id,
      replaces: (wanted) => wanted === oldKey.id || wanted === oldKey.name,
      newKeyId,
      // by our clock, where the rest of a survey goes by the API's
      startedAt: Date.parse(startedAt) + clockSkewMs,
      leaseUntil: lease.until === 0 ? undefined : lease.until,
      here: true,
    },
  ]
}
