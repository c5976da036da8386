import { testRendersPerDay, type PlanLimits } from './plans.ts'

const minuteMs = 60_000
const dayMs = 86_400_000

/** What the headers of one answer say. */
export interface RateState {
  limit: number
  remaining: number
  /** Unix milliseconds. */
  resetAt: number
  /** What ran out, when the request is refused for it. */
  exceeded?: 'minute' | 'day'
}

interface Counter {
  /** When the running minute began: with the key's first request after the last one was over. */
  minute: number
  count: number
  /** Days since 1970, UTC. */
  day: number
  dayCount: number
  renders: number
}

export interface RateLimits {
  /** Counts one request, unless it is refused. */
  take(keyId: string, now: number): RateState
  /** What a request shows that is counted nowhere, its key not being accepted. */
  unused(now: number): RateState
  /** Counts one render of a test key; false when the day's are used up. */
  takeTestRender(keyId: string, now: number): boolean
  forget(keyId: string): void
  entries(): [string, Counter][]
  load(entries: [string, Counter][]): void
}

/** The next midnight, UTC. */
export const nextDay = (now: number): number => (Math.floor(now / dayMs) + 1) * dayMs

export function createRateLimits({ perMinute, perDay }: PlanLimits): RateLimits {
  const counters = new Map<string, Counter>()
  const counterOf = (keyId: string, now: number): Counter => {
    let counter = counters.get(keyId)
    if (!counter) counters.set(keyId, (counter = { minute: now, count: 0, day: 0, dayCount: 0, renders: 0 }))
    const day = Math.floor(now / dayMs)
    if (now - counter.minute >= minuteMs) Object.assign(counter, { minute: now, count: 0 })
    if (counter.day !== day) Object.assign(counter, { day, dayCount: 0, renders: 0 })
    return counter
  }

  return {
    take(keyId, now) {
      const counter = counterOf(keyId, now)
      const resetAt = counter.minute + minuteMs
      if (counter.dayCount >= perDay) {
        return { limit: perMinute, remaining: 0, resetAt: nextDay(now), exceeded: 'day' }
      }
      if (counter.count >= perMinute) return { limit: perMinute, remaining: 0, resetAt, exceeded: 'minute' }
      counter.count++
      counter.dayCount++
      const remaining = Math.min(perMinute - counter.count, perDay - counter.dayCount)
      return { limit: perMinute, remaining, resetAt }
    },
    unused: (now) => ({ limit: perMinute, remaining: perMinute, resetAt: now + minuteMs }),
    takeTestRender(keyId, now) {
      const counter = counterOf(keyId, now)
      if (counter.renders >= testRendersPerDay) return false
      counter.renders++
      return true
    },
    forget: (keyId) => counters.delete(keyId),
    entries: () => [...counters],
    load(entries) {
      for (const [keyId, counter] of entries) counters.set(keyId, counter)
    },
  }
}
