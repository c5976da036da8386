// Rules of this file:
// - what was not asked is not passed off as an answer: such a key is said to be `asked: false`;
// - what figures cannot tell (latency of several keys together, requests of one minute) is left out, never guessed.
import type { Key, KeyType, Usage, UsageWindow } from '../api/contract.ts'
import type { RequestLimits } from '../request-limits.ts'

export const windows = ['24h', '7d', '30d'] as const
export type WindowName = (typeof windows)[number]

/** What a key did. Instants are ISO 8601. */
export interface KeyFigures {
  keyId: string
  name: string
  type: KeyType
  lastUsedAt: string | null
  /** False: it was not used in the last 30 days, so that its figures are 0 without asking. */
  asked: boolean
  /** Up to when the figures are complete; null where they were not asked for. */
  updatedAt: string | null
  windows: Usage['windows']
  daily?: Usage['daily']
  countries?: Usage['countries']
  /** Null where the plan's limit of a day is not known. */
  dayLimit: DayLimit | null
}

/** What a key takes of the requests it may make in a day: shares, 1 is all. */
interface DayLimit {
  /** Of the last 24 hours. */
  share: number
  /** Of its busiest day; null where there are no days. */
  busiest: { date: string; requests: number; share: number } | null
}

export interface Totals {
  keys: number
  /** How many of them were not asked. */
  notAsked: number
  windows: Record<WindowName, { requests: number; errors: number }>
  /** Up to when all of these are complete; null where no key was asked about. */
  updatedAt: string | null
}

/** What all of them did, and what the figures are held against. */
export interface AccountUsage {
  usage: KeyFigures[]
  /** Of all keys, as is `daily`. */
  totals: Totals
  /** Oldest first; empty where the API keeps no days. */
  daily: NonNullable<Usage['daily']>
  limits: RequestLimits
}

const dayMs = 86_400_000
const nothing = (): UsageWindow => ({ requests: 0, errors: 0, latencyMs: { p50: 0, p95: 0, p99: 0 } })

/** The figures of a key; without `usage` it was not asked. */
export function figuresOf(key: Key, usage: Usage | undefined, limits: RequestLimits): KeyFigures {
  const { id: keyId, name, type, lastUsedAt } = key
  if (usage === undefined) {
    const empty = { '24h': nothing(), '7d': nothing(), '30d': nothing() }
    const dayLimit = limits.requestsPerDay === null ? null : { share: 0, busiest: null }
    return { keyId, name, type, lastUsedAt, asked: false, updatedAt: null, windows: empty, dayLimit }
  }
  const { updatedAt, windows, daily, countries } = usage
  const dayLimit = dayLimitOf(usage, limits)
  return {
    ...{ keyId, name, type, lastUsedAt, asked: true, updatedAt, windows },
    ...(daily !== undefined && { daily }),
    ...(countries !== undefined && { countries }),
    dayLimit,
  }
}

function dayLimitOf({ windows, daily = [] }: Usage, { requestsPerDay }: RequestLimits): DayLimit | null {
  if (requestsPerDay === null) return null
  const share = (requests: number) => requests / requestsPerDay
  const [first, ...others] = daily
  const busiest = first && others.reduce((most, day) => (day.requests > most.requests ? day : most), first)
  return {
    share: share(windows['24h'].requests),
    busiest:
      busiest === undefined
        ? null
        : { date: busiest.date, requests: busiest.requests, share: share(busiest.requests) },
  }
}

/** What keys did together; added to one by one. */
export function noTotals(): Totals {
  const none = () => ({ requests: 0, errors: 0 })
  return { keys: 0, notAsked: 0, windows: { '24h': none(), '7d': none(), '30d': none() }, updatedAt: null }
}

export function addTo(totals: Totals, figures: KeyFigures): void {
  totals.keys += 1
  if (!figures.asked) totals.notAsked += 1
  for (const window of windows) {
    totals.windows[window].requests += figures.windows[window].requests
    totals.windows[window].errors += figures.windows[window].errors
  }
  totals.updatedAt = earlier(totals.updatedAt, figures.updatedAt)
}

function earlier(a: string | null, b: string | null): string | null {
  if (a === null || b === null) return a ?? b
  return Date.parse(b) < Date.parse(a) ? b : a
}

export const usageSorts = ['requests', 'errors', 'error-rate', 'p95', 'last-used', 'name'] as const

/** Most, slowest and latest first, names from A to Z; what is equal stays as the API lists it: newest first. */
export function compareFigures(
  by: (typeof usageSorts)[number],
  window: WindowName,
): (a: KeyFigures, b: KeyFigures) => number {
  const most = (value: (figures: UsageWindow) => number) => (a: KeyFigures, b: KeyFigures) =>
    value(b.windows[window]) - value(a.windows[window])
  switch (by) {
    case 'requests':
      return most(({ requests }) => requests)
    case 'errors':
      return most(({ errors }) => errors)
    case 'error-rate':
      return most(({ requests, errors }) => (requests === 0 ? 0 : errors / requests))
    case 'p95':
      return most(({ latencyMs }) => latencyMs.p95)
    case 'last-used': {
      const at = ({ lastUsedAt }: KeyFigures) => (lastUsedAt === null ? 0 : Date.parse(lastUsedAt))
      return (a, b) => at(b) - at(a)
    }
    case 'name': {
      const collator = new Intl.Collator('en', { numeric: true })
      return (a, b) => collator.compare(a.name, b.name)
    }
  }
}

/** The days of several keys together; added to one by one. */
export function createDays() {
  const days = new Map<number, { requests: number; errors: number }>()
  return {
    add({ daily = [] }: Pick<KeyFigures, 'daily'>): void {
      for (const { date, requests, errors } of daily) {
        const day = Math.floor(Date.parse(date) / dayMs)
        if (Number.isNaN(day)) continue
        const sum = days.get(day) ?? { requests: 0, errors: 0 }
        days.set(day, { requests: sum.requests + requests, errors: sum.errors + errors })
      }
    },
    /** Without gaps, oldest first. */
    list(): AccountUsage['daily'] {
      if (days.size === 0) return []
      const last = Math.max(...days.keys())
      // a day that is far off is a mistake, and no reason to draw a thousand days
      const first = Math.max(Math.min(...days.keys()), last - 60)
      return Array.from({ length: last - first + 1 }, (_, index) => ({
        date: new Date((first + index) * dayMs).toISOString().slice(0, 10),
        ...(days.get(first + index) ?? { requests: 0, errors: 0 }),
      }))
    },
  }
}
