/** What was seen of an address, an endpoint or a program: how often, and from when to when. */
export interface Sighting {
  value: string
  requests: number
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

/** Kept however little is left of the allowance. */
const always = 8

export function createSightings(allowance: Allowance, most = 1_000): Sightings {
  const seen = new Map<string, Sighting>()
  let unkept = 0

  const mayKeep = (): boolean => {
    if (seen.size < always) return true
    if (seen.size >= most || allowance.left <= 0) return false
    allowance.left -= 1
    return true
  }

  return {
    add(value, at) {
      const sighting = seen.get(value)
      if (sighting === undefined) {
        if (mayKeep()) seen.set(value, { value, requests: 1, firstAt: at, lastAt: at })
        else unkept += 1
        return
      }
      sighting.requests += 1
      if (at < sighting.firstAt) sighting.firstAt = at
      if (at > sighting.lastAt) sighting.lastAt = at
    },
    list: () => [...seen.values()].sort((a, b) => b.requests - a.requests || (a.value < b.value ? -1 : 1)),
    get unkept() {
      return unkept
    },
  }
}
