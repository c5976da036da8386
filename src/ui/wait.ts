import type { Wait } from '../api/contract.ts'
import { formatDuration } from '../duration.ts'
import type { Output } from './output.ts'

/** Tells that the client waits before it asks the API again. `now` is our clock, Unix ms. */
export function tellWait(out: Pick<Output, 'event'>, wait: Wait, now: number): void {
  out.event({ event: 'wait', ...wait }, waitSentence(wait, now))
}

/** Undefined where the wait is too short for a person to be told. */
export function waitSentence({ reason, what, message, ms }: Wait, now: number): string | undefined {
  if (ms < 1_000) return undefined
  const when = `in ${formatDuration(ms)}, at ${clockTime(now + ms)}`
  if (reason === 'rate-limit') return `the API's rate limit is used up: ${what} goes on ${when}`
  return `${message ?? 'the API gave no answer'}: ${what} is tried again ${when}`
}

/** `16:42:10 UTC`. */
export function clockTime(instant: number): string {
  return `${new Date(instant).toISOString().slice(11, 19)} UTC`
}
