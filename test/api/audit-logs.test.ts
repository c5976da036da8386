import { describe, expect, test } from 'vitest'
import { answering, client, collect, json, useServer } from './client-fixture.ts'

useServer()

describe('audit logs', () => {
  const event = (second: number) => ({
    timestamp: `2026-03-01T11:00:${String(second).padStart(2, '0')}Z`,
    action: 'api.request',
    keyId: 'key_abc123',
    endpoint: '/image',
    method: 'POST',
    status: 200,
    ip: '192.0.2.1',
    userAgent: 'curl',
  })

  test('are asked for with their filters', async () => {
    const seen = answering(
      '/audit-logs',
      json({ auditLogs: [event(1)], pagination: { total: 1, totalPages: 1 } }),
    )
    const filter = { keyId: 'key_abc123', since: '2026-02-01T00:00:00Z', until: '2026-03-01T00:00:00Z' }
    expect(await collect(client().auditLogs(filter))).toEqual([event(1)])
    expect(Object.fromEntries(seen[0]!.url.searchParams)).toEqual({ ...filter, page: '1', limit: '100' })
  })

  test('may lack what an event need not have', async () => {
    answering(
      '/audit-logs',
      json([{ timestamp: '2026-03-01T11:00:00Z', action: 'key.created', actor: 'me' }]),
    )
    expect(await collect(client().auditLogs())).toEqual([
      {
        timestamp: '2026-03-01T11:00:00Z',
        action: 'key.created',
        keyId: '',
        endpoint: '',
        method: '',
        status: 0,
        ip: '',
        userAgent: '',
      },
    ])
  })

  test('that grow while they are read come once each, and equal events all the same', async () => {
    const page = (total: number, ...seconds: number[]) =>
      json({
        auditLogs: seconds.map(event),
        pagination: { total, limit: 3, totalPages: Math.ceil(total / 3) },
      })
    // two more come in after the first page and push 7 and 7 onto the second
    answering('/audit-logs', page(7, 8, 7, 7), page(9, 7, 7, 7), page(9, 5, 4, 3))
    const seconds = (await collect(client().auditLogs())).map(({ timestamp }) =>
      Number(timestamp.slice(-3, -1)),
    )
    expect(seconds).toEqual([8, 7, 7, 7, 5, 4, 3])
  })

  test('that lose their oldest while they are read come once each, and none is missed', async () => {
    const page = (total: number, ...seconds: number[]) =>
      json({ auditLogs: seconds.map(event), pagination: { total, limit: 2, totalPages: 4 } })
    answering('/audit-logs', page(8, 8, 7), page(7, 6, 5), page(6, 4, 3), page(6))
    const seconds = (await collect(client().auditLogs())).map(({ timestamp }) =>
      Number(timestamp.slice(-3, -1)),
    )
    expect(seconds).toEqual([8, 7, 6, 5, 4, 3])
  })

  test('that do not count themselves come once each', async () => {
    const page = (hasNext: boolean, ...seconds: number[]) =>
      json({ auditLogs: seconds.map(event), pagination: { hasNext } })
    answering('/audit-logs', page(true, 6, 5), page(true, 5, 4), page(false, 3))
    const seconds = (await collect(client().auditLogs())).map(({ timestamp }) =>
      Number(timestamp.slice(-3, -1)),
    )
    expect(seconds).toEqual([6, 5, 4, 3])
  })

  test('come a page at a time, several under way, in order', async () => {
    const all = Array.from({ length: 950 }, (_, index) => index)
    const seen = answering('/audit-logs', ({ url }) => {
      const number = Number(url.searchParams.get('page'))
      const items = all.slice((number - 1) * 100, number * 100)
      return json({
        auditLogs: items.map((index) => ({ ...event(0), endpoint: `/${index}` })),
        pagination: { total: 950, limit: 100, totalPages: 10 },
      })()
    })
    const pages = await collect(client().auditLogsByPage({ until: '2026-03-01T12:00:00Z' }))
    expect(pages.map((events) => events.length)).toEqual([100, 100, 100, 100, 100, 100, 100, 100, 100, 50])
    expect(pages.flat().map(({ endpoint }) => Number(endpoint.slice(1)))).toEqual(all)
    expect(seen).toHaveLength(10)
  })

  test('with more in an event than the contract knows are read without it', async () => {
    answering('/audit-logs', json({ auditLogs: [{ ...event(1), region: 'eu' }] }))
    expect(await collect(client().auditLogs())).toEqual([event(1)])
  })
})
