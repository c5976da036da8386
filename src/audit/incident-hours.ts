// Rules of this file:
// - an hour is unlike only where it is not by chance that the past has none: a key of few requests leaves hours out anyhow;
// - the hours beside it count as the same: a clock changes twice a year, and a daily job begins when it begins.
import type { IncidentLog } from './incident-log.ts'
import type { Unlike } from './incident-unlike.ts'
import { counted } from './wording.ts'

const hourMs = 3_600_000
const hoursOfDay = 24
/** What hours are usual, a week tells. */
const fewestDays = 7
/** An hour that is left out by chance more often than once in so many is none that is unlike. */
const chance = 1 / 1_000

/** Hours of the day (UTC) in which the key was not used before, nor in those beside them, where that is no chance. */
export function unlikeHours({
  steps,
  since,
  stepMs,
}: Pick<IncidentLog, 'steps' | 'since' | 'stepMs'>): Unlike[] {
  if (stepMs !== hourMs) return []
  const used = [...steps.keys()].filter((at) => at < since)
  const days = new Set(used.map((at) => Math.floor(at / (hoursOfDay * hourMs)))).size
  // if hours were used at random, three of them would have so many of those that were
  const expected = (used.length * 3) / hoursOfDay
  if (days < fewestDays || Math.exp(-expected) > chance) return []
  const hourOf = (at: number) => new Date(at).getUTCHours()
  const before = new Set(used.map(hourOf))
  const isUsual = (hour: number) =>
    [-1, 0, 1].some((beside) => before.has((hour + beside + hoursOfDay) % hoursOfDay))
  const found = new Map<number, { requests: number; firstAt: number; lastAt: number }>()
  for (const [at, { requests }] of steps) {
    if (at < since || isUsual(hourOf(at))) continue
    const known = found.get(hourOf(at)) ?? { requests: 0, firstAt: Infinity, lastAt: -Infinity }
    known.requests += requests
    known.firstAt = Math.min(known.firstAt, at)
    known.lastAt = Math.max(known.lastAt, (Math.floor(at / hourMs) + 1) * hourMs)
    found.set(hourOf(at), known)
  }
  return [...found]
    .sort(([a], [b]) => a - b)
    .map(([hour, { requests, firstAt, lastAt }]) => ({
      kind: 'hour',
      value: `${String(hour).padStart(2, '0')}:00 UTC`,
      requests,
      firstAt: new Date(firstAt).toISOString(),
      lastAt: new Date(lastAt).toISOString(),
      why: `not used within an hour of it on ${counted(days, 'day')} before, in ${counted(used.length, 'hour')} of use`,
    }))
}
