// Rules of this file:
// - tolerant in: a field we do not know is dropped, so that nothing the server adds (a secret, say) travels on;
// - strict out: what leaves has the types of contract.ts, or is an error that names what was missing.
import * as v from 'valibot'
import type { AuditEvent, Key } from './contract.ts'

/** One of these, in any case, with spaces or underscores for dashes: the vendor's pages write "Active", "Read-only". */
function oneOf<const T extends string>(...options: T[]) {
  return v.union([
    v.picklist(options),
    v.pipe(
      v.string(),
      v.transform((text) => text.toLowerCase().replace(/[_\s]+/g, '-')),
      v.picklist(options),
    ),
  ])
}

const text = v.pipe(v.string(), v.nonEmpty())
const instant = v.pipe(
  v.string(),
  v.check((value) => !Number.isNaN(Date.parse(value)), 'not an instant'),
)
const count = v.pipe(v.number(), v.minValue(0))

export const keySchema = v.object({
  id: text,
  name: v.string(),
  type: oneOf('live', 'test'),
  status: oneOf('active', 'revoked'),
  // an access that we do not know is no reason to hide the key
  access: v.fallback(v.optional(oneOf('full', 'read-only', 'admin')), undefined),
  createdAt: instant,
  lastUsedAt: v.nullish(instant, null),
  revokedAt: v.optional(v.nullable(instant)),
})

const keyFields = new Set(Object.keys(keySchema.entries))
const types: unknown[] = ['live', 'test']
const statuses: unknown[] = ['active', 'revoked']
const accesses: unknown[] = [undefined, 'full', 'read-only', 'admin']
const plainInstant =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?Z$/

/**
 * Whether a key is to the letter what the contract says, so that the schema would give it back as it is. A long list is
 * nearly all such keys, and this tells at a tenth of what the schema costs; whatever else comes is for the schema.
 */
export function isPlainKey(value: unknown): value is Key {
  if (typeof value !== 'object' || value === null) return false
  const key = value as Record<string, unknown>
  for (const field in key) if (!keyFields.has(field)) return false
  return (
    typeof key['id'] === 'string' &&
    key['id'] !== '' &&
    typeof key['name'] === 'string' &&
    types.includes(key['type']) &&
    statuses.includes(key['status']) &&
    accesses.includes(key['access']) &&
    isPlainInstant(key['createdAt']) &&
    (key['lastUsedAt'] === null || isPlainInstant(key['lastUsedAt'])) &&
    (key['revokedAt'] === undefined || key['revokedAt'] === null || isPlainInstant(key['revokedAt']))
  )
}

function isPlainInstant(value: unknown): boolean {
  return typeof value === 'string' && plainInstant.test(value)
}

// with no requests there are no percentiles
const percentile = v.nullish(count, 0)
const usageWindow = v.object({
  requests: count,
  errors: count,
  latencyMs: v.pipe(
    v.nullish(v.object({ p50: percentile, p95: percentile, p99: percentile }), {}),
    v.transform((latency) => latency),
  ),
})

export const usageSchema = v.object({
  keyId: text,
  updatedAt: instant,
  windows: v.object({ '24h': usageWindow, '7d': usageWindow, '30d': usageWindow }),
  daily: v.optional(v.array(v.object({ date: v.string(), requests: count, errors: count }))),
  countries: v.optional(v.record(v.string(), count)),
})

const said = v.nullish(v.string(), '')
export const auditEventSchema = v.object({
  timestamp: instant,
  action: said,
  keyId: said,
  endpoint: said,
  method: said,
  status: v.nullish(v.number(), 0),
  ip: said,
  userAgent: said,
})

const eventTexts = ['action', 'keyId', 'endpoint', 'method', 'ip', 'userAgent'] as const
const eventFields = new Set(Object.keys(auditEventSchema.entries))

/** As `isPlainKey`, for one of the millions of events that a log may have. */
export function isPlainAuditEvent(value: unknown): value is AuditEvent {
  if (typeof value !== 'object' || value === null) return false
  const event = value as Record<string, unknown>
  for (const field in event) if (!eventFields.has(field)) return false
  return (
    isPlainInstant(event['timestamp']) &&
    typeof event['status'] === 'number' &&
    eventTexts.every((field) => typeof event[field] === 'string')
  )
}

/** Every field may be missing: a list may come whole. */
export const paginationSchema = v.object({
  total: v.optional(count),
  limit: v.optional(count),
  totalPages: v.optional(count),
  hasNext: v.optional(v.boolean()),
})
export type Pagination = v.InferOutput<typeof paginationSchema>
