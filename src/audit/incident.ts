// Rules of this file:
// - what is not to be had is null, which is not the same as nothing done;
// - what was left out, for there was too much of it, is counted.
import type { AuditEvent, Client, Key, KeyAccess, KeyStatus, KeyType, Usage } from '../api/contract.ts'
import { KeysError } from '../errors.ts'
import { endpointOf, programOf } from './event-names.ts'
import { isOwnProbe } from './incident-calls.ts'
import { createIncidentLog, dayMs, type IncidentLog } from './incident-log.ts'
import { mayOf, reachedOf, spentOf, type Reached, type Spent } from './incident-reach.ts'
import { timelineOf, type Mark, type TimelineRow } from './incident-timeline.ts'
import { noveltyOf, unlikeCountries, unlikeDays, type IncidentPast, type Unlike } from './incident-unlike.ts'
import type { Sighting as Seen, Sightings } from './sightings.ts'
import type { KeyPast } from './survey.ts'

/** What was seen of an address, an endpoint or a program: how often, and from when to when (ISO 8601). */
export interface Sighting {
  value: string
  requests: number
  firstAt: string
  lastAt: string
  /** How many of the requests came since the incident began. */
  since: number
  /** Whether it was never seen before that; null: there is no past to tell by. */
  isNew: boolean | null
}

/** What the audit log tells. */
export interface IncidentAudit {
  /** From when to when it was read. */
  from: string
  until: string
  /** Whether all was read that was asked for; else reading was ended, and what lies before `from` is not known. */
  complete: boolean
  /** Entries of the log about the key, and of the time before the incident about those that it replaced. */
  events: number
  /** Of these, since the incident began. */
  since: number
  firstAt: string | null
  lastAt: string | null
  /** Most first, 1,000 at most. */
  addresses: Sighting[]
  networks: Sighting[]
  endpoints: Sighting[]
  /** Without their versions. */
  programs: Sighting[]
  userAgents: Sighting[]
  /** How many requests had values that were too many to be kept. */
  unkept: Record<'addresses' | 'networks' | 'endpoints' | 'programs' | 'userAgents' | 'calls', number>
  /** How many look like this program's own proofs of the key. */
  probes: number
}

/** What a leaked key did, as far as usage and audit log tell. */
export interface Incident {
  keyId: string
  /** Null: the account does not have it any more. */
  key: {
    name: string
    type: KeyType
    access: KeyAccess | null
    status: KeyStatus
    createdAt: string
    lastUsedAt: string | null
    revokedAt: string | null
  } | null
  /** When the account was looked at, and from when on it counts as the incident; by the API's clock. */
  at: string
  since: string
  usage: Usage | null
  /** Null: the API keeps no audit log, so nothing is known; not the same as nothing done. */
  audit: IncidentAudit | null
  /** What the incident is held against; null: nothing is known of the time before. */
  past: IncidentPast | null
  unlike: Unlike[]
  unlikeLeftOut: number
  /**
   * Whether networks call that are not beside known ones, and more of them than the key has come by before: somebody else may
   * use it. Null: there is too little of a past to tell by.
   */
  strangers: boolean | null
  spent: Spent
  /** What could be reached: `may` by the key's access, used or not; `endpoints` what was called; null: not known. */
  reach: { may: string[]; endpoints: Reached[] | null; endpointsLeftOut: number }
  /** Null where there is no audit log. */
  timeline: TimelineRow[] | null
}

export interface InvestigationOptions {
  /** Undefined where the account does not have it any more. */
  key: Key | undefined
  /** Unix ms: how far back the log is read, and from when on it counts as the incident. */
  from: number
  since: number
  /** Up to when it is read; that is over by now, for a log that grows while it is read shows its pages twice or not at all. */
  until: number
  /** Keys that this one replaced within that time, latest first: their past is its own. */
  replaced?: readonly string[] | undefined
  /** What earlier audits of this machine saw of it. */
  seenBefore?: KeyPast | undefined
  /** What else is known to have happened. */
  marks?: readonly Mark[] | undefined
  /** This program's probes from here on (Unix ms) are those of this very command, which are left out. */
  ownSince?: number | undefined
  signal?: AbortSignal | undefined
  /** When this is aborted reading ends, and what was read until then is told. */
  enough?: AbortSignal | undefined
  onProgress?: ((progress: { what: 'events'; done: number; total: number | undefined }) => void) | undefined
}

/** Reads what a key did, in bounded memory. */
export async function investigate(
  api: Client,
  keyId: string,
  options: InvestigationOptions,
): Promise<Incident> {
  const { key, since, until: at, marks = [] } = options
  const usage = await orNull(api.keys.usage(keyId, { signal: anyOf(options), patient: true }))
  const log = await orNull(readLog(api, keyId, options))
  const novelty = log && noveltyOf(log)
  const reached = log && novelty && reachedOf(log, novelty)
  // what the days of usage tell, where the log does not
  const byDays = log === null && usage !== null ? daysUnlike(usage, { since, until: at }, key) : []
  const byCountry = unlikeCountries(usage?.countries, options.seenBefore, since)
  const spent = spentOf(log, usage, { type: key?.type, plan: api.plan, since }, novelty)
  return {
    keyId,
    key: key === undefined ? null : factsOf(key),
    at: new Date(at).toISOString(),
    since: new Date(since).toISOString(),
    usage,
    audit: log && auditOf(log, spent, novelty?.past !== null),
    past: novelty?.past ?? null,
    unlike: [...byCountry, ...(novelty?.unlike ?? byDays)],
    unlikeLeftOut: novelty?.leftOut ?? 0,
    strangers: novelty?.strangers ?? null,
    spent,
    reach: {
      may: mayOf(key),
      endpoints: reached?.endpoints ?? null,
      endpointsLeftOut: reached?.leftOut ?? 0,
    },
    timeline: log && novelty && timelineOf(log, novelty, [...marksOf(key), ...marks]),
  }
}

