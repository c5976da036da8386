import type { components } from '../api/openapi.ts'
import type { Past } from './past.ts'

/** One authenticated request; `at` in Unix milliseconds. */
export type LoggedEvent = Omit<components['schemas']['AuditEvent'], 'timestamp'> & { at: number }

/** How many events are kept, of those since the sandbox began. The oldest go first, and the past is older. */
const usuallyKept = 200_000
/** Of these, how many a later run knows. */
const handedOn = 20_000

export interface AuditLog {
  add(event: LoggedEvent): void
  /** One page, newest first; `since` included, `until` not. */
  page(
    filter: { keyId?: string | undefined; since?: number | undefined; until?: number | undefined },
    page: number,
    limit: number,
  ): { items: LoggedEvent[]; total: number }
  /** Those since the sandbox began that a later run is to know, oldest first. */
  latest(): readonly LoggedEvent[]
}

/** `past` lies behind what came in; `earlier` is what came in in earlier runs. */
export function createAuditLog(
  past: Past,
  earlier: readonly LoggedEvent[] = [],
  kept = usuallyKept,
): AuditLog {
  let events = [...earlier]
  /** From when on events are kept: none is missing among those that are. */
  let begin = -Infinity
  /** How many came before an instant. */
  const before = (instant: number): number => {
    let low = 0
    let high = events.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((events[middle] as LoggedEvent).at < instant) low = middle + 1
      else high = middle
    }
    return low
  }
  return {
    add(event) {
      events.push(event)
      if (events.length < kept * 1.25) return
      events = events.slice(-kept)
      begin = (events[0] as LoggedEvent).at
    },
    page({ keyId, since = -Infinity, until = Infinity }, page, limit) {
      const skip = (page - 1) * limit
      const first = before(since)
      const end = before(until)
      const items: LoggedEvent[] = []
      let lately = 0
      if (keyId === undefined) {
        lately = Math.max(0, end - first)
        for (let i = end - 1 - skip; i >= first && items.length < limit; i--)
          items.push(events[i] as LoggedEvent)
      } else {
        for (let i = end - 1; i >= first; i--) {
          const event = events[i] as LoggedEvent
          if (event.keyId !== keyId) continue
          if (lately++ >= skip && items.length < limit) items.push(event)
        }
      }
      const behind = { keyId, since: Math.max(since, begin), until }
      const rest = past.events(behind, Math.max(0, skip - lately), limit - items.length)
      return { items: [...items, ...rest.items], total: lately + rest.total }
    },
    latest: () => events.slice(-handedOn),
  }
}
