import type { Key, KeyType, Plan, Usage } from '../api/contract.ts'
import { requestLimitsOf } from '../request-limits.ts'
import { addTo, newCount, type Call, type Count } from './incident-calls.ts'
import type { IncidentLog } from './incident-log.ts'
import type { Novelty } from './incident-unlike.ts'

/** What was spent with the key since the incident began, as far as that can be known. */
export interface Spent {
  /** What the figures were made of; with `usage` they begin with a whole day (UTC). Null: there are none. */
  source: 'audit-log' | 'usage' | null
  requests: number | null
  /** Of these, answered with 400 and above; and of those 401, 402, 403 and 429, which usage does not tell. */
  failed: number | null
  refused: number | null
  /** Images and documents that were made: POST to /image, /gif, /pdf or to a path that ends in /render, not failed. */
  renders: number | null
  /** Whether renders count against the plan: those of a live key do. Null: its type is not known. */
  countsAgainstPlan: boolean | null
  /**
   * Of these, what surely came from networks or programs never seen before; null: there is no past to tell by. Of further
   * `unkept` requests that is not known.
   */
  unseen: Count | null
  /** Requests of callers that were too many to be kept, or to tell whether they were seen before. */
  unkept: number
  plan: Plan | null
  /** Requests that the plan lets each key make in a day; null: not known, or no such limit. */
  dailyLimit: number | null
  /** The day (UTC) with most requests since, and its share of the daily limit. */
  busiestDay: { date: string; requests: number; share: number | null } | null
}

/** What was called since the incident began. */
export interface Reached {
  /** `POST /image`. */
  endpoint: string
  kind: 'read' | 'write' | 'manage'
  requests: number
  failed: number
  refused: number
  /** Those that surely are by callers never seen before; null: there is no past to tell by. */
  unseen: number | null
}

const mostReached = 200

export function spentOf(
  log: IncidentLog | null,
  usage: Usage | null,
  { type, plan, since }: { type: KeyType | undefined; plan: Plan | undefined; since: number },
  novelty: Novelty | null,
): Spent {
  const border = new Date(since).toISOString().slice(0, 10)
  const daily = usage?.daily?.filter(({ date }) => date >= border)
  const days =
    log !== null
      ? [...log.daysSince]
      : (daily ?? []).map(({ date, requests }) => [date.slice(0, 10), requests] as const)
  const [busiest] = [...days].sort(([, a], [, b]) => b - a)
  const dailyLimit = requestLimitsOf(plan, undefined).requestsPerDay
  const unclear = log !== null && novelty?.past ? totalOf(log.calls, novelty, 'unclear').requests : 0
  return {
    ...(log !== null ? { source: 'audit-log' as const, ...log.after } : figuresOfDays(daily)),
    countsAgainstPlan: type === undefined ? null : type === 'live',
    unseen: log !== null && novelty?.past ? totalOf(log.calls, novelty, 'unseen') : null,
    unkept: (log?.unkept ?? 0) + unclear,
    plan: plan ?? null,
    dailyLimit,
    busiestDay:
      busiest === undefined
        ? null
        : {
            date: busiest[0],
            requests: busiest[1],
            share: dailyLimit === null ? null : busiest[1] / dailyLimit,
          },
  }
}

function figuresOfDays(
  days: Usage['daily'],
): Pick<Spent, 'source' | 'requests' | 'failed' | 'refused' | 'renders'> {
  if (days === undefined) return { source: null, requests: null, failed: null, refused: null, renders: null }
  const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0)
  return {
    source: 'usage',
    requests: sum(days.map(({ requests }) => requests)),
    failed: sum(days.map(({ errors }) => errors)),
    refused: null,
    renders: null,
  }
}

function totalOf(
  calls: readonly Call[],
  { standingOf }: Novelty,
  standing: ReturnType<Novelty['standingOf']>,
): Count {
  const total = newCount()
  for (const call of calls) if (standingOf(call) === standing) addTo(total, call.since)
  return total
}

/** What was called since, most first, and how many endpoints more. */
export function reachedOf(
  { calls }: Pick<IncidentLog, 'calls'>,
  { past, standingOf }: Novelty,
): { endpoints: Reached[]; leftOut: number } {
  const reached = new Map<string, Reached>()
  for (const call of calls) {
    const { endpoint, since } = call
    if (since.requests === 0 || endpoint === null) continue
    const known = reached.get(endpoint) ?? {
      endpoint,
      kind: kindOf(endpoint),
      ...{ requests: 0, failed: 0, refused: 0 },
      unseen: past === null ? null : 0,
    }
    known.requests += since.requests
    known.failed += since.failed
    known.refused += since.refused
    if (known.unseen !== null && standingOf(call) === 'unseen') known.unseen += since.requests
    reached.set(endpoint, known)
  }
  const all = [...reached.values()].sort(
    (a, b) => b.requests - a.requests || (a.endpoint < b.endpoint ? -1 : 1),
  )
  return { endpoints: all.slice(0, mostReached), leftOut: Math.max(0, all.length - mostReached) }
}

function kindOf(endpoint: string): Reached['kind'] {
  const [method = '', path = ''] = endpoint.split(' ')
  if (/^\/(?:api-keys|audit-logs)(?:\/|$)/.test(path)) return 'manage'
  return ['GET', 'HEAD', 'OPTIONS'].includes(method.toUpperCase()) ? 'read' : 'write'
}

/** What whoever has the secret could do with it, by what the API says of its access; used or not. */
export function mayOf(key: Key | undefined): string[] {
  switch (key?.access) {
    case 'admin':
      return ['create, rename, revoke and delete keys', 'read the audit log', 'render', 'read templates']
    case 'read-only':
      return ['read templates']
    case 'full':
      return ['render', 'read and change templates']
    case undefined:
      return []
  }
}
