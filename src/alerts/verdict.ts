import type { AlertRule } from '../fleet/fleet.ts'

/** What a rule measured of a key, against what it may be. */
export interface Measured {
  /** One clause: lower case, no full stop, never a secret: `1,240 requests in 24h, more than 1,000`. */
  message: string
  unit: 'requests' | 'share' | 'ms' | 'countries' | 'networks'
  value: number
  /** What it may be; for a spike what was to be expected. */
  limit: number
  /** The countries, networks or hours themselves, the first few. */
  details: readonly string[]
  /** Networks, countries, days, or such on whose nights it was; none of other rules. One that was not there before is told anew. */
  places: readonly string[]
}

/** Of a rule that has very many, what is kept. */
export const mostPlaces = 50
/** In place of those that a file of earlier versions does not have. */
export const noPlace = ''

/** What a rule says of a key; `unknown` is neither: it fires nothing and ends nothing. */
export type Verdict =
  | { state: 'firing'; measured: Measured }
  /** Of a rule that tells of places while they are new: where it is used from all the same. */
  | { state: 'quiet'; usedFrom?: readonly string[] }
  | { state: 'unknown'; why: string }

/** How many active keys a rule is about. */
export interface Reach {
  rule: string
  /** The glob that it has for them. */
  keys: string | null
  count: number
  /** Of a glob that no name fits: a name that is much like it. */
  meant: string | null
}

/** What became of one rule. */
export interface Judgement {
  reach: Reach
  rule: AlertRule
  /** Why it could not be held against any key; then there are no verdicts. */
  skipped: string | undefined
  /** By id, of the active keys that the rule is about. */
  verdicts: ReadonlyMap<string, Verdict>
}
