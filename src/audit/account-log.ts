import type { AuditEvent, CallOptions, Client, Key } from '../api/contract.ts'
import { readAddress, type Address } from './address.ts'
import { programOf } from './event-names.ts'
import { createKeyLog, type KeyLog, type KeyLogOptions } from './key-log.ts'
import type { AccountLog, SurveyProgress } from './survey.ts'

/** A stretch of the audit log (Unix ms): `since` is included, `until` is not. */
export interface LogStretch {
  since: number
  until: number
}

interface Reading extends CallOptions {
  onProgress?: ((progress: SurveyProgress) => void) | undefined
}

export interface LogReading extends Reading {
  recentSince: number
  isOutside?: ((at: number) => boolean) | undefined
  /** What this program asked with an admin key, changing nothing, is not outside of working hours. */
  leavesOutOwnReadings?: boolean | undefined
  /** What else is to be known of a key. */
  optionsOf?: ((key: Key) => Partial<KeyLogOptions>) | undefined
  readers: LogReaders
  onEvents?: ((events: readonly AuditEvent[]) => void) | undefined
}

/** Distinct values kept of all keys together, some 20 MB of them; few keys come near it. */
const keptValues = 100_000

/** What each key did. Throws 404 where the API keeps no audit log. */
export async function readAccountLog(
  api: Client,
  listed: readonly Key[],
  { since, until }: LogStretch,
  { recentSince, isOutside, leavesOutOwnReadings, optionsOf, readers, onEvents, ...reading }: LogReading,
): Promise<AccountLog> {
  const options = { allowance: { left: keptValues }, recentSince, isOutside, ...readers }
  // those of keys that are gone are counted, and no more: nobody can tell how many such there are
  const byId = new Map(listed.map((key) => [key.id, key]))
  const keys = new Map<string, KeyLog>()
  let events = 0
  for await (const page of readEvents(api, { since, until }, reading)) {
    for (const event of page) {
      let log = keys.get(event.keyId)
      if (log === undefined) {
        const key = byId.get(event.keyId)
        if (key === undefined) continue
        const own = { leavesOutOwnReadings: leavesOutOwnReadings && key.access === 'admin' }
        log = createKeyLog({ ...options, ...own, ...optionsOf?.(key) })
        keys.set(key.id, log)
      }
      log.add(event)
    }
    events += page.length
    onEvents?.(page)
  }
  return { since, until, recentSince, events, keys }
}

/** Newest first, a page's at a time, as fast as the rate limit allows. Throws 404 where the API keeps no audit log. */
export async function* readEvents(
  api: Client,
  { since, until }: LogStretch,
  { signal, patient = true, onProgress = () => {} }: Reading,
): AsyncGenerator<AuditEvent[], void, undefined> {
  const filter = { since: new Date(since).toISOString(), until: new Date(until).toISOString() }
  let done = 0
  let total: number | undefined
  const onTotal = (count: number) => (total = count)
  for await (const page of api.auditLogsByPage(filter, { signal, patient, onTotal })) {
    yield page
    done += page.length
    onProgress({ what: 'events', done, total })
  }
}

/** What reads an event's address and user agent. */
export interface LogReaders {
  addressOf: (ip: string) => Address
  programOf: (userAgent: string) => string
}

/** Such as remember what they read: a log says the same over and over. */
export function createLogReaders(): LogReaders {
  return { addressOf: remembering(readAddress), programOf: remembering(programOf) }
}

/** Reads each text once, as long as they are few and short. */
function remembering<T>(read: (text: string) => T): (text: string) => T {
  const remembered = new Map<string, T>()
  return (text) => {
    if (text.length > 200) return read(text)
    const known = remembered.get(text)
    if (known !== undefined) return known
    if (remembered.size >= 10_000) remembered.clear()
    const fresh = read(text)
    remembered.set(text, fresh)
    return fresh
  }
}
