import type { components } from '../api/openapi.ts'

/** One authenticated request; `at` in Unix milliseconds. */
export type LoggedEvent = Omit<components['schemas']['AuditEvent'], 'timestamp'> & { at: number }

/** How many events are kept; the oldest go first. */
const kept = 20_000

export interface AuditLog {
  add(event: LoggedEvent): void
  /** One page, newest first; `since` included, `until` not. */
  page(
    filter: { keyId?: string | undefined; since?: number | undefined; until?: number | undefined },
    page: number,
    limit: number,
  ): { items: LoggedEvent[]; total: number }
  all(): readonly LoggedEvent[]
}

export function createAuditLog(past: readonly LoggedEvent[] = []): AuditLog {
  let events = [...past]
  return {
    add(event) {
      events.push(event)
      if (events.length >= kept * 1.25) events = events.slice(-kept)
    },
    page({ keyId, since = -Infinity, until = Infinity }, page, limit) {
      const skip = (page - 1) * limit
      const items: LoggedEvent[] = []
      let total = 0
      for (let i = events.length - 1; i >= 0; i--) {
        const event = events[i] as LoggedEvent
        if (event.at < since || event.at >= until || (keyId !== undefined && event.keyId !== keyId)) continue
        if (total++ >= skip && items.length < limit) items.push(event)
      }
      return { items, total }
    },
    all: () => events,
  }
}
