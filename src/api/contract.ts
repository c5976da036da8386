/**
 * What the API says and what the client offers, as types alone. Rotation and the commands know the API by this file.
 * Instants on the wire are ISO 8601 UTC strings; in the client's own answers they are Unix milliseconds where the name says `Ms` or the doc says so.
 */
import type { Secret } from '../secret.ts'

/** `live` counts against the plan; what `test` renders is watermarked. */
export type KeyType = 'live' | 'test'
/** A revoked key works no more, for good. */
export type KeyStatus = 'active' | 'revoked'
/** What a key may do; only `admin` may manage keys. */
export type KeyAccess = 'full' | 'read-only' | 'admin'

/** An API key, without its secret. Instants are ISO 8601 in UTC. */
export interface Key {
  id: string
  name: string
  type: KeyType
  status: KeyStatus
  access?: KeyAccess
  createdAt: string
  lastUsedAt: string | null
  revokedAt?: string | null
}

/** The answer to a create. `apiKey` is undefined where the answer held a secret and nothing else that can be read. */
export interface Minted {
  secret: Secret
  apiKey: Key | undefined
}

/** What a key did in a stretch of time that ends at `updatedAt`; latencies in milliseconds, 0 where there was no request. */
export interface UsageWindow {
  requests: number
  errors: number
  latencyMs: { p50: number; p95: number; p99: number }
}

/** What a key did in the last day, week and month. */
export interface Usage {
  keyId: string
  /** Up to when the figures are complete. */
  updatedAt: string
  windows: { '24h': UsageWindow; '7d': UsageWindow; '30d': UsageWindow }
  daily?: { date: string; requests: number; errors: number }[]
  countries?: Record<string, number>
}

/** One entry of the audit log; a text is empty where the log leaves it out. `timestamp` is ISO 8601 in UTC. */
export interface AuditEvent {
  timestamp: string
  action: string
  keyId: string
  endpoint: string
  method: string
  status: number
  ip: string
  userAgent: string
}

/** `unknown` is anything but a clear yes or no (429, 5xx, no connection), and is never evidence of anything. */
export type ProbeAnswer = 'accepted' | 'refused' | 'unknown'

/** What a credential may send: `limit` requests a minute, `remaining` of them are left. */
export interface RateLimit {
  limit: number
  remaining: number
  /** Unix milliseconds. */
  resetAt: number
}

/** The team's plan, which sets how many keys and requests there may be. */
export type Plan = 'free' | 'pro' | 'business' | 'enterprise'

/** The client waits before it asks again: as long as the API's rate limit wants it to, or after a failure that may pass. */
export interface Wait {
  reason: 'rate-limit' | 'failure'
  /** What is being done, for people: `listing keys`. */
  what: string
  /** What failed, where that is the reason. */
  message?: string | undefined
  ms: number
}

/** How a call is made. */
export interface CallOptions {
  /** Ends the call with the signal's reason. */
  signal?: AbortSignal | undefined
  /**
   * One of very many calls: it leaves some of the rate limit to others, and waits for more of it as long as that takes
   * (a day at most, or so many ms), rather than to be refused.
   */
  patient?: boolean | number | undefined
}

/** Which events of the audit log are read: from `since` (included) to `until` (not included), ISO 8601. */
export interface AuditLogFilter {
  keyId?: string | undefined
  since?: string | undefined
  until?: string | undefined
}

/** Which keys are listed. */
export interface KeyFilter {
  type?: KeyType | undefined
  status?: KeyStatus | undefined
}

export interface Keys {
  /** Every key, newest first, page by page to the end; several pages are in flight. */
  list(filter?: KeyFilter, options?: CallOptions): AsyncIterable<Key>
  /** As `list`, a page's keys at a time. */
  listByPage(filter?: KeyFilter, options?: CallOptions): AsyncIterable<Key[]>
  /** Throws `api-key-not-found`. */
  get(id: string, options?: CallOptions): Promise<Key>
  /** By id or exact name. Throws `api-key-not-found`, or `ambiguous-key` with the ids. Active keys go before revoked ones. */
  find(idOrName: string, options?: CallOptions): Promise<Key>
  /**
   * Mints a key. Repeated (by us or by the caller) only with the same `idempotencyKey` and body. `onSecret` is
   * called with the secret as soon as it is found in the answer, before anything else of it is looked at, and is awaited.
   * A time-out is `timed-out`: unknown, not failed.
   */
  create(
    input: { name: string; type: KeyType; access?: KeyAccess | undefined },
    options: CallOptions & {
      idempotencyKey: string
      onSecret?: ((secret: Secret) => void | Promise<void>) | undefined
    },
  ): Promise<Minted>
  rename(id: string, name: string, options?: CallOptions): Promise<Key>
  /** Again on a revoked key: the same answer. */
  revoke(id: string, options?: CallOptions): Promise<Key>
  /** Throws `api-key-not-found` (gone is for the caller to call done) and `api-key-active`. */
  delete(id: string, options?: CallOptions): Promise<void>
  usage(id: string, options?: CallOptions): Promise<Usage>
}

export interface Client {
  readonly baseUrl: string
  readonly keys: Keys
  /** Newest first. */
  auditLogs(filter?: AuditLogFilter, options?: CallOptions): AsyncIterable<AuditEvent>
  /**
   * As `auditLogs`, a page's events at a time, several pages in flight; `until` keeps the log from growing meanwhile. Calls
   * back with how many events there are in all, where the API says.
   */
  auditLogsByPage(
    filter: AuditLogFilter & { until: string },
    options?: CallOptions & { onTotal?: ((total: number) => void) | undefined },
  ): AsyncIterable<AuditEvent[]>
  /** `GET /templates?limit=1` with the given secret; one request, no retries; never throws but for an abort. */
  probe(secret: Secret, options?: CallOptions): Promise<ProbeAnswer>
  /**
   * The id of the key a secret belongs to, off the audit log: a probe that only we can have made is looked for in it.
   * Undefined where the API keeps no such log, or shows it too late.
   */
  whose(secret: Secret, options?: CallOptions): Promise<string | undefined>
  /** Now by the API's clock (its `Date` header, kept up with ours between answers). Unix milliseconds. */
  now(): number
  /** The API's clock less ours, by the last answer; undefined before the first. */
  readonly clockSkewMs: number | undefined
  /**
   * When the API's clock was last seen to jump by seconds, by our own (Unix milliseconds): what was read around then is
   * not to be compared. Undefined while it has not.
   */
  readonly clockSetAt: number | undefined
  /** What the last answer to the admin credential said. */
  readonly rateLimit: RateLimit | undefined
  /** Read off `X-RateLimit-Limit`, or as the user set it; undefined when neither is known. */
  readonly plan: Plan | undefined
  /** The same server with another credential, sharing connections and clock. */
  as(credential: Secret): Client
}
