import type { Key, KeyType, Plan, Usage } from '../api/contract.ts'
import { newCount, type Call, type Count, type IncidentLog } from './incident-log.ts'
import type { Novelty } from './incident-unlike.ts'

/** What was spent with the key since the incident began, as far as that can be known. */
export interface Spent {
  /** What the figures were made of; with `usage` they begin with a whole day (UTC). Null: there are none. */
  source: 'audit-log' | 'usage' | null
  requests: number | null
  refused: number | null
  /** Images and documents that were made: POST to /image, /gif, /pdf or to a path that ends in /render, not refused. */
  renders: number | null
  /** Whether renders count against the plan: those of a live key do. Null: its type is not known. */
  countsAgainstPlan: boolean | null
  /** Of these, what came from networks or programs never seen before; null: there is no past to tell by. */
  unseen: { requests: number; refused: number; renders: number } | null
  plan: Plan | null
  /** Requests that the plan lets each key make in a day; null: not known, or no such limit. */
  dailyLimit: number | null
  /** The day (UTC) with most requests, and its share of the daily limit. */
  busiestDay: { date: string; requests: number; share: number | null } | null
}

/** What was called since the incident began. */
export interface Reached {
  /** `POST /image`. */
  endpoint: string
  kind: 'read' | 'write' | 'manage'
  requests: number
  refused: number
  /** Null: there is no past to tell by. */
  unseen: number | null
}

const dailyLimits: Readonly<Record<Plan, number | null>> = {
  free: 1_000,
  pro: 10_000,
  business: 100_000,
  enterprise: null,
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
      ? [...log.days].filter(([day]) => day >= border)
      : (daily ?? []).map(({ date, requests }) => [date.slice(0, 10), requests] as const)
  const [busiest] = [...days].sort(([, a], [, b]) => b - a)
  const dailyLimit = plan === undefined ? null : dailyLimits[plan]
  const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0)
  const figures =
    log !== null
      ? { source: 'audit-log' as const, ...log.after, renders: rendersOf(log.calls) }
      : daily !== undefined
        ? {
            source: 'usage' as const,
            requests: sum(daily.map(({ requests }) => requests)),
            refused: sum(daily.map(({ errors }) => errors)),
            renders: null,
          }
        : { source: null, requests: null, refused: null, renders: null }
  return {
    ...figures,
    countsAgainstPlan: type === undefined ? null : type === 'live',
    unseen: log === null || !novelty?.past ? null : unseenOf(log.calls.filter(novelty.isUnseen)),
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

function unseenOf(calls: readonly Call[]): Spent['unseen'] {
  const { requests, refused } = totalOf(calls)
  return { requests, refused, renders: rendersOf(calls) }
}

function totalOf(calls: readonly Call[]): Count {
  const total = newCount()
  for (const { since } of calls) {
    total.requests += since.requests
    total.refused += since.refused
  }
  return total
}

function rendersOf(calls: readonly Call[]): number {
  const { requests, refused } = totalOf(
    calls.filter(({ endpoint }) => /^POST \S*\/(?:image|gif|pdf|render)\/?$/i.test(endpoint)),
  )
  return requests - refused
}

/** What was called since, most first, and how many endpoints more. */
export function reachedOf(
  { calls }: Pick<IncidentLog, 'calls'>,
  { past, isUnseen }: Novelty,
): { endpoints: Reached[]; leftOut: number } {
  const reached = new Map<string, Reached>()
  for (const call of calls) {
    const { endpoint, since } = call
    if (since.requests === 0) continue
    const known = reached.get(endpoint) ?? {
      endpoint,
      kind: kindOf(endpoint),
      ...newCount(),
      unseen: past === null ? null : 0,
    }
    known.requests += since.requests
    known.refused += since.refused
    if (known.unseen !== null && isUnseen(call)) known.unseen += since.requests
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
