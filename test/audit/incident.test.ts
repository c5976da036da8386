import { describe, expect, test } from 'vitest'
import { investigate } from '../../src/audit/incident.ts'
import { client, failure, json, key, start, useServer } from '../api/client-fixture.ts'
import {
  absent,
  dayMs,
  event,
  events,
  hourMs,
  incidentOf,
  keeping,
  keyId,
  usage,
} from './incident-fixture.ts'

useServer()

describe('investigate', () => {
  test('counts who did what from when to when, most first, of this key alone, whatever the order of the log', async () => {
    const seen = keeping([
      event(2 * hourMs, { ip: '198.51.100.9' }),
      event(40 * dayMs),
      event(5 * hourMs, { method: 'GET', endpoint: '/templates/key_1a2b3c4d', userAgent: 'python/3.1' }),
      event(3 * hourMs, { status: 429 }),
      event(2 * hourMs, { keyId: 'key_other' }),
    ])
    const { audit, usage: figures, reach } = await incidentOf()
    const { searchParams } = seen[0]?.url ?? new URL('x:')
    expect(searchParams.get('keyId')).toBe(keyId)
    expect(searchParams.get('since')).toBe(new Date(start - 37 * dayMs).toISOString())
    expect(figures?.windows['30d'].requests).toBe(400)
    expect(audit).toMatchObject({ events: 3, since: 3, lastAt: event(2 * hourMs).timestamp })
    expect(audit?.addresses).toEqual([
      {
        value: '192.0.2.1',
        requests: 2,
        firstAt: event(5 * hourMs).timestamp,
        lastAt: event(3 * hourMs).timestamp,
        since: 2,
        isNew: null,
      },
      expect.objectContaining({ value: '198.51.100.9', requests: 1 }),
    ])
    expect(audit?.networks.map(({ value }) => value)).toEqual(['192.0.2.0/24', '198.51.100.0/24'])
    expect(reach.endpoints).toEqual([
      { endpoint: 'POST /image', kind: 'write', requests: 2, failed: 1, refused: 1, unseen: null },
      { endpoint: 'GET /templates/{id}', kind: 'read', requests: 1, failed: 0, refused: 0, unseen: null },
    ])
  })

  test('tells a log with nothing in it from no log at all', async () => {
    keeping([], absent)
    expect(await incidentOf()).toMatchObject({
      usage: null,
      audit: { events: 0, addresses: [] },
      past: null,
      spent: { source: 'audit-log', requests: 0 },
    })
    keeping(undefined, json({ usage }))
    expect(await incidentOf()).toMatchObject({
      usage: { keyId },
      audit: null,
      timeline: null,
      reach: { endpoints: null },
      spent: { source: null, requests: null, renders: null, unseen: null },
    })
  })

  test('fails, rather than to say that nothing was done, where the log was not answered', async () => {
    keeping([])
    keeping([], json({ title: 'Forbidden' }, 403))
    expect(await failure(incidentOf())).toMatchObject({ status: 403 })
  })

  test('keeps 1,000 addresses of somebody who varies them, and counts every request', async () => {
    const flood = Array.from({ length: 1_200 }, (_, n) => {
      return event(hourMs + n * 1_000, { ip: `2001:db8:${n.toString(16)}::1`, userAgent: `bot ${n} é` })
    })
    keeping([...flood, ...events(60, 8 * dayMs, 6 * hourMs)])
    const { audit, spent, unlike, unlikeLeftOut, timeline } = await incidentOf()
    expect(audit).toMatchObject({ events: 1_260, since: 1_200 })
    expect(audit?.addresses).toHaveLength(1_000)
    expect(audit?.unkept).toMatchObject({ addresses: 260, userAgents: 260, calls: 0 })
    expect(spent.unseen).toMatchObject({ requests: 1_200 })
    expect(unlike.filter(({ kind }) => kind === 'network')).toHaveLength(50)
    expect(unlikeLeftOut).toBeGreaterThanOrEqual(950)
    for (const { marks } of timeline ?? []) expect(marks.length).toBeLessThanOrEqual(20)
    const marked = (timeline ?? []).reduce((sum, row) => sum + row.marks.length + row.marksLeftOut, 0)
    expect(marked).toBeGreaterThanOrEqual(1_000)
  })

  test('of a text without end the beginning is kept', async () => {
    keeping([event(0, { userAgent: 'x'.repeat(50_000), endpoint: `/${'y'.repeat(50_000)}` }), event(hourMs)])
    const { audit } = await incidentOf()
    const lengths = [...(audit?.userAgents ?? []), ...(audit?.endpoints ?? [])].map(
      ({ value }) => value.length,
    )
    expect(Math.max(...lengths)).toBeLessThan(500)
  })

  test('of a key that is deleted it tells what the log has, and of a revoked one when that was', async () => {
    keeping([event(hourMs)], absent)
    expect(await incidentOf({ key: null })).toMatchObject({
      key: null,
      audit: { events: 1 },
      spent: { countsAgainstPlan: null },
      reach: { may: [] },
    })
    keeping([event(hourMs)])
    const revokedAt = new Date(start - 30 * 60_000).toISOString()
    const { timeline } = await incidentOf({ key: key({ status: 'revoked', revokedAt }) })
    expect(timeline?.flatMap(({ marks }) => marks)).toContainEqual({
      at: revokedAt,
      kind: 'revoked',
      value: '',
    })
  })

  test('an API that knows no filter is not read beyond the stretch', async () => {
    keeping([...events(50, hourMs, 1_000), ...events(900, 60 * dayMs, 1_000)])
    const read: number[] = []
    await investigate(client(), keyId, {
      key: key(),
      since: start - dayMs,
      from: start - 2 * dayMs,
      until: start,
      onProgress: ({ done }) => read.push(done),
    })
    expect(read).toEqual([50])
  })
})

