// Rules of this file:
// - a use is shown `lagMs` after it happened and not before; what is shown is complete up to now − lag;
// - what is kept is bounded: uses that are not shown yet up to a count, the others as sums by the hour for 30 days.
import type { components } from '../api/openapi.ts'
import type { KeyRecord } from './keys.ts'
import type { Past } from './past.ts'
import { addLatency, addTally, hourMs, newTally, percentile, type Tally } from './tally.ts'

/** One authenticated request; `at` in Unix milliseconds. */
interface Use {
  keyId: string
  at: number
  failed: boolean
  latencyMs: number
  country: string
}

const windowHours = { '24h': 24, '7d': 7 * 24, '30d': 30 * 24 } as const
const unshownLimit = 200_000

export interface UsageFigures {
  /** Unix milliseconds. */
  updatedAt: number
  windows: components['schemas']['Usage']['windows']
  daily: { date: string; requests: number; errors: number }[]
  countries: Record<string, number>
}

/** What a ledger is on the disk. */
export interface UsageState {
  unshown: Use[]
  tallies: [keyId: string, [hour: number, Tally][]][]
}

export interface UsageLedger {
  record(use: Use): void
  /** Lets what has become old enough be seen; to be called before a key is shown. */
  settle(now: number): void
  figures(key: KeyRecord, now: number): UsageFigures
  forget(keyId: string): void
  state(): UsageState
}

/** `keyOf` finds the keys whose `lastUsedAt` is to be moved; uses of keys it does not know are dropped. */
export function createUsageLedger(
  lagMs: number,
  keyOf: (id: string) => KeyRecord | undefined,
  past: Past,
  earlier: UsageState = { unshown: [], tallies: [] },
): UsageLedger {
  let unshown = [...earlier.unshown]
  let next = 0
  const tallies = new Map(earlier.tallies.map(([keyId, hours]) => [keyId, new Map(hours)]))

  const show = (use: Use) => {
    const key = keyOf(use.keyId)
    if (!key) return
    key.lastUsedAt = Math.max(key.lastUsedAt ?? 0, use.at)
    let hours = tallies.get(use.keyId)
    if (!hours) tallies.set(use.keyId, (hours = new Map<number, Tally>()))
    const hour = Math.floor(use.at / hourMs)
    let tally = hours.get(hour)
    if (!tally) {
      hours.set(hour, (tally = newTally()))
      for (const old of hours.keys()) if (old < hour - windowHours['30d']) hours.delete(old)
    }
    tally.requests++
    if (use.failed) tally.errors++
    addLatency(tally, use.latencyMs)
    tally.countries[use.country] = (tally.countries[use.country] ?? 0) + 1
  }

  const settle = (now: number) => {
    while (next < unshown.length) {
      const use = unshown[next] as Use
      if (use.at > now - lagMs && unshown.length - next <= unshownLimit) break
      show(use)
      next++
    }
    if (next > 1_000 && next * 2 > unshown.length) {
      unshown = unshown.slice(next)
      next = 0
    }
  }

  return {
    record(use) {
      unshown.push(use)
      settle(use.at)
    },
    settle,
    figures(key, now) {
      settle(now)
      const updatedAt = now - lagMs
      return sum(key, updatedAt, past, tallies.get(key.id))
    },
    forget: (keyId) => tallies.delete(keyId),
    state: () => ({
      unshown: unshown.slice(next),
      tallies: [...tallies].map(([keyId, hours]) => [keyId, [...hours]]),
    }),
  }
}

/** The figures of the 30 days up to `updatedAt`: of the past, and of the hours since the sandbox began. */
function sum(
  key: KeyRecord,
  updatedAt: number,
  past: Past,
  hours: ReadonlyMap<number, Tally> = new Map(),
): UsageFigures {
  const last = Math.floor(updatedAt / hourMs)
  const earliest = last - windowHours['30d']
  const first = Math.max(earliest, Math.floor(Math.min(key.createdAt, updatedAt) / hourMs))
  const shown = [...hours].filter(([hour]) => hour >= earliest && hour <= last)
  const totalOf = (window: keyof typeof windowHours): Tally => {
    const from = last - windowHours[window]
    const total = past.tally(key.id, from * hourMs, (last + 1) * hourMs)
    for (const [hour, tally] of shown) if (hour >= from) addTally(total, tally)
    return total
  }
  const daily: UsageFigures['daily'] = []
  for (let day = Math.floor(first / 24); day <= Math.floor(last / 24); day++) {
    const from = Math.max(first, day * 24)
    const until = Math.min(last, day * 24 + 23) + 1
    const total = past.counts(key.id, from * hourMs, until * hourMs)
    for (const [hour, { requests, errors }] of shown) {
      if (hour < from || hour >= until) continue
      total.requests += requests
      total.errors += errors
    }
    daily.push({ date: new Date(day * 24 * hourMs).toISOString().slice(0, 10), ...total })
  }
  const month = totalOf('30d')
  return {
    updatedAt,
    windows: { '24h': windowOf(totalOf('24h')), '7d': windowOf(totalOf('7d')), '30d': windowOf(month) },
    daily,
    countries: month.countries,
  }
}

const windowOf = (tally: Tally) => ({
  requests: tally.requests,
  errors: tally.errors,
  latencyMs: { p50: percentile(tally, 0.5), p95: percentile(tally, 0.95), p99: percentile(tally, 0.99) },
})
