// Rules of this file:
// - unknown is not evidence; zero checks is not a pass;
// - all instants are the API's: last uses, the usage data's own age, and now by its Date header.
import type { AuditEvent, Client, Key, Usage } from '../api/contract.ts'
import { formatDuration } from '../duration.ts'
import { hasCode, KeysError } from '../errors.ts'
import { getOrGone, isActive } from './account.ts'
import type { RotationOptions, Run } from './run.ts'
import type { Evidence, Journal } from './state.ts'

/** Usage data may be this much older than the lag that is allowed it: what an answer takes on its way. */
const graceMs = 5_000
/** `Date` headers and instants are cut to the second: a use this close to ours may be ours. */
const resolutionMs = 1_000
const dayMs = 86_400_000
const glanceMs = 2_000
const betweenGlancesMs = 60_000

/**
 * Whether a key is idle: its last use lies before now − lag − idle, on usage data that is complete up to now − lag.
 * `unknown` where the data is stale or contradicts itself.
 */
export function isIdle(
  key: Pick<Key, 'lastUsedAt'>,
  usage: Usage | undefined,
  { now, usageLagMs, idleMs }: { now: number; usageLagMs: number; idleMs: number },
): boolean | 'unknown' {
  if (usage === undefined) return 'unknown'
  const completeUpTo = Date.parse(usage.updatedAt)
  if (!(completeUpTo >= now - usageLagMs - graceMs)) return 'unknown'
  const quietSince = Math.min(now - usageLagMs, completeUpTo) - idleMs
  if (key.lastUsedAt === null) return usage.windows['30d'].requests === 0 ? true : 'unknown'
  const lastUsedAt = Date.parse(key.lastUsedAt)
  if (Number.isNaN(lastUsedAt)) return 'unknown'
  if (lastUsedAt < completeUpTo - dayMs - graceMs && usage.windows['24h'].requests > 0) return 'unknown'
  return lastUsedAt < quietSince
}

/** Reads one key and says whether it is idle, and was all the quiet time since an instant (API clock, Unix ms). */
export async function idleness(
  api: Client,
  options: RotationOptions,
  id: string,
  watchedSince = -Infinity,
): Promise<boolean | 'unknown'> {
  const [key, usage] = await Promise.all([readable(getOrGone(api, id)), readable(api.keys.usage(id))])
  return idleOf(api, key, usage, options, watchedSince)
}

/** A key that is gone or revoked is as idle as can be; one whose late uses were only our probes is idle too. */
async function idleOf(
  api: Client,
  key: Seen,
  usage: Usage | 'unread',
  { usageLagMs, idleMs }: RotationOptions,
  watchedSince: number,
): Promise<boolean | 'unknown'> {
  if (key === 'unread') return 'unknown'
  if (!isActive(key)) return true
  const now = api.now()
  // A use that does not show yet is no quiet: the whole quiet time must lie after that instant, in complete data.
  if (now - usageLagMs - idleMs < watchedSince) return false
  const idle = isIdle(key, usage === 'unread' ? undefined : usage, { now, usageLagMs, idleMs })
  if (idle !== false || key.lastUsedAt === null) return idle
  const users = await usersOf(
    api,
    key.id,
    now - usageLagMs - idleMs - resolutionMs,
    Date.parse(key.lastUsedAt),
  )
  return users === 'probes'
}

function allIdle(answers: (boolean | 'unknown')[]): boolean | 'unknown' {
  if (answers.includes(false)) return false
  return answers.includes('unknown') ? 'unknown' : true
}

/** Whether a key was used after our own last use of it. */
export function isUsedByOthers(key: Pick<Key, 'lastUsedAt'>, ownUseAt: number | undefined): boolean {
  if (key.lastUsedAt === null || ownUseAt === undefined) return false
  return Date.parse(key.lastUsedAt) > ownUseAt + resolutionMs
}

