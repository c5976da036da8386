// The requests of many keys in one order. Rules of this file:
// - what is kept is bounded: how many came before some instants, and the few stretches that were shown last;
// - a stretch has some thousands of requests at most, however many there are in all.
import { hourMs, type Requests } from './course.ts'

/** The n-th request of one of them, and when it came. */
export interface Entry {
  of: number
  n: number
  at: number
}

/** The requests from an instant to another one, oldest first, and how many came before. */
interface Stretch {
  before: number
  entries: Entry[]
}

const atOnce = 4_096
const keptStretches = 8
const keptCounts = 5_000

export interface Timeline {
  /** Newest first: so many after so many of those from `since` to `until` (not included). */
  page(since: number, until: number, skip: number, limit: number): { items: Entry[]; total: number }
}

/** Everything lies from `from` to `until`. */
export function createTimeline(all: readonly Requests[], bounds: { from: number; until: number }): Timeline {
  const begin = Math.floor(bounds.from / hourMs)
  const end = Math.ceil(bounds.until / hourMs)
  const counts = new Map<number, number>()
  const stretches = new Map<number, Stretch>()

  /** How many came before an instant. */
  const before = (instant: number): number => {
    const at = Math.min(end * hourMs, Math.max(begin * hourMs, instant))
    let count = counts.get(at)
    if (count === undefined) {
      count = 0
      for (const requests of all) count += requests.before(at)
      if (counts.size >= keptCounts) counts.clear()
      counts.set(at, count)
    }
    return count
  }

  /** The last of `parts` edges that no more than `place` requests came before. */
  const edgeBefore = (place: number, parts: number, edge: (part: number) => number): number => {
    let low = 0
    let high = parts
    while (high - low > 1) {
      const middle = (low + high) >>> 1
      if (before(edge(middle)) <= place) low = middle
      else high = middle
    }
    return low
  }

  /** The stretch that a place of the whole order lies in. */
  const stretchOf = (place: number): Stretch => {
    const hour = begin + edgeBefore(place, end - begin, (part) => (begin + part) * hourMs)
    const inHour = before((hour + 1) * hourMs) - before(hour * hourMs)
    const parts = Math.min(4_096, Math.ceil(inHour / atOnce))
    const edge = (part: number) => hour * hourMs + Math.floor((part / parts) * hourMs)
    const part = edgeBefore(place, parts, edge)
    const [from, until] = [edge(part), edge(part + 1)]
    const known = stretches.get(from)
    if (known) return known

    const entries: Entry[] = []
    for (const [of, requests] of all.entries()) {
      const last = requests.before(until)
      for (let n = requests.before(from); n < last; n++)
        entries.push({ of, n, at: requests.at(n, from, until - 1) })
    }
    entries.sort((a, b) => a.at - b.at || a.of - b.of || a.n - b.n)
    const stretch = { before: before(from), entries }
    const [oldest] = stretches.keys()
    if (stretches.size >= keptStretches && oldest !== undefined) stretches.delete(oldest)
    stretches.set(from, stretch)
    return stretch
  }

  return {
    page(since, until, skip, limit) {
      const first = before(since)
      const total = Math.max(0, before(until) - first)
      const items: Entry[] = []
      let place = first + total - 1 - skip
      while (place >= first && items.length < limit) {
        const { before: earlier, entries } = stretchOf(place)
        for (; place >= Math.max(first, earlier) && items.length < limit; place--)
          items.push(entries[place - earlier] as Entry)
      }
      return { items, total }
    },
  }
}
