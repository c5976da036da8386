import type { Client, Key } from '../api/contract.ts'
import { hasCode } from '../errors.ts'
import { parseMark, plainName, type Mark } from './marked-name.ts'

/** How long a list may not show a key that was created. Milliseconds. */
export const listLagMs = 60_000

export interface Successor {
  key: Key
  mark: Mark
}

/** The account as far as one rotation must see it. */
export interface Account {
  /** The key being replaced; undefined when it is deleted. */
  old: Key | undefined
  /** Its active marked successors, earliest first. */
  successors: Successor[]
  /** All other active keys. */
  others: Key[]
}

/** Reads the list, and the old key by its id where the active ones do not have it. */
export async function readAccount(api: Client, oldId: string): Promise<Account> {
  const successors: Successor[] = []
  const others: Key[] = []
  let old: Key | undefined
  for await (const key of api.keys.list({ status: 'active' })) {
    const mark = parseMark(key.name)
    if (key.id === oldId) old = key
    else if (mark?.oldId === oldId) successors.push({ key, mark })
    else others.push(key)
  }
  old ??= await getOrGone(api, oldId)
  successors.sort((a, b) => compareByAge(a.key, b.key))
  return { old, successors, others }
}

/** The key, or undefined when the API says there is none. */
export async function getOrGone(api: Client, id: string): Promise<Key | undefined> {
  try {
    return await api.keys.get(id)
  } catch (error) {
    if (hasCode(error, 'api-key-not-found')) return undefined
    throw error
  }
}

/** Revokes and deletes a key that no application holds. Gone already is done. */
export async function remove(api: Client, id: string): Promise<void> {
  try {
    await api.keys.revoke(id)
    await api.keys.delete(id)
  } catch (error) {
    if (!hasCode(error, 'api-key-not-found')) throw error
  }
}

/**
 * Deletes successors of the key, or of one that had its name before, that a run had revoked when it died. Returns their
 * ids. No application's key is among them, and no run needs one: that it is gone is what each wants of it.
 */
export async function removeRevoked(api: Client, old: Pick<Key, 'id' | 'name'>): Promise<string[]> {
  const left: string[] = []
  for await (const { id, name } of api.keys.list({ status: 'revoked' })) {
    const mark = parseMark(name)
    if (mark?.oldId === old.id || (mark !== undefined && plainName(name) === old.name)) left.push(id)
  }
  for (const id of left) await remove(api, id)
  return left
}

/** Earlier `createdAt` first, then the lower id: the order in which of two successors one goes on. */
export function compareByAge(a: Key, b: Key): number {
  return Date.parse(a.createdAt) - Date.parse(b.createdAt) || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
}

export function isActive(key: Key | undefined): key is Key {
  return key?.status === 'active'
}
