import type { AuditEvent, Key } from '../../src/api/contract.ts'
import { investigate, type Incident, type InvestigationOptions } from '../../src/audit/incident.ts'
import { answering, client, json, key, start } from '../api/client-fixture.ts'

export const keyId = 'key_abc123'
export const hourMs = 3_600_000
export const dayMs = 24 * hourMs

const window = (requests: number) => ({ requests, errors: 0, latencyMs: { p50: 1, p95: 2, p99: 3 } })
export const usage = {
  keyId,
  updatedAt: '2026-03-01T11:55:00Z',
  windows: { '24h': window(2), '7d': window(30), '30d': window(400) },
  countries: { DE: 3, BR: 41 },
}
export const absent = json({ type: 'https://docs.pictify.io/errors/not-found', title: 'Not Found' }, 404)

/** A request some time before now, which is 2026-03-01T12:00Z, by the usual application unless said otherwise. */
export function event(agoMs: number, fields: Partial<AuditEvent> = {}): AuditEvent {
  return {
    timestamp: new Date(start - agoMs).toISOString(),
    action: 'api.request',
    keyId,
    endpoint: '/image',
    method: 'POST',
    status: 200,
    ip: '192.0.2.1',
    userAgent: 'pictify-node/1.4.2',
    ...fields,
  }
}

/** The same, `count` times, a step apart, newest first. */
export function events(
  count: number,
  agoMs: number,
  stepMs: number,
  fields: Partial<AuditEvent> = {},
): AuditEvent[] {
  return Array.from({ length: count }, (_, index) => event(agoMs + index * stepMs, fields))
}

/** Answers as an API with this log; `undefined` is one without it. */
export function keeping(log: readonly AuditEvent[] | undefined, usageAnswer = json({ usage })) {
  const all = log?.toSorted((a, b) => (a.timestamp < b.timestamp ? 1 : -1))
  answering(`/api-keys/${keyId}/usage`, usageAnswer)
  return answering('/audit-logs', ({ url }) => {
    if (all === undefined) return absent()
    const page = Number(url.searchParams.get('page') ?? 1)
    const auditLogs = all.slice((page - 1) * 100, page * 100)
    const totalPages = Math.max(1, Math.ceil(all.length / 100))
    return json({ auditLogs, pagination: { page, limit: 100, total: all.length, totalPages } })()
  })
}

type Options = Partial<Omit<InvestigationOptions, 'key'>> & { key?: Key | null; sinceMs?: number }

/** What is found of that key: the last week held against the 30 days before, unless said otherwise. */
export function incidentOf({ key: given, sinceMs = 7 * dayMs, ...options }: Options = {}): Promise<Incident> {
  const since = start - sinceMs
  return investigate(client(), keyId, {
    key: given === undefined ? key({ access: 'full' }) : (given ?? undefined),
    since,
    from: since - 30 * dayMs,
    until: start,
    ...options,
  })
}
