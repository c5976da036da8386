// Rules of this file:
// - an event has no id, and many may have one instant: where reading stopped is that millisecond, and which of its events
//   had been read by then;
// - what is kept does not grow with the log.
import { createHash } from 'node:crypto'
import type { AuditEvent } from '../api/contract.ts'

/** Where reading stopped. */
export interface LogPosition {
  /** Of the oldest event that was read, cut to the millisecond (Unix ms). */
  at: number
  /** A digest of each event of that millisecond that was read. */
  ties: readonly string[]
  /** How many events were read in all. */
  read: number
}

/** Of one millisecond; a log with more of them is gone on with from the millisecond before. */
const mostTies = 10_000

export interface PositionKeeper {
  note(events: readonly AuditEvent[]): void
  readonly read: number
  /** Undefined where there is nothing to go on from: nothing was read, or too much at one instant. */
  position(): LogPosition | undefined
}

/** Follows what is read, newest first; `from` is where an earlier run stopped. */
export function createPosition(from?: LogPosition): PositionKeeper {
  let at = from?.at
  let before = from?.ties ?? []
  let events: AuditEvent[] = []
  let read = from?.read ?? 0
  return {
    note(page) {
      for (const event of page) {
        const instant = Date.parse(event.timestamp)
        if (instant !== at) {
          at = instant
          before = []
          events = []
        }
        if (events.length <= mostTies) events.push(event)
      }
      read += page.length
    },
    get read() {
      return read
    },
    position() {
      if (at === undefined || before.length + events.length > mostTies) return undefined
      return { at, ties: [...before, ...events.map(digestOf)], read }
    },
  }
}

/** Takes out of a log that is read again from where it stopped what had been read of that millisecond. */
export function createTies(from: LogPosition | undefined) {
  const ties = new Map<string, number>()
  for (const digest of from?.ties ?? []) ties.set(digest, (ties.get(digest) ?? 0) + 1)
  return {
    without(events: AuditEvent[]): AuditEvent[] {
      if (ties.size === 0) return events
      return events.filter((event) => {
        if (Date.parse(event.timestamp) !== from?.at) return true
        const digest = digestOf(event)
        const left = ties.get(digest)
        if (left === undefined) return true
        if (left === 1) ties.delete(digest)
        else ties.set(digest, left - 1)
        return false
      })
    },
    /** How many of them have not come again. */
    get missing() {
      return [...ties.values()].reduce((sum, count) => sum + count, 0)
    },
  }
}

/** Two events that are equal to the letter are one as good as the other. */
function digestOf(event: AuditEvent): string {
  const { timestamp, action, keyId, endpoint, method, status, ip, userAgent } = event
  const text = JSON.stringify([timestamp, action, keyId, endpoint, method, status, ip, userAgent])
  return createHash('sha256').update(text).digest('hex').slice(0, 24)
}