async function readLog(api: Client, keyId: string, options: InvestigationOptions): Promise<IncidentLog> {
  const { from, since, until, signal, enough, replaced = [] } = options
  const log = createIncidentLog({ from, since, until, keyIds: [keyId, ...replaced] })
  let readTo = until
  const read = async (id: string, end: number) => {
    readTo = end
    for await (const events of readEvents(api, id, { from, until: end }, options)) {
      for (const event of events) {
        log.add(event)
        readTo = Math.min(readTo, Date.parse(event.timestamp))
      }
    }
  }
  try {
    await read(keyId, until)
    for (const id of replaced) await read(id, since)
  } catch (error) {
    if (!enough?.aborted || signal?.aborted) throw error
    log.endAt(readTo)
  }
  return log
}

/** A key's, newest first, a page's at a time. */
async function* readEvents(
  api: Client,
  keyId: string,
  { from, until }: { from: number; until: number },
  { ownSince = Infinity, onProgress = () => {}, ...options }: InvestigationOptions,
): AsyncGenerator<AuditEvent[], void, undefined> {
  const filter = { keyId, since: new Date(from).toISOString(), until: new Date(until).toISOString() }
  let [done, total]: [number, number | undefined] = [0, undefined]
  const onTotal = (count: number) => (total = count)
  for await (const page of api.auditLogsByPage(filter, { signal: anyOf(options), patient: true, onTotal })) {
    const instants = page.map(({ timestamp }) => Date.parse(timestamp))
    // an API that does not know the filters shows all it has; one that does may leave out what was asked for
    const isOurs = ({ keyId: of }: AuditEvent, at: number) =>
      (of === keyId || of === '') && at >= from && at < until
    const ours = page.filter((event, index) => isOurs(event, instants[index] ?? NaN))
    if (ours.length > 0)
      yield ours.filter((event) => !(Date.parse(event.timestamp) >= ownSince && isProbe(event)))
    done += ours.length
    onProgress({ what: 'events', done, total })
    if (instants.some((at) => at < from)) return
  }
}

function isProbe({ userAgent, method, endpoint }: AuditEvent): boolean {
  return isOwnProbe(programOf(userAgent), endpointOf(method, endpoint))
}

function anyOf({ signal, enough }: Pick<InvestigationOptions, 'signal' | 'enough'>): AbortSignal {
  return AbortSignal.any([signal, enough].filter((each) => each !== undefined))
}

function factsOf({ name, type, access, status, createdAt, lastUsedAt, revokedAt }: Key): Incident['key'] {
  return { name, type, access: access ?? null, status, createdAt, lastUsedAt, revokedAt: revokedAt ?? null }
}

function marksOf(key: Key | undefined): Mark[] {
  if (key === undefined) return []
  const created: Mark = { at: key.createdAt, kind: 'created', value: '' }
  return key.revokedAt ? [created, { at: key.revokedAt, kind: 'revoked', value: '' }] : [created]
}

function auditOf(
  { from, until, complete, seen, after }: IncidentLog,
  spent: Spent,
  hasPast: boolean,
): IncidentAudit {
  const { addresses, networks, endpoints, programs, userAgents } = seen
  const list = (sightings: Sightings) => sightings.list().map((each) => sightingOf(each, hasPast))
  const instant = (at: number | undefined) => (at === undefined ? null : new Date(at).toISOString())
  return {
    from: new Date(from).toISOString(),
    until: new Date(until).toISOString(),
    complete,
    events: seen.requests,
    since: after.requests,
    firstAt: instant(seen.firstAt),
    lastAt: instant(seen.lastAt),
    addresses: list(addresses),
    networks: list(networks),
    endpoints: list(endpoints),
    programs: list(programs),
    userAgents: list(userAgents),
    unkept: {
      addresses: addresses.unkept,
      networks: networks.unkept,
      endpoints: endpoints.unkept,
      programs: programs.unkept,
      userAgents: userAgents.unkept,
      calls: spent.unkept,
    },
    probes: seen.probes,
  }
}

function sightingOf({ value, requests, recent, firstAt, lastAt }: Seen, hasPast: boolean): Sighting {
  return {
    value,
    requests,
    firstAt: new Date(firstAt).toISOString(),
    lastAt: new Date(lastAt).toISOString(),
    since: recent,
    isNew: hasPast ? recent === requests : null,
  }
}

function daysUnlike(
  { daily = [] }: Usage,
  { since, until }: { since: number; until: number },
  key: Key | undefined,
): Unlike[] {
  const days = new Map(daily.map(({ date, requests }) => [date.slice(0, 10), requests]))
  const [first] = [...days.keys()].sort()
  if (first === undefined) return []
  // the first of its days may not be whole
  const from = Math.max(Date.parse(first), key === undefined ? 0 : Date.parse(key.createdAt))
  return unlikeDays(days, { from, since, until: Math.min(until, since + 400 * dayMs) })
}

async function orNull<T>(promise: Promise<T>): Promise<T | null> {
  try {
    return await promise
  } catch (error) {
    if (error instanceof KeysError && error.status === 404) return null
    throw error
  }
}
