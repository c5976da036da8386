import type { WorkingHours } from '../fleet/fleet.ts'

const minuteMs = 60_000
/** Time zones differ from UTC by whole quarters of an hour, and change on one. */
const stretchMs = 15 * minuteMs
/** A month of quarters; a log that is read in order asks for few at a time. */
const mostRemembered = 3_000

const dayNumbers: Readonly<Record<string, number>> = {
  Mon: 1,
  Tue: 2,
  Wed: 3,
  Thu: 4,
  Fri: 5,
  Sat: 6,
  Sun: 7,
}

/** Tells whether an instant (Unix ms) lies outside the hours. Working hours over midnight belong to the day they begin on. */
export function createOutsideHours({ days, from, to, timeZone }: WorkingHours): (at: number) => boolean {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  })
  const remembered = new Map<number, { day: number; minute: number }>()

  /** The local day and minute at which a quarter of an hour begins. */
  const beginningOf = (stretch: number) => {
    const known = remembered.get(stretch)
    if (known !== undefined) return known
    const parts = new Map(
      format.formatToParts(stretch * stretchMs).map(({ type, value }) => [type, value] as const),
    )
    const day = dayNumbers[parts.get('weekday') ?? ''] ?? 0
    const local = { day, minute: Number(parts.get('hour')) * 60 + Number(parts.get('minute')) }
    if (remembered.size >= mostRemembered) remembered.clear()
    remembered.set(stretch, local)
    return local
  }

  return (at) => {
    const stretch = Math.floor(at / stretchMs)
    const beginning = beginningOf(stretch)
    const minute = beginning.minute + Math.floor((at - stretch * stretchMs) / minuteMs)
    const dayBefore = beginning.day === 1 ? 7 : beginning.day - 1
    if (from < to) return !(days.includes(beginning.day) && minute >= from && minute < to)
    return !((days.includes(beginning.day) && minute >= from) || (days.includes(dayBefore) && minute < to))
  }
}
