// How rules say figures: the same everywhere, in sentences and in evidence.
import type { Sighting } from './sightings.ts'

const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })
const precise = new Intl.NumberFormat('en-US', { maximumFractionDigits: 1 })

/** `1,204`. */
export function figure(value: number): string {
  return whole.format(value)
}

/** `1 request`, `1,204 requests`. */
export function counted(count: number, noun: string): string {
  return `${figure(count)} ${noun}${count === 1 ? '' : 's'}`
}

/** `4.2 %`. */
export function percent(share: number): string {
  return `${precise.format(share * 100)} %`
}

/** `0.05 %`: a limit as it was set. */
export function exactPercent(share: number): string {
  return `${Number((share * 100).toFixed(6))} %`
}

/** A share that is above a limit, as exactly as it takes to see that: `5.04 %`. */
export function percentAbove(share: number, limit: number): string {
  const digits = [1, 2, 3, 4, 5].find((each) => (share * 100).toFixed(each) !== (limit * 100).toFixed(each))
  return `${Number((share * 100).toFixed(digits ?? 6))} %`
}

/** `3.4 times`; undefined where there is nothing to be times of. */
export function timesOf(seen: number, usual: number): string | undefined {
  return usual > 0 ? `${precise.format(seen / usual)} times` : undefined
}

/** One decimal is all that such figures are good for. */
export function rounded(value: number): number {
  return Math.round(value * 10) / 10
}

export function instant(at: number): string {
  return new Date(at).toISOString()
}

/** `a, b and 3 more`. */
export function listed(values: readonly string[], most = 3): string {
  if (values.length <= most + 1) return values.length < 2 ? values.join() : andLast(values)
  return `${values.slice(0, most).join(', ')} and ${values.length - most} more`
}

function andLast(values: readonly string[]): string {
  return `${values.slice(0, -1).join(', ')} and ${values.at(-1)}`
}

/** As many as an evidence has room for, and how many it leaves out. */
const mostInEvidence = 10

/** `8.8.8.0/24: 12 requests, first 2026-03-01T10:00:00.000Z`, for an evidence. */
export function sightingList(
  sightings: readonly Pick<Sighting, 'value' | 'requests' | 'firstAt'>[],
): string[] {
  const shown = sightings.slice(0, mostInEvidence).map(({ value, requests, firstAt }) => {
    return `${value}: ${counted(requests, 'request')}, first ${instant(firstAt)}`
  })
  const left = sightings.length - shown.length
  return left > 0 ? [...shown, `and ${left} more`] : shown
}
