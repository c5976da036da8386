// Rules of this file:
// - a use is shown `lagMs` after it happened and not before; what is shown is complete up to now − lag;
// - what is kept is bounded: uses that are not shown yet up to a count, the others as sums by the hour for 30 days.
import type { components } from '../api/openapi.ts'
import type { KeyRecord } from './keys.ts'
import { pastHour } from './past.ts'
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
  past: UsageState = { unshown: [], tallies: [] },
): UsageLedger {
  let unshown = [...past.unshown]
  let next = 0
  const tallies = new Map(past.tallies.map(([keyId, hours]) => [keyId, new Map(hours)]))

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
      const hours = tallies.get(key.id)
      return sum(key, updatedAt, (hour) => [pastHour(key, hour), hours?.get(hour)])
    },
    forget: (keyId) => tallies.delete(keyId),
    state: () => ({
      unshown: unshown.slice(next),
      tallies: [...tallies].map(([keyId, hours]) => [keyId, [...hours]]),
    }),
  }
}

/** The figures of the 30 days up to `updatedAt`, hour by hour from the newest, so that each window is read on the way. */
function sum(
  key: KeyRecord,
  updatedAt: number,
  tallies: (hour: number) => (Tally | undefined)[],
): UsageFigures {
  const total = newTally()
  const last = Math.floor(updatedAt / hourMs)
  const first = Math.max(last - windowHours['30d'], Math.floor(Math.min(key.createdAt, updatedAt) / hourMs))
  const days = new Map<string, { date: string; requests: number; errors: number }>()
  const windows: Partial<UsageFigures['windows']> = {}

  for (let hour = last; hour >= last - windowHours['30d']; hour--) {
    const date = new Date(hour * hourMs).toISOString().slice(0, 10)
    let day = days.get(date)
    if (!day && hour >= first) days.set(date, (day = { date, requests: 0, errors: 0 }))
    for (const tally of tallies(hour)) {
      if (!tally) continue
      addTally(total, tally)
      if (day) {
        day.requests += tally.requests
        day.errors += tally.errors
      }
    }
    for (const window of ['24h', '7d', '30d'] as const) {
      if (hour === last - windowHours[window]) windows[window] = windowOf(total)
    }
  }
  const { '24h': h24, '7d': d7, '30d': d30 } = windows
  const empty = windowOf(newTally())
  return {
    updatedAt,
    windows: { '24h': h24 ?? empty, '7d': d7 ?? empty, '30d': d30 ?? empty },
    daily: [...days.values()].reverse(),
    countries: total.countries,
  }
}

const windowOf = (tally: Tally) => ({
  requests: tally.requests,
  errors: tally.errors,
  latencyMs: { p50: percentile(tally, 0.5), p95: percentile(tally, 0.95), p99: percentile(tally, 0.99) },
})
