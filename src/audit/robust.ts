// Rules of this file:
// - what is usual is a median, how far it varies the median distance from it (MAD): single odd days, however odd, move neither;
// - a spread is never less than what counts vary by anyhow, so that a key that always does the same is not called odd for one more;
// - few days say nothing.

/** How a figure stands to earlier ones of its kind. */
export interface Comparison {
  seen: number
  /** What was to be expected. */
  usual: number
  /** How far the earlier figures lie from it: a standard deviation, told by the MAD. */
  spread: number
  /** How many spreads lie between the two (a modified z-score); above 0 where more was seen than is usual. */
  score: number
  /** The highest of the earlier figures. */
  most: number
  /** From how many earlier figures that is known. */
  count: number
  /** What the earlier figures were: days of the same weekday, or all days. */
  of: 'days' | 'weekdays'
}

/** Of a normal distribution the standard deviation is so many times the MAD. */
const deviationsOfMad = 1.4826
/** Iglewicz and Hoaglin's bound: what lies beyond is an outlier. */
export const outlierScore = 3.5
/** Less earlier days than these say nothing. */
export const fewestDays = 7
/** From three weeks on, a Saturday is held against Saturdays. */
const weeklyDays = 21
/** From two weeks on it shows whether the key does more of late. */
const driftDays = 14

/** Of an empty list it is 0. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const [low = 0, high = 0] = [sorted[middle - 1], sorted[middle]]
  return sorted.length % 2 === 1 ? high : (low + high) / 2
}

/** How far counts lie from what is usual; at least a tenth of it, its root (as chance has it), and one. */
export function spreadOf(distances: readonly number[], usual: number): number {
  const mad = median(distances.map(Math.abs))
  return Math.max(mad * deviationsOfMad, usual / 10, Math.sqrt(usual), 1)
}

/**
 * Holds a day's count against those of the days right before it, oldest first; undefined where they are too few. Where
 * there are weeks enough what is usual is that of the same weekday; what has been so for most of a week is usual too.
 */
export function compareDay(seen: number, past: readonly number[]): Comparison | undefined {
  if (past.length < fewestDays) return undefined
  const weekly = past.length >= weeklyDays
  const weekdayOf = (index: number) => (weekly ? (past.length - index) % 7 : 0)
  const levels = Array.from({ length: weekly ? 7 : 1 }, (_, weekday) =>
    median(past.filter((__, index) => weekdayOf(index) === weekday)),
  )
  const distances = past.map((value, index) => value - (levels[weekdayOf(index)] ?? 0))
  const drift = past.length >= driftDays ? Math.max(0, median(distances.slice(-7))) : 0
  const usual = (levels[0] ?? 0) + drift
  const spread = spreadOf(distances, usual)
  const same = past.filter((_, index) => weekdayOf(index) === 0)
  const score = (seen - usual) / spread
  const [most, count] = [Math.max(...same), same.length]
  return { seen, usual, spread, score, most, count, of: weekly ? 'weekdays' : 'days' }
}

export interface Share {
  part: number
  of: number
}

/** How a share of requests stands to an earlier one. */
export interface ShareComparison {
  seen: number
  usual: number
  /** How many spreads lie between the two; of two shares a spread is a standard error. */
  score: number
}

/**
 * Holds a share (errors of requests) against an earlier one; undefined where either is of too few requests. An earlier share
 * is known no better than to one of its requests, which is what keeps one of none from making every error odd.
 */
export function compareShares(now: Share, past: Share, fewest: number): ShareComparison | undefined {
  if (now.of < fewest || past.of < fewest) return undefined
  const seen = now.part / now.of
  const usual = past.part / past.of
  const error = Math.sqrt(varianceOf(past) * (1 / now.of + 1 / past.of))
  return { seen, usual, score: (seen - usual) / error }
}

/**
 * Holds a share against those of earlier days of so many requests and more; undefined where such days are too few. A spread
 * is how far the days vary (MAD), and what chance makes of so many requests.
 */
export function compareDailyShares(
  now: Share,
  days: readonly Share[],
  fewest: number,
): (ShareComparison & { count: number }) | undefined {
  const busy = days.filter(({ of }) => of >= fewest)
  if (now.of < fewest || busy.length < fewestDays) return undefined
  const shares = busy.map(({ part, of }) => part / of)
  const seen = now.part / now.of
  const usual = median(shares)
  const mad = median(shares.map((share) => Math.abs(share - usual))) * deviationsOfMad
  const requests = busy.reduce((sum, { of }) => sum + of, 0)
  const spread = Math.hypot(mad, Math.sqrt(varianceOf({ part: usual * requests, of: requests }) / now.of))
  return { seen, usual, score: (seen - usual) / spread, count: busy.length }
}

/** Of one request: a share is known no better than to one of its requests. */
function varianceOf({ part, of }: Share): number {
  const expected = (part + 1) / (of + 2)
  return expected * (1 - expected)
}