/** A key as it was just read: undefined = the API says there is none; `unread` = it would not say. */
export type Seen = Key | undefined | 'unread'

/** As `isUsedByOthers`, but for the probes of other machines, where the audit log can tell them apart. */
async function isInUse(api: Client, key: Key, ownUseAt: number | undefined): Promise<boolean> {
  if (!isUsedByOthers(key, ownUseAt)) return false
  const users = await usersOf(api, key.id, (ownUseAt ?? 0) + resolutionMs)
  return users !== 'probes'
}

const eventsRead = 500

/**
 * Who used a key since an instant (API clock, Unix ms), by the audit log: `others`, only `probes` of this program on
 * any machine, or `unknown` where there is no log, nothing in it, or nothing as late as `until`.
 */
export async function usersOf(
  api: Client,
  keyId: string,
  since: number,
  until = 0,
): Promise<'probes' | 'others' | 'unknown'> {
  let newest = -Infinity
  let seen = 0
  try {
    for await (const event of api.auditLogs({ keyId, since: new Date(since).toISOString() })) {
      if (!isProbe(event)) return 'others'
      newest = Math.max(newest, Date.parse(event.timestamp))
      if (++seen === eventsRead) return 'unknown'
    }
  } catch (error) {
    if (!(error instanceof KeysError)) throw error
    return 'unknown'
  }
  return newest >= until - resolutionMs ? 'probes' : 'unknown'
}

function isProbe({ userAgent, endpoint }: AuditEvent): boolean {
  return userAgent.startsWith('pictify-keys/') && endpoint.startsWith('/templates')
}

/**
 * Whether another machine may have probed with the key after our own last use of it (API clock, Unix ms): by the audit
 * log; where there is none, whoever used it since may have been one.
 */
export async function mayBeProbedElsewhere(
  api: Client,
  key: Key,
  ownUseAt: number | undefined,
): Promise<boolean> {
  if (ownUseAt === undefined) return false
  try {
    const since = new Date(ownUseAt + resolutionMs).toISOString()
    for await (const event of api.auditLogs({ keyId: key.id, since })) if (isProbe(event)) return true
    return false
  } catch (error) {
    if (!(error instanceof KeysError)) throw error
    return isUsedByOthers(key, ownUseAt)
  }
}

interface Gathered {
  evidence: Evidence
  old: Seen
  successor: Seen
  /** Of the last 24 hours; null where that was not read. */
  requests: { old: number | null; new: number | null }
}

/** Reads both keys and the old one's usage, and says what that shows. What cannot be read is unknown; a refused credential throws. */
export async function gather(run: Run): Promise<Gathered> {
  const { api, journal, options } = run
  const oldId = journal.oldKey.id
  const newId = journal.newKey?.id ?? ''
  const began = run.services.clock.now()
  const [old, usage, successor, strays, newRequests] = await Promise.all([
    readable(getOrGone(api, oldId)),
    readable(api.keys.usage(oldId)),
    readable(getOrGone(api, newId)),
    Promise.all(journal.strays.map((id) => idleness(api, options, id, journal.deliveredAt))),
    run.services.watched ? glance(run, newId) : null,
  ])
  const oldKeyIdle = allIdle([
    await idleOf(api, old, usage, options, journal.deliveredAt ?? Infinity),
    ...strays,
  ])
  const now = api.now()
  // Instants of servers whose clocks disagree say nothing together.
  const isSteady = api.clockSetAt === undefined || api.clockSetAt < began
  const oldKey = old === 'unread' ? undefined : old
  const newKey = successor === 'unread' ? undefined : successor
  const updatedAt = usage === 'unread' ? null : usage.updatedAt
  const evidence: Evidence = {
    checkedAt: new Date(now).toISOString(),
    waived: !options.evidence || options.compromised !== undefined,
    overlapOver:
      options.overlapMs === 0 ||
      (journal.deliveredAt !== undefined && now >= journal.deliveredAt + options.overlapMs),
    oldKeyIdle: isSteady ? oldKeyIdle : 'unknown',
    oldKeyLastUsedAt: oldKey?.lastUsedAt ?? null,
    usageUpdatedAt: updatedAt,
    successorUsed: isActive(newKey) && (await isInUse(api, newKey, journal.ownUseAt)),
    successorLastUsedAt: newKey?.lastUsedAt ?? null,
    successorUseRequired: isUseRequired(journal),
  }
  const oldRequests = usage === 'unread' ? null : usage.windows['24h'].requests
  return { evidence, old, successor, requests: { old: oldRequests, new: newRequests } }
}

