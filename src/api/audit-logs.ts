import type { Page } from './answer.ts'
import type { AuditEvent } from './contract.ts'
import { readPages } from './pages.ts'

interface Placed {
  event: AuditEvent
  /** What tells the event apart: events have no id, and two may well be equal. */
  place: string
}

/**
 * Every event, newest first. New ones come in at the front while it is read and push the others on, so that some come
 * again on the next page: an event is known by its place counted from the end, which stays.
 */
export async function* readAuditLogs(
  fetch: (page: number, signal: AbortSignal) => Promise<Page<AuditEvent>>,
  pageSize: number,
  signal?: AbortSignal,
): AsyncGenerator<AuditEvent, void, undefined> {
  const placed = readPages<Placed>({
    async fetch(number, either) {
      const { items, pagination } = await fetch(number, either)
      const { total, limit = pageSize } = pagination
      const place = (event: AuditEvent, index: number) =>
        total === undefined ? JSON.stringify(event) : String(total - (number - 1) * limit - index)
      return { items: items.map((event, index) => ({ event, place: place(event, index) })), pagination }
    },
    identity: ({ place }) => place,
    // in turn, nothing is missed: the list only grows, at its front
    inFlight: 1,
    passes: 1,
    signal,
  })
  for await (const { event } of placed) yield event
}
