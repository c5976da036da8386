import type { KeyAccess, KeyType } from '../api/contract.ts'
import type { Clock } from '../clock.ts'
import { Secret } from '../secret.ts'
import type { Answer } from './answers.ts'
import { createAuditLog, type AuditLog } from './audit-log.ts'
import { createIdempotencyMemory, type IdempotencyMemory } from './idempotency.ts'
import { createKeyStore, type KeyRecord, type KeyStore } from './keys.ts'
import { createPast, hasPast, type PastKey } from './past.ts'
import type { PlanLimits } from './plans.ts'
import { Problem } from './problem.ts'
import type { Random } from './random.ts'
import { createRateLimits, type RateLimits } from './rate-limits.ts'
import type { AccountState } from './state.ts'
import { createUsageLedger, type UsageLedger } from './usage.ts'

export interface NewKey {
  name: string
  type: KeyType
  access: KeyAccess
}

/** A team's account: everything the sandbox knows, and what can be done to it. Refusals are Problems. */
export interface Account {
  readonly keys: KeyStore
  readonly usage: UsageLedger
  readonly audit: AuditLog
  readonly rates: RateLimits
  readonly memory: IdempotencyMemory<Answer>
  /** The key with this secret, if this request takes it; while a key spreads, one may and the next may not. */
  authenticate(secret: string): KeyRecord | undefined
  /** Throws `api-key-not-found`. */
  key(id: string): KeyRecord
  /** Throws `key-limit-reached`. */
  create(
    key: NewKey,
    history?: Pick<KeyRecord, 'neverAccepted'> & Partial<Pick<KeyRecord, 'createdAt' | 'lastUsedAt'>>,
  ): KeyRecord
  rename(id: string, name: string): KeyRecord
  revoke(id: string): KeyRecord
  /** Throws `api-key-active`. */
  delete(id: string): void
  /** What its keys did before it began, as it is kept. */
  pastState(): PastState
}

/** Of a past nothing is kept but what it is worked out from. */
export interface PastState {
  /** When the account began, Unix milliseconds. */
  at: number
  events?: number | undefined
  /** Keys that are no longer there; the audit log still has what they did. */
  gone: PastKey[]
}

export interface AccountOptions {
  limits: PlanLimits
  clock: Clock
  random: Random
  propagationMs: number
  usageLagMs: number
  past: AccountState | undefined
  /** How many requests there were before it began, where not as many as come by themselves. */
  events?: number | undefined
}

export function createAccount({
  limits,
  clock,
  random,
  propagationMs,
  usageLagMs,
  past,
  events,
}: AccountOptions): Account {
  const keys = createKeyStore()
  for (const key of past?.keys ?? []) keys.add(key)
  const began: PastState = past?.past ?? { at: lastUseOf(past?.keys) ?? clock.now(), events, gone: [] }
  const before = createPast(() => [...keys.all(), ...began.gone].sort(byAge), began)
  const usage = createUsageLedger(usageLagMs, keys.get, before, past?.usage)
  const rates = createRateLimits(limits)
  rates.load(past?.rates ?? [])
  const letters = random.fork('keys')
  const spreading = random.fork('propagation')

  /** For the first half of the time nowhere, then in more and more places. */
  const hasSpread = (key: KeyRecord): boolean => {
    const age = clock.now() - key.createdAt
    if (age >= propagationMs) return true
    return age > propagationMs / 2 && spreading.fraction() < (age * 2) / propagationMs - 1
  }
  const find = (id: string): KeyRecord => {
    const key = keys.get(id)
    if (!key)
      throw new Problem(
        'api-key-not-found',
        `There is no API key with the id ${JSON.stringify(id.slice(0, 100))}.`,
      )
    return key
  }
  const newId = (): string => {
    const id = `key_${letters.text(12, 'lower')}`
    return keys.get(id) ? newId() : id
  }
  const newSecret = (type: KeyType): string => {
    const secret = `pk_${type}_${letters.text(32)}`
    return keys.bySecret(secret) ? newSecret(type) : secret
  }

  return {
    keys,
    usage,
    rates,
    audit: createAuditLog(before, past?.audit),
    memory: createIdempotencyMemory(past?.memory),
    key: find,
    authenticate(secret) {
      const key = keys.bySecret(secret)
      return key && key.revokedAt === null && !key.neverAccepted && hasSpread(key) ? key : undefined
    },
    create({ name, type, access }, { createdAt = clock.now(), lastUsedAt = null, neverAccepted } = {}) {
      const limit = limits.keys[type]
      if (keys.active(type) >= limit) {
        throw new Problem(
          'key-limit-reached',
          `Your plan allows ${limit} active ${type} keys. Revoke one or upgrade.`,
        )
      }
      const secret = new Secret(newSecret(type))
      const key: KeyRecord = {
        id: newId(),
        name,
        type,
        access,
        secret,
        createdAt,
        revokedAt: null,
        lastUsedAt,
      }
      const made = neverAccepted ? { ...key, neverAccepted } : key
      keys.add(made)
      return made
    },
    rename: (id, name) => Object.assign(find(id), { name }),
    revoke(id) {
      const key = find(id)
      keys.revoke(key, clock.now())
      return key
    },
    delete(id) {
      const key = find(id)
      if (key.revokedAt === null)
        throw new Problem('api-key-active', 'Only a revoked API key can be deleted. Revoke it first.')
      if (hasPast(key, began.at)) began.gone.push(pastOf(key))
      keys.remove(key)
      usage.forget(id)
      rates.forget(id)
    },
    pastState: () => began,
  }
}

/** Of a file that does not say when its account began. */
function lastUseOf(keys: readonly PastKey[] = []): number | undefined {
  const uses = keys.flatMap(({ pastUntil }) => pastUntil ?? [])
  return uses.length === 0 ? undefined : uses.reduce((last, use) => Math.max(last, use))
}

/** The same order whatever has been deleted: what came of each key must not change with it. */
const byAge = (a: PastKey, b: PastKey): number => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1)

const pastOf = ({ id, type, access, createdAt, pastUntil, oddity }: KeyRecord): PastKey => ({
  id,
  type,
  access,
  createdAt,
  pastUntil,
  oddity,
})
