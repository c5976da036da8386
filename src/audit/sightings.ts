/** What was seen of an address, an endpoint or a program: how often, and from when to when. */
export interface Sighting {
  value: string
  requests: number
  /** Of these, how many were recent. */
  recent: number
  /** A bit for each day of the recent stretch on which it was seen, the first day the lowest; see `daysTogether`. */
  recentDays: number
  /** Unix ms. */
  firstAt: number
  lastAt: number
}

/** How many values may still be kept, by all that share it: who varies one must not fill our memory. */
export interface Allowance {
  left: number
}

/** Each distinct value of a kind, in bounded memory. */
export interface Sightings {
  add(value: string, at: number): void
  /** Most first. */
  list(): Sighting[]
  /** How many requests had a value that is not kept. A log is read newest first: what is kept is what was seen last. */
  readonly unkept: number
}

/** Sightings that are looked at. */
export type Seen = Pick<Sightings, 'list' | 'unkept'>

export interface SightingsOptions {
  /** How many values at most, whatever the allowance. */
  most?: number | undefined
  /** From when on a request is recent (Unix ms); none is without it. */
  recentSince?: number | undefined
}

/** Kept however little is left of the allowance. */
const always = 4
const dayMs = 86_400_000
/** As many days as bits; what lies beyond counts as the last of them. */
const mostDays = 31
const mostListed = 8
/** Of a value that is longer, its beginning is kept. */
const longest = 500

/** Sightings as they are kept. There may be tens of thousands of them, so that they share their functions. */
interface Kept extends Sightings {
  unkept: number
  allowance: Allowance
  most: number
  recentSince: number
  /** Few as a list, which takes a third of the room. */
  seen: Sighting[] | Map<string, Sighting>
}

export function createSightings(
  allowance: Allowance,
  { most = 1_000, recentSince = Infinity }: SightingsOptions = {},
): Sightings {
  const kept: Kept = { unkept: 0, allowance, most, recentSince, seen: [], add, list }
  return kept
}

function add(this: Kept, said: string, at: number): void {
  const value = keptValueOf(said)
  const sighting = find(this.seen, value) ?? keep(this, value, at)
  if (sighting === undefined) {
    this.unkept += 1
    return
  }
  sighting.requests += 1
  if (at < sighting.firstAt) sighting.firstAt = at
  if (at > sighting.lastAt) sighting.lastAt = at
  if (at < this.recentSince) return
  sighting.recent += 1
  sighting.recentDays |= dayBit(at - this.recentSince)
}

/** The bit in `recentDays` of the day that lies so far into the recent stretch. */
export function dayBit(ms: number): number {
  return 1 << Math.min(Math.floor(ms / dayMs), mostDays - 1)
}

function list(this: Kept): Sighting[] {
  return mostFirst([...this.seen.values()])
}

/** In place. */
export function mostFirst(sightings: Sighting[]): Sighting[] {
  return sightings.sort((a, b) => b.requests - a.requests || (a.value < b.value ? -1 : 1))
}

function find(seen: Kept['seen'], value: string): Sighting | undefined {
  return Array.isArray(seen) ? seen.find((each) => each.value === value) : seen.get(value)
}

/** Undefined where there is no room for it. */
function keep(kept: Kept, value: string, at: number): Sighting | undefined {
  const { seen, most, allowance } = kept
  const count = Array.isArray(seen) ? seen.length : seen.size
  if (count >= always) {
    if (count >= most || allowance.left <= 0) return undefined
    allowance.left -= 1
  }
  const sighting = { value, requests: 0, recent: 0, recentDays: 0, firstAt: at, lastAt: at }
  if (!Array.isArray(seen)) seen.set(value, sighting)
  else if (seen.push(sighting) > mostListed) kept.seen = new Map(seen.map((each) => [each.value, each]))
  return sighting
}

/** Of a long one a copy of its beginning: a part of a string keeps the whole of it in memory. */
export function keptValueOf(value: string): string {
  return value.length > longest ? Buffer.from(`${value.slice(0, longest - 1)}…`).toString() : value
}

/** On how many days of the recent stretch both were seen. */
export function daysTogether(a: number, b: number): number {
  let both = (a & b) >>> 0
  let days = 0
  for (; both !== 0; both >>>= 1) days += both & 1
  return days
}
