// What the keys of a seeded account did in the 30 days before the sandbox began. Rules of this file:
// - none of it is kept: counts and events are worked out from the key's id alone, when they are asked for, so that
//   100,000 keys and millions of events cost nothing until then, and a page as much as it shows;
// - usage and audit log are of the same requests: their counts agree to the last one.
import type { LoggedEvent } from './audit-log.ts'
import { chance, seedOf, stream } from './chance.ts'
import { createCourse, dayMs, hourMs, type Course, type Requests, type Rhythm } from './course.ts'
import type { KeyRecord } from './keys.ts'
import { eventOf, usualOf, type Usual } from './services.ts'
import { addLatency, newTally, type Tally } from './tally.ts'
import { createTimeline } from './timeline.ts'

/** What the past needs to know of a key; its secret and its name are not in it. */
export type PastKey = Pick<KeyRecord, 'id' | 'type' | 'access' | 'createdAt' | 'pastUntil' | 'oddity'>

export interface PastOptions {
  /** When the sandbox began, Unix milliseconds. */
  at: number
  /** How many requests there were in all; one at least of each key that was used. */
  events?: number | undefined
}

export interface PastFilter {
  keyId?: string | undefined
  since: number
  until: number
}

export interface Past {
  /** What a key did from an instant to another one (not included). */
  tally(keyId: string, from: number, until: number): Tally
  /** As `tally`, the counts alone. */
  counts(keyId: string, from: number, until: number): Pick<Tally, 'requests' | 'errors'>
  /** Of the events that the filter lets through, newest first, so many after so many; and how many there are. */
  events(filter: PastFilter, skip: number, limit: number): { items: LoggedEvent[]; total: number }
}

/** A key that was used, and how. */
interface User {
  keyId: string
  requests: Requests
  usual: () => Usual
  seed: number
  /** One request of so many fails; and from some request on, one of so many others. */
  failsOnceIn: number
  failing: { from: number; onceIn: number } | undefined
  /** The first of the last two days. */
  recentFrom: number
  countries: Readonly<Record<string, number>>
  newCountry: string | undefined
}

const countrySets: readonly Record<string, number>[] = [
  { US: 1 },
  { DE: 0.7, FR: 0.2, NL: 0.1 },
  { US: 0.6, CA: 0.25, GB: 0.15 },
  { IN: 0.5, SG: 0.3, AU: 0.2 },
  { GB: 0.8, IE: 0.2 },
  { BR: 0.65, US: 0.35 },
]
const newCountries = ['KZ', 'MD', 'NG', 'VN']
const shownHours = 30 * 24
/** As many as there are in all where nobody says how many. */
const mostByItself = 1_000_000
const busyHoursADay = 24.8

/** Whether a key was used in the time that the past shows. */
export const hasPast = ({ pastUntil }: PastKey, at: number): boolean =>
  pastUntil !== undefined && pastUntil >= beginOf(at)

const beginOf = (at: number): number => (Math.floor(at / hourMs) - shownHours) * hourMs

/** `keys` is asked at the first look. */
export function createPast(keys: () => Iterable<PastKey>, options: PastOptions): Past {
  let made: { users: Map<string, User>; timeline: ReturnType<typeof createTimeline> } | undefined
  const look = () => {
    if (made) return made
    const all = usersOf(
      [...keys()].filter((key) => hasPast(key, options.at)),
      options,
    )
    const timeline = createTimeline(
      all.map(({ requests }) => requests),
      { from: beginOf(options.at), until: options.at + 1 },
    )
    return (made = { users: new Map(all.map((user) => [user.keyId, user])), timeline })
  }
  const show = (user: User, n: number, at: number): LoggedEvent => {
    const failed = failuresBefore(user, n + 1) > failuresBefore(user, n)
    const { count } = user.requests
    const recent = n >= user.recentFrom
    return { at, keyId: user.keyId, ...eventOf(user.usual(), { n, count, recent, failed }) }
  }

  return {
    tally(keyId, from, until) {
      const user = look().users.get(keyId)
      return user ? tallyOf(user, from, until) : newTally()
    },
    counts(keyId, from, until) {
      const user = look().users.get(keyId)
      if (!user) return { requests: 0, errors: 0 }
      const first = user.requests.before(from)
      const end = Math.max(first, user.requests.before(until))
      return { requests: end - first, errors: failuresBefore(user, end) - failuresBefore(user, first) }
    },
    events({ keyId, since, until }, skip, limit) {
      const { users, timeline } = look()
      if (keyId === undefined) {
        const all = [...users.values()]
        const { items, total } = timeline.page(since, until, skip, limit)
        return { items: items.map(({ of, n, at }) => show(all[of] as User, n, at)), total }
      }
      const user = users.get(keyId)
      if (!user) return { items: [], total: 0 }
      const first = user.requests.before(since)
      const end = user.requests.before(until)
      const items: LoggedEvent[] = []
      for (let n = end - 1 - skip; n >= first && items.length < limit; n--)
        items.push(show(user, n, user.requests.at(n)))
      return { items, total: Math.max(0, end - first) }
    },
  }
}

function usersOf(keys: readonly PastKey[], { at, events }: PastOptions): User[] {
  const plans = keys.map((key) => {
    const seed = seedOf(key.id)
    const course = courseOf(key, seed, at)
    return { key, seed, course, natural: 1 + Math.round(course.days * busyHoursADay * perHour(key, seed)) }
  })
  const counts = shareOut(plans, events)
  return plans.map(({ key, seed, course }, index) =>
    userOf(key, seed, course.of(counts[index] as number), at),
  )
}

