import type { AuditEvent, Client } from '../api/contract.ts'
import type { Context } from '../context.ts'
import { KeysError } from '../errors.ts'
import { keepHeapSmall } from '../small-heap.ts'
import type { ReadingProgress } from '../ui/reading.ts'
import { parseInstant } from './instant.ts'
import { createTies, type LogPosition } from './logs-position.ts'
import { settledNow } from './settled-now.ts'

/** Which events, and from when to when; Unix ms by the API's clock. */
export interface LogQuery {
  keyId: string | undefined
  since: number | undefined
  until: number
}

export interface LogReading {
  /** Where an earlier run stopped. */
  from?: LogPosition | undefined
  signal: AbortSignal
  onProgress: (progress: ReadingProgress) => void
}

/** The events that are left to read, newest first, a page's at a time, as fast as the rate limit allows. */
export async function* readLog(
  api: Client,
  { keyId, since, until }: LogQuery,
  { from, signal, onProgress }: LogReading,
): AsyncGenerator<AuditEvent[], void, undefined> {
  keepHeapSmall()
  const ties = createTies(from)
  const isOlder = ({ timestamp }: AuditEvent) => from !== undefined && Date.parse(timestamp) < from.at
  let read = from?.read ?? 0
  let total: number | undefined
  const filter = {
    keyId,
    since: since === undefined ? undefined : iso(since),
    until: iso(from === undefined ? until : from.at + 1),
  }
  const onTotal = (left: number) => (total = left + (from === undefined ? 0 : from.read - from.ties.length))
  const pages = api.auditLogsByPage(filter, { signal, patient: true, onTotal })
  try {
    for await (const page of pages) {
      const fresh = ties.without(page)
      // equal instants may come in another order, but all of one come before any other
      if (ties.missing > 0 && fresh.some(isOlder)) throw otherLog()
      read += fresh.length
      onProgress({ what: 'events', done: read, total })
      if (fresh.length > 0) yield fresh
    }
    if (ties.missing > 0) throw otherLog()
  } catch (error) {
    throw withoutLog(error)
  }
}

/** From when to when, by the API's clock, as it was typed. Throws `usage`, and `no-audit-log`. */
export async function settle(
  api: Client,
  keyId: string | undefined,
  { since, until }: { since: string | undefined; until: string | undefined },
  { clock, signal }: Pick<Context, 'clock' | 'signal'>,
): Promise<LogQuery> {
  await meetLog(api, keyId, signal)
  const now = api.now()
  const query = {
    keyId,
    since: since === undefined ? undefined : parseInstant(since, now, '--since'),
    until: until === undefined ? await settledNow(api, clock, signal) : parseInstant(until, now, '--until'),
  }
  if (query.since === undefined || query.since < query.until) return query
  throw new KeysError('usage', '--since is not before --until', { hint: 'it would be no time at all' })
}

/** Brings the API's clock: until it has answered once, ours stands for it. Throws `no-audit-log`. */
async function meetLog(api: Client, keyId: string | undefined, signal: AbortSignal): Promise<void> {
  if (api.clockSkewMs !== undefined) return
  try {
    for await (const _ of api.auditLogs({ keyId }, { signal })) return
  } catch (error) {
    throw withoutLog(error)
  }
}

function otherLog(): KeysError {
  return new KeysError('output-file', 'the audit log does not have the events any more that were read last', {
    hint: 'it is that of another account, or no longer goes back so far: remove the .part files to begin anew',
  })
}

function withoutLog(error: unknown): unknown {
  if (!(error instanceof KeysError) || error.status !== 404) return error
  return new KeysError('no-audit-log', 'the API keeps no audit log', {
    hint: 'pictify-keys usage tells what keys did, as far as figures do',
    status: 404,
    cause: error,
  })
}

function iso(at: number): string {
  return new Date(at).toISOString()
}
