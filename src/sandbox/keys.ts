// Rules of this file:
// - keys lie in the order of their creation; a page is cut out of that order, nothing is ever sorted to answer;
// - every change of a key's status goes through here, so that the counts are always right.
import type { KeyAccess, KeyStatus, KeyType } from '../api/contract.ts'
import type { Secret } from '../secret.ts'
import type { Oddity } from './oddities.ts'

/** A key as the server keeps it. Instants are Unix milliseconds by the sandbox's clock. */
export interface KeyRecord {
  readonly id: string
  name: string
  readonly type: KeyType
  readonly access: KeyAccess
  readonly secret: Secret
  readonly createdAt: number
  revokedAt: number | null
  /** As far as it is shown by now. */
  lastUsedAt: number | null
  /** Set on a key that is as old as the account: when it was last used before the sandbox began. */
  readonly pastUntil?: number | undefined
  /** What is not in order with a key that is as old as the account. */
  readonly oddity?: Oddity | undefined
  /** A fault: this key never spreads. */
  readonly neverAccepted?: boolean | undefined
}

interface KeyFilter {
  type?: KeyType | undefined
  status?: KeyStatus | undefined
  /** Only keys created at this instant or before. */
  createdUpTo?: number | undefined
}

export interface KeyStore {
  add(key: KeyRecord): void
  get: (id: string) => KeyRecord | undefined
  bySecret(secret: string): KeyRecord | undefined
  revoke(key: KeyRecord, at: number): void
  remove(key: KeyRecord): void
  /** How many active keys there are of a type. */
  active(type: KeyType): number
  /** One page, newest first, and how many keys the filter lets through. */
  page(filter: KeyFilter, page: number, limit: number): { items: KeyRecord[]; total: number }
  /** Oldest first. */
  all(): readonly KeyRecord[]
}

export const statusOf = (key: KeyRecord): KeyStatus => (key.revokedAt === null ? 'active' : 'revoked')

export function createKeyStore(): KeyStore {
  const keys: KeyRecord[] = []
  const byId = new Map<string, KeyRecord>()
  const bySecret = new Map<string, KeyRecord>()
  const counts = { live: { active: 0, revoked: 0 }, test: { active: 0, revoked: 0 } }

  /** How many keys were created at `instant` or before. */
  const createdUpTo = (instant: number): number => {
    let low = 0
    let high = keys.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((keys[middle] as KeyRecord).createdAt <= instant) low = middle + 1
      else high = middle
    }
    return low
  }
  const lets = ({ type, status }: KeyFilter, key: KeyRecord) =>
    (type === undefined || key.type === type) && (status === undefined || statusOf(key) === status)

  const count = (filter: KeyFilter, end: number): number => {
    let total = 0
    for (const type of ['live', 'test'] as const) {
      for (const status of ['active', 'revoked'] as const) {
        if ((filter.type ?? type) === type && (filter.status ?? status) === status)
          total += counts[type][status]
      }
    }
    for (let i = end; i < keys.length; i++) if (lets(filter, keys[i] as KeyRecord)) total--
    return total
  }

  return {
    add(key) {
      keys.splice(createdUpTo(key.createdAt), 0, key)
      byId.set(key.id, key)
      bySecret.set(key.secret.reveal(), key)
      counts[key.type][statusOf(key)]++
    },
    get: (id) => byId.get(id),
    bySecret: (secret) => bySecret.get(secret),
    revoke(key, at) {
      if (key.revokedAt !== null) return
      counts[key.type].active--
      counts[key.type].revoked++
      key.revokedAt = at
    },
    remove(key) {
      if (!byId.delete(key.id)) return
      bySecret.delete(key.secret.reveal())
      keys.splice(keys.indexOf(key), 1)
      counts[key.type][statusOf(key)]--
    },
    active: (type) => counts[type].active,
    page(filter, page, limit) {
      const end = filter.createdUpTo === undefined ? keys.length : createdUpTo(filter.createdUpTo)
      const skip = (page - 1) * limit
      const items: KeyRecord[] = []
      if (filter.type === undefined && filter.status === undefined) {
        for (let i = end - 1 - skip; i >= 0 && items.length < limit; i--) items.push(keys[i] as KeyRecord)
      } else {
        let seen = 0
        for (let i = end - 1; i >= 0 && items.length < limit; i--) {
          const key = keys[i] as KeyRecord
          if (lets(filter, key) && seen++ >= skip) items.push(key)
        }
      }
      return { items, total: count(filter, end) }
    },
    all: () => keys,
  }
}
