// Rules of this file:
// - nothing that is kept grows with the log: it may have millions of events;
// - each event comes once, and none is missed because others came in while it was read.
import type { Page } from './answer.ts'
import type { AuditEvent } from './contract.ts'
import { createReader } from './pages.ts'

export interface AuditLogOptions {
  fetch: (page: number, signal: AbortSignal) => Promise<Page<AuditEvent>>
  /** What is asked for; the answer may say otherwise. */
  pageSize: number
  /** How many pages may be on their way at once: more than one only where the log does not grow meanwhile. */
  inFlight: number
  signal?: AbortSignal | undefined
}

/** Every event, newest first, a page's at a time. */
export async function* readAuditLogPages(
  options: AuditLogOptions,
): AsyncGenerator<AuditEvent[], void, undefined> {
  const reader = createReader(options)
  const isNew = createSieve(options.pageSize)
  try {
    let number = 1
    for (let page = await reader.next(); page !== undefined; page = await reader.next()) {
      const fresh = isNew(page, number)
      if (fresh.length > 0) yield fresh
      reader.settle(page, fresh.length)
      number += 1
    }
  } finally {
    reader.stop()
  }
}

/**
 * What a page has that none before it had. New events come in at the front and push the others on, so that some come
 * again on the next page. Events have no id, and two may well be equal: one is known by its place counted from the end,
 * which stays; where the log does not count its events, by its text among those of the page before.
 */
function createSieve(pageSize: number): (page: Page<AuditEvent>, number: number) => AuditEvent[] {
  /** The place of the oldest event that has been handed over. */
  let reached = Infinity
  let lastTotal: number | undefined
  let pageBefore = new Set<string>()

  return ({ items, pagination: { total, limit = pageSize } }, number) => {
    if (total === undefined) {
      const texts = items.map((event) => JSON.stringify(event))
      const fresh = items.filter((_, index) => !pageBefore.has(texts[index] as string))
      pageBefore = new Set(texts)
      return fresh
    }
    // what the log no longer keeps is gone at its end, from where places are counted
    if (lastTotal !== undefined && total < lastTotal) reached -= lastTotal - total
    lastTotal = total
    const first = total - (number - 1) * limit
    const fresh = items.filter((_, index) => first - index < reached)
    if (items.length > 0) reached = Math.min(reached, first - items.length + 1)
    return fresh
  }
}
