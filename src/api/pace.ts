import type { HttpAnswer } from '../http.ts'
import type { RateLimit } from './contract.ts'

/** The longest a patient call waits, all waits together: a day's limit begins anew within it. */
export const patienceMs = 25 * 3_600_000
/** A reset that lies further ahead than any limit's window is asked about rather than believed. */
const longestPaceMs = 3_600_000

/** What an answer's headers say of the limit; undefined where they do not. */
export function readRateLimit({ headers }: HttpAnswer): RateLimit | undefined {
  const [limit, remaining, reset] = ['limit', 'remaining', 'reset'].map((name) =>
    Number(headers.get(`x-ratelimit-${name}`) ?? NaN),
  ) as [number, number, number]
  return Number.isNaN(limit + remaining + reset) ? undefined : { limit, remaining, resetAt: reset * 1_000 }
}

/** How long one of very many calls waits before it leaves: until the limit begins anew, where little is left of it. */
export function paceMs(rate: RateLimit | undefined, apiNow: number): number {
  if (rate === undefined || rate.remaining > reserveOf(rate)) return 0
  return Math.min(longestPaceMs, Math.max(0, rate.resetAt - apiNow))
}

/** What is left to others, a rotation say: more than the calls that are under way, which have not been counted yet. */
function reserveOf({ limit }: RateLimit): number {
  return Math.min(limit / 4, Math.max(10, limit / 20))
}
