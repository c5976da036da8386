import { type Comparison, compareDay, fewestDays, outlierScore } from './robust.ts'
import type { KeyUsage } from './survey.ts'

/** A stretch of a day in which a key did more than is its own. */
export interface Spike extends Comparison {
  /** `2026-03-01`, or `the last 24 hours`. */
  when: string
  /** Whether that day is not over: it was taken as it is, and is held against whole ones. */
  unfinished: boolean
}

export interface SpikeOptions {
  /** How many times what is usual; of a key that is mostly idle, how many times its busiest day. */
  times: number
  /** How many requests more than what is usual. */
  requests: number
  /** From when on days are looked at, besides the last two (Unix ms). */
  since?: number | undefined
}

export const spikeDefaults: SpikeOptions = { times: 3, requests: 100 }

const dayMs = 86_400_000

/**
 * When a key did far more than on its own days before: on a day from `since` on (on the last two, in any case; the last may
 * not be over), or within the last 24 hours. The oddest first; `unknown` where there are too few days.
 */
export function spikesOf(
  { updatedAt, windows, days }: KeyUsage,
  createdAt: number,
  { times, requests, since = Infinity }: SpikeOptions = spikeDefaults,
): Spike[] | 'unknown' {
  if (days === undefined) return 'unknown'
  const lastDay = Date.parse(days.lastDay)
  // the day of its creation is not whole, nor may be the first that is told of
  const whole = Math.min(Math.floor((lastDay - createdAt) / dayMs) + 1, days.requests.length - 1)
  if (whole <= fewestDays) return 'unknown'
  const counts = days.requests.slice(-whole)
  const last = counts.length - 1
  const isOver = updatedAt >= lastDay + dayMs
  const begin = Math.min(last - Math.ceil((lastDay - since) / dayMs), isOver ? last : last - 1)
  const found: (Spike | undefined)[] = []
  for (let index = last; index >= Math.max(begin, fewestDays); index--) {
    const comparison = compareDay(counts[index] ?? 0, counts.slice(0, index))
    const when = new Date(lastDay - (last - index) * dayMs).toISOString().slice(0, 10)
    found.push(comparison && { ...comparison, when, unfinished: index === last && !isOver })
  }
  if (!isOver) found.push(seenWithinDay(windows['24h'].requests, counts))
  return found
    .filter((each) => each !== undefined)
    .filter(
      ({ seen, usual, most, score }) =>
        score > outlierScore && seen >= (usual > 0 ? usual : most) * times && seen - usual >= requests,
    )
    .sort((a, b) => b.score - a.score)
}

/** The last 24 hours lie in two days: they are odd where they are for both. */
function seenWithinDay(seen: number, counts: readonly number[]): Spike | undefined {
  const whole = counts.slice(0, -2)
  // what the day before was like is told as if the days had ended one earlier
  const [today, yesterday] = [compareDay(seen, [...whole, counts.at(-2) ?? 0]), compareDay(seen, whole)]
  if (today === undefined || yesterday === undefined) return undefined
  const milder = today.score < yesterday.score ? today : yesterday
  return { ...milder, when: 'the last 24 hours', unfinished: false }
}