/**
 * A key's requests of the last 24 hours for who watches, as last read. No step waits for them longer than a glance takes,
 * and what the rate limit leaves when it is low is for what a step needs.
 */
async function glance(run: Run, id: string): Promise<number | null> {
  const { api, services } = run
  const { at = -Infinity, requests = null } = run.glanced ?? {}
  const { remaining = 1, limit = 1 } = api.rateLimit ?? {}
  const now = services.clock.now()
  if (now - at < betweenGlancesMs || remaining < limit / 4) return requests
  const read = await requestsOf(run, id)
  run.glanced = { at: now, requests: read ?? requests }
  return run.glanced.requests
}

async function requestsOf({ api, services }: Run, id: string): Promise<number | null> {
  const over = new AbortController()
  // the sleep that is ended because the answer came is no failure
  const stop = services.clock.sleep(glanceMs, over.signal).catch(() => undefined)
  const read = api.keys.usage(id, { signal: over.signal }).then(
    (usage) => usage.windows['24h'].requests,
    () => null,
  )
  try {
    return await Promise.race([read, stop.then(() => null)])
  } finally {
    over.abort()
  }
}

/**
 * Whether the applications are proved to find the successor only by using it. With --self we are the user, and our own
 * calls are all the use there may be.
 */
function isUseRequired({ self, targets, unheld }: Journal): boolean {
  return !self && (unheld || targets.some(({ readback }) => readback === 'none'))
}

/** What is still missing before the old key may be revoked, in words; empty when nothing is. */
export function missing(evidence: Evidence, run: Run): string[] {
  const { options, journal } = run
  const list: string[] = []
  if (!evidence.overlapOver) {
    const left = (journal.deliveredAt ?? 0) + options.overlapMs - Date.parse(evidence.checkedAt)
    list.push(`the overlap of ${formatDuration(options.overlapMs)} is over in ${formatDuration(left)}`)
  }
  if (evidence.waived) return list
  if (evidence.oldKeyIdle === 'unknown') {
    list.push(
      evidence.usageUpdatedAt === null
        ? `usage of ${journal.oldKey.id} is not to be had`
        : `usage data of ${evidence.usageUpdatedAt} cannot say whether ${journal.oldKey.id} is idle`,
    )
  } else if (!evidence.oldKeyIdle) {
    const needed = formatDuration(options.idleMs + options.usageLagMs)
    list.push(
      `${journal.oldKey.id} was last used ${evidence.oldKeyLastUsedAt ? `at ${evidence.oldKeyLastUsedAt}` : 'never'}; it must be seen quiet for ${needed} after the delivery`,
    )
  }
  if (evidence.successorUseRequired && !evidence.successorUsed) {
    const names = journal.targets.map(({ name }) => name).join(', ')
    const doubt = journal.unheld
      ? `, and ${names} held no key before: is that where the application reads it?`
      : ''
    list.push(`no application has used ${journal.newKey?.id} yet${doubt}`)
  }
  return list
}

async function readable<T>(promise: Promise<T>): Promise<T | 'unread'> {
  try {
    return await promise
  } catch (error) {
    if (!(error instanceof KeysError) || hasCode(error, 'invalid-api-key', 'insufficient-permissions'))
      throw error
    return 'unread'
  }
}
