import { expect, it } from 'vitest'
import { createAuditLog, type LoggedEvent } from '../../src/sandbox/audit-log.ts'
import type { Past } from '../../src/sandbox/past.ts'

const eventAt = (at: number): LoggedEvent => ({
  at,
  keyId: 'key_a',
  action: 'api.request',
  method: 'GET',
  endpoint: '/templates',
  status: 200,
  ip: '203.0.113.7',
  userAgent: 'curl/8',
})

/** Ten requests, at 0 to 9. */
const past: Pick<Past, 'events'> = {
  events({ since = -Infinity, until = Infinity }, skip, limit) {
    const all = Array.from({ length: 10 }, (_, index) => eventAt(9 - index))
    const found = all.filter(({ at }) => at >= since && at < until)
    return { items: found.slice(skip, skip + limit), total: found.length }
  },
}

it('forgets its oldest events, of which the past is the oldest: none is missing in the middle', () => {
  const log = createAuditLog(past as Past, [], 8)
  for (let at = 10; at < 30; at += 1) {
    log.add(eventAt(at))
    const pages = [1, 2, 3, 4, 5, 6, 7].map((page) => log.page({}, page, 5))
    const shown = pages.flatMap(({ items }) => items.map((event) => event.at))
    expect(shown).toEqual(shown.map((_, index) => at - index))
    expect(pages.map(({ total }) => total)).toEqual(pages.map(() => shown.length))
    expect(shown.length).toBeGreaterThanOrEqual(8)
    expect(log.page({ until: 5 }, 1, 5).total).toBe(shown.length > 10 ? 5 : 0)
  }
})