function courseOf(key: PastKey, seed: number, at: number): Course {
  const today = Math.floor(at / dayMs)
  const { oddity } = key
  return createCourse({
    seed,
    rhythm: rhythmOf(key),
    from: Math.max(key.createdAt, beginOf(at)),
    until: key.pastUntil as number,
    days:
      oddity === 'spike'
        ? [{ day: today - 1, weight: 8 }]
        : oddity === 'night'
          ? [0, 1, 2, 3].map((ago) => ({ day: today - ago, weight: 1 }))
          : [],
    nightsFrom: oddity === 'night' ? today - 2 : undefined,
  })
}

/** Half of the keys serve people who are at work from Monday to Friday. */
export function rhythmOf({ id, oddity }: Pick<PastKey, 'id' | 'oddity'>): Rhythm {
  if (oddity === 'night') return 'office'
  if (oddity === 'test-limit') return 'steady'
  return oddity === undefined && chance(seedOf(id), 5) < 0.5 ? 'office' : 'always'
}

/** From one in ten hours to a hundred an hour; what is odd is used enough to show it. */
function perHour({ type, oddity }: PastKey, seed: number): number {
  const usual = 10 ** (chance(seed, 1) * 3 - 1)
  if (oddity === 'test-limit') return 6.2
  if (oddity !== undefined) return Math.min(30, Math.max(6, usual))
  return type === 'test' ? Math.min(1.2, usual * 0.05) : usual
}

/**
 * How many requests of each key: as many as come by themselves, or so many in all. Those of test keys then stay as they
 * are, for they may have few a day, as long as they are not half of all.
 */
function shareOut(plans: readonly { key: PastKey; natural: number }[], events: number | undefined): number[] {
  const sum = (of: readonly { natural: number }[]) => of.reduce((total, { natural }) => total + natural, 0)
  const wanted = Math.max(plans.length, events ?? Math.min(mostByItself, sum(plans)))
  const live = plans.filter(({ key }) => key.type === 'live')
  const test = sum(plans) - sum(live)
  const fixed = live.length > 0 && test * 2 <= wanted
  const scaled = fixed ? live : plans
  const left = wanted - (fixed ? test : 0) - scaled.length
  const weight = Math.max(1, sum(scaled) - scaled.length)
  let seen = 0
  return plans.map(({ key, natural }) => {
    if (fixed && key.type === 'test') return natural
    const before = Math.floor((seen / weight) * left)
    seen += natural - 1
    return 1 + Math.floor((seen / weight) * left) - before
  })
}

function userOf(key: PastKey, seed: number, requests: Requests, at: number): User {
  const { oddity } = key
  let usual: Usual | undefined
  const share = chance(seed, 2) ** 6 * 0.03
  return {
    keyId: key.id,
    requests,
    usual: () => (usual ??= usualOf(key, seed)),
    seed,
    failsOnceIn: oddity === 'test-limit' ? 30 : share < 0.000_1 ? Infinity : Math.round(1 / share),
    failing: oddity === 'failing' ? { from: requests.before(at - dayMs), onceIn: 4 } : undefined,
    recentFrom: oddity === undefined ? Infinity : requests.before(at - 2 * dayMs),
    countries: countrySets[Math.floor(chance(seed, 4) * countrySets.length)] as Record<string, number>,
    newCountry:
      oddity === 'new-network' ? newCountries[Math.floor(chance(seed, 6) * newCountries.length)] : undefined,
  }
}

/** One of every so many fails, which of them is by chance: how many of the first `n`. */
function failuresBefore({ seed, failsOnceIn, failing }: User, n: number): number {
  if (failing === undefined || n <= failing.from) return onceIn(failsOnceIn, n, stream(seed, 7))
  return (
    onceIn(failsOnceIn, failing.from, stream(seed, 7)) +
    onceIn(failing.onceIn, n - failing.from, stream(seed, 8))
  )
}

function onceIn(period: number, n: number, seed: number): number {
  if (period === Infinity) return 0
  const whole = Math.floor(n / period)
  return whole + (Math.floor(chance(seed, whole) * period) < n - whole * period ? 1 : 0)
}

function tallyOf(user: User, from: number, until: number): Tally {
  const first = user.requests.before(from)
  const end = user.requests.before(until)
  const tally = newTally()
  if (end <= first) return tally
  tally.requests = end - first
  tally.errors = failuresBefore(user, end) - failuresBefore(user, first)
  const slow = user.failing === undefined ? 0 : Math.max(0, end - Math.max(first, user.failing.from))
  const middleMs = 60 + chance(user.seed, 3) * 500
  for (const [share, times] of [
    [0.6, 1],
    [0.3, 1.6],
    [0.08, 3],
    [0.02, 6],
  ] as const) {
    if (tally.requests > slow) addLatency(tally, middleMs * times, (tally.requests - slow) * share)
    if (slow > 0) addLatency(tally, middleMs * 4 * times, slow * share)
  }
  const half = (n: number) => Math.floor(Math.max(0, n - user.recentFrom) / 2)
  const fromNew = user.newCountry === undefined ? 0 : half(end) - half(first)
  tally.countries = spread(tally.requests - fromNew, user.countries)
  if (user.newCountry !== undefined && fromNew > 0) tally.countries[user.newCountry] = fromNew
  return tally
}

/** Shares out whole requests; what rounding leaves over goes to the first country. */
function spread(requests: number, shares: Record<string, number>): Record<string, number> {
  const countries: Record<string, number> = {}
  const [[home] = ['US'], ...others] = Object.entries(shares)
  let left = requests
  for (const [code, share] of others) {
    const count = Math.floor(requests * share)
    if (count > 0) countries[code] = count
    left -= count
  }
  return left > 0 ? { [home]: left, ...countries } : countries
}
