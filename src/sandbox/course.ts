// When a key made its requests. Rules of this file:
// - nothing is kept: how many came before an instant, and when the n-th came, are each worked out by themselves;
// - the two agree to the millisecond, so that what is counted is what is shown.
import { chance, reached, stream } from './chance.ts'

export const hourMs = 3_600_000
export const dayMs = 24 * hourMs

/** `always`: at all hours, less at night and at weekends; `office`: 7 to 20 UTC, Monday to Friday; `steady`: every day alike. */
export type Rhythm = 'always' | 'office' | 'steady'

export interface CourseOptions {
  seed: number
  rhythm: Rhythm
  /** The requests lie in here, the last one at `until`. Unix milliseconds. */
  from: number
  until: number
  /** Days (counted from 1970) with a weight of their own; 1 is a working day. */
  days?: readonly { day: number; weight: number }[] | undefined
  /** From this day on it is busy from 1 to 4 o'clock too. */
  nightsFrom?: number | undefined
}

/** Its length in working days: how much there is to be shared out. */
export interface Course {
  readonly days: number
  /** Gives it so many requests, one at least. */
  of(count: number): Requests
}

export interface Requests {
  readonly count: number
  /** How many came before an instant. */
  before(instant: number): number
  /** When the n-th came, counted from 0; `from` and `until` are instants that it is known to lie between. */
  at(n: number, from?: number, until?: number): number
}

const weekly = {
  // Sunday first
  always: week([0.5, 1, 1, 1, 1, 1, 0.5]),
  office: week([0, 1, 1, 1, 1, 1, 0]),
  steady: week([1, 1, 1, 1, 1, 1, 1]),
}
const isDaytime = (hour: number) => hour >= 7 && hour < 20
const daily = {
  always: shares((hour) => (isDaytime(hour) ? 1.4 : 0.6)),
  office: shares((hour) => (isDaytime(hour) ? 1 : 0)),
  steady: shares((hour) => (isDaytime(hour) ? 1.4 : 0.6)),
  nights: shares((hour) => (isDaytime(hour) ? 1 : hour >= 1 && hour < 4 ? 1.5 : 0)),
}

function week(weights: readonly number[]) {
  const before = weights.map((_, day) => weights.slice(0, day).reduce((sum, weight) => sum + weight, 0))
  return { weights, before, sum: weights.reduce((sum, weight) => sum + weight, 0) }
}

/** The share of each hour in a day, and of all before it. */
function shares(weight: (hour: number) => number): { of: number[]; before: number[] } {
  const weights = Array.from({ length: 24 }, (_, hour) => weight(hour))
  const sum = weights.reduce((total, each) => total + each, 0)
  const of = weights.map((each) => each / sum)
  let before = 0
  return { of, before: [...of.map((each) => (before += each) - each), 1] }
}

export function createCourse({ seed, rhythm, from, until, days = [], nightsFrom }: CourseOptions): Course {
  const { weights, before, sum } = weekly[rhythm]
  const [ofDays, ofHours, ofRequests] = [stream(seed, 1), stream(seed, 2), stream(seed, 3)]

  // 1970 began on a Thursday
  const usual = (day: number): number => weights[(day + 4) % 7] as number
  const weightOf = (day: number): number => {
    for (const own of days) if (own.day === day) return own.weight
    return usual(day)
  }
  const plainEdge = (day: number): number =>
    Math.floor((day + 4) / 7) * sum + (before[(day + 4) % 7] as number)
  const origin = plainEdge(Math.floor(from / dayMs))
  /** Working days up to the beginning of one; it comes sooner or later by chance, so that no day is as the other. */
  const dayEdge = (day: number): number => {
    let edge = plainEdge(day) - origin
    for (const own of days) if (own.day < day) edge += own.weight - usual(own.day)
    const room = Math.min(weightOf(day - 1), weightOf(day))
    return edge + (chance(ofDays, day) - 0.5) * 0.5 * room
  }
  const hourEdge = (day: number, hour: number): number => {
    const shape = nightsFrom !== undefined && day >= nightsFrom ? daily.nights : daily[rhythm]
    const edge = shape.before[hour] as number
    if (hour === 0 || hour === 24) return edge
    const room = Math.min(shape.of[hour - 1] as number, shape.of[hour] as number)
    return edge + (chance(ofHours, day * 24 + hour) - 0.5) * 0.6 * room
  }
  // the hour that was asked about last: mostly the next question is about it too
  let known = -1
  let low = 0
  let rise = 0
  const elapsed = (instant: number): number => {
    const hour = Math.floor(instant / hourMs)
    if (hour !== known) {
      const day = Math.floor(hour / 24)
      const begin = dayEdge(day)
      const length = dayEdge(day + 1) - begin
      low = begin + length * hourEdge(day, hour - day * 24)
      rise = begin + length * hourEdge(day, hour - day * 24 + 1) - low
      known = hour
    }
    return low + rise * ((instant - hour * hourMs) / hourMs)
  }

  const start = elapsed(from)
  const length = elapsed(until) - start

  return {
    days: length,
    of(wanted) {
      const count = length > 0 ? Math.max(1, wanted) : 1
      const scale = length > 0 ? (count - 1) / length : 0
      /** Of the requests but the last. */
      const position = (instant: number): number => {
        if (instant <= from) return 0
        if (instant >= until) return count - 1
        return Math.min(count - 1, Math.max(0, (elapsed(instant) - start) * scale))
      }
      return {
        count,
        before: (instant) => reached(position(instant), ofRequests) + (instant > until ? 1 : 0),
        at(n, earliest = from, latest = until) {
          if (n >= count - 1) return until
          return lastUpTo(position, n + chance(ofRequests, n), earliest, latest)
        },
      }
    },
  }
}

/** The last millisecond at which a rising scale is at `value` or below, of those from `earliest` to `latest`. */
function lastUpTo(
  scale: (instant: number) => number,
  value: number,
  earliest: number,
  latest: number,
): number {
  let low = Math.floor(earliest / hourMs)
  let high = Math.floor(latest / hourMs) + 1
  while (high - low > 1) {
    const middle = (low + high) >>> 1
    if (scale(middle * hourMs) <= value) low = middle
    else high = middle
  }
  let from = low * hourMs
  let until = high * hourMs
  let atFrom = scale(from)
  let atUntil = scale(until)
  // within an hour it rises evenly, but for the first and the last one: there by halves
  for (let tries = 0; until - from > 1; tries++) {
    const share = tries < 6 ? (value - atFrom) / (atUntil - atFrom) : 0.5
    const middle = Math.min(until - 1, Math.max(from + 1, from + Math.floor(share * (until - from))))
    const atMiddle = scale(middle)
    if (atMiddle <= value) [from, atFrom] = [middle, atMiddle]
    else [until, atUntil] = [middle, atMiddle]
  }
  return Math.min(latest, Math.max(earliest, from))
}
