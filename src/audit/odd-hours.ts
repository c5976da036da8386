import type { WorkingHours } from '../fleet/fleet.ts'
import { hasBaseline, type Stretch, type Traffic } from './novelty.ts'
import { compareShares, outlierScore } from './robust.ts'
import type { Seen } from './sightings.ts'

/** Of a key's log, what tells when it is used. */
export type HoursLog = Traffic & {
  /** Outside of working hours: of all of the log, and the hours of the recent stretch. */
  readonly outside: { readonly requests: number; readonly hours: Seen }
}

export const oddHoursDefaults = {
  fewestRequests: 3,
  /** More than twice what it was. */
  leastTimes: 2,
  /** Who did more than this of its work outside before works round the clock. */
  mostBefore: 0.1,
}

/** Requests of the recent stretch outside of working hours, as they were not there before. */
export interface OddHours {
  requests: number
  /** Of so many. */
  of: number
  /** Their share, and what it was before. */
  seen: number
  usual: number
  /** How many standard errors lie between the two. */
  score: number
}

/** Undefined where it is used as before; `unknown` where its log has no baseline. */
export function oddHoursOf(
  account: Pick<Stretch, 'recentSince'>,
  log: HoursLog,
  minRequests: number = oddHoursDefaults.fewestRequests,
): OddHours | 'unknown' | undefined {
  const { requests, recent, outside } = log
  const part = outside.hours.list().reduce((sum, hour) => sum + hour.requests, 0) + outside.hours.unkept
  if (part < Math.max(1, minRequests)) return undefined
  if (!hasBaseline(account, log)) return 'unknown'
  const before = { part: outside.requests - part, of: requests - recent }
  const compared = compareShares({ part, of: recent }, before, 1)
  if (compared === undefined) return 'unknown'
  const { seen, usual, score } = compared
  const { mostBefore, leastTimes } = oddHoursDefaults
  if (usual > mostBefore || score <= outlierScore || seen < usual * leastTimes) return undefined
  return { requests: part, of: recent, seen, usual, score }
}

const dayNames = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']

/** `Mon Tue 08:00 to 18:00 Europe/Berlin`. */
export function hoursText({ days, from, to, timeZone }: WorkingHours): string {
  const clock = (minute: number) =>
    `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`
  return `${days.map((day) => dayNames[day - 1]).join(' ')} ${clock(from)} to ${clock(to)} ${timeZone}`
}