describe('what a key replaced', () => {
  test('is its past, and of what that did since nothing counts', async () => {
    const old = { keyId: 'key_old' }
    keeping([
      event(hourMs, { ip: '203.0.113.5' }),
      event(2 * hourMs),
      event(3 * dayMs, old),
      ...events(60, 8 * dayMs, 6 * hourMs, old),
    ])
    const own = await incidentOf()
    expect(own).toMatchObject({ past: null, audit: { events: 2 } })
    const both = await incidentOf({ replaced: ['key_old'] })
    expect(both.past).toMatchObject({ keyIds: [keyId, 'key_old'], requests: 60 })
    expect(both.audit).toMatchObject({ events: 62, since: 2 })
    expect(both.unlike.filter(({ kind }) => kind === 'network')).toMatchObject([{ value: '203.0.113.0/24' }])
  })
})

describe('where there is no time to read all', () => {
  test('what was read is told, and back to when', async () => {
    keeping([...events(150, hourMs, 60_000), ...events(60, 8 * dayMs, 6 * hourMs)])
    const enough = new AbortController()
    const incident = await incidentOf({
      enough: enough.signal,
      onProgress: () => enough.abort(),
    })
    const from = event(hourMs + 99 * 60_000).timestamp
    expect(incident.audit).toMatchObject({ complete: false, from, events: 100, since: 100 })
    expect(incident).toMatchObject({ usage: { keyId }, past: null, spent: { requests: 100 } })
    expect(incident.timeline?.[0]).toMatchObject({ from, kind: 'hour' })
    expect((await incidentOf()).audit).toMatchObject({ complete: true, events: 210 })
  })
})

describe('what was spent', () => {
  const image = (agoMs: number, fields = {}) => event(agoMs, fields)

  test('renders that were not refused, and how many of them by callers never seen', async () => {
    keeping([
      ...events(80, 8 * dayMs, 6 * hourMs),
      image(hourMs),
      image(hourMs, { ip: '203.0.113.5' }),
      image(2 * hourMs, { ip: '203.0.113.5', status: 402 }),
      image(2 * hourMs, { ip: '203.0.113.5', status: 404 }),
      image(hourMs, { ip: '203.0.113.5', method: 'GET', endpoint: '/templates' }),
    ])
    const { spent } = await incidentOf({ key: key({ type: 'test' }) })
    expect(spent).toMatchObject({
      source: 'audit-log',
      requests: 5,
      failed: 2,
      refused: 1,
      renders: 2,
      countsAgainstPlan: false,
      unseen: { requests: 4, failed: 2, refused: 1, renders: 1 },
      unkept: 0,
      busiestDay: { requests: 5 },
    })
  })

  test('without a log, what usage tells by days, and no renders', async () => {
    const daily = [
      { date: '2026-02-10', requests: 900, errors: 9 },
      { date: '2026-02-27', requests: 40, errors: 4 },
      { date: '2026-03-01', requests: 10, errors: 0 },
    ]
    keeping(undefined, json({ usage: { ...usage, daily } }))
    expect((await incidentOf()).spent).toMatchObject({
      source: 'usage',
      requests: 50,
      failed: 4,
      refused: null,
      renders: null,
      busiestDay: { date: '2026-02-27', requests: 40 },
    })
  })
})
