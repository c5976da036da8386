import type { Client, Key } from '../api/contract.ts'
import { createNameGlob } from './name-glob.ts'

export const sorts = ['created', 'last-used', 'name', 'type', 'status'] as const

export interface Selection {
  name?: string | undefined
  /** Milliseconds. */
  olderThan?: number | undefined
  /** Milliseconds. */
  unusedFor?: number | undefined
}

/** Whether a key is selected, on the API's clock; undefined where every key is. Throws `usage` for a glob that does not parse. */
export async function filterOf({
  name,
  olderThan,
  unusedFor,
}: Selection): Promise<((key: Key, api: Client) => boolean) | undefined> {
  if (name === undefined && olderThan === undefined && unusedFor === undefined) return undefined
  const fits = name === undefined ? undefined : await createNameGlob(name)
  const isBefore = (instant: string, api: Client, ms: number) => Date.parse(instant) <= api.now() - ms
  return (key, api) =>
    (fits === undefined || fits(key.name)) &&
    (olderThan === undefined || isBefore(key.createdAt, api, olderThan)) &&
    (unusedFor === undefined || isBefore(key.lastUsedAt ?? key.createdAt, api, unusedFor))
}

const time = (instant: string | null) => (instant === null ? -Infinity : Date.parse(instant))

/** Newest and last used first, words from A to Z; what is equal stays newest first, as the API lists it. */
export function compareKeys(by: (typeof sorts)[number]): (a: Key, b: Key) => number {
  switch (by) {
    case 'created':
      return (a, b) => time(b.createdAt) - time(a.createdAt)
    case 'last-used':
      return (a, b) =>
        Number(time(b.lastUsedAt) > time(a.lastUsedAt)) - Number(time(b.lastUsedAt) < time(a.lastUsedAt))
    case 'name':
    case 'type':
    case 'status': {
      const collator = new Intl.Collator('en', { numeric: true })
      return (a, b) => collator.compare(a[by], b[by])
    }
  }
}
