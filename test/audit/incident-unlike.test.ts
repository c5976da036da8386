import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { unlikeCountries, unlikeDays, type Unlike } from '../../src/audit/incident-unlike.ts'
import type { Incident } from '../../src/audit/incident.ts'
import { json, key, start, useServer } from '../api/client-fixture.ts'
import { dayMs, event, events, hourMs, incidentOf, keeping, usage } from './incident-fixture.ts'

useServer()

const of = ({ unlike }: Incident, kind: Unlike['kind']) =>
  unlike.filter((each) => each.kind === kind).map(({ value }) => value)
/** Four weeks of the usual application, every two hours, before the last week. */
const before = events(336, 7 * dayMs + hourMs, 2 * hourMs)

describe('what is unlike the past', () => {
  test('networks, programs and endpoints that were never seen, with their first and last sight', async () => {
    const stranger = {
      ip: '203.0.113.5',
      userAgent: 'curl/8.5.0',
      method: 'DELETE',
      endpoint: '/templates/41',
    }
    keeping([event(hourMs), event(3 * hourMs, stranger), event(5 * hourMs, stranger), ...before])
    const incident = await incidentOf()
    expect(of(incident, 'network')).toEqual(['203.0.113.0/24'])
    expect(of(incident, 'program')).toEqual(['curl'])
    expect(of(incident, 'endpoint')).toEqual(['DELETE /templates/{id}'])
    expect(incident.unlike[0]).toEqual({
      kind: 'network',
      value: '203.0.113.0/24',
      requests: 2,
      firstAt: event(5 * hourMs).timestamp,
      lastAt: event(3 * hourMs).timestamp,
      why: 'never seen in 336 requests of 28 days before',
    })
  })

  test('not a machine beside a known one, nor a new version of a known program', async () => {
    keeping([event(hourMs, { ip: '192.0.2.77', userAgent: 'pictify-node/2.0.0' }), ...before])
    expect((await incidentOf()).unlike).toEqual([])
  })

  test('not what was seen again after a while', async () => {
    const rare = { ip: '203.0.113.5', userAgent: 'curl/8.5.0' }
    keeping([event(hourMs, rare), event(20 * dayMs, rare), ...before])
    expect((await incidentOf()).unlike).toEqual([])
  })

  test('nothing where there is no past: of a young key, or where the log begins late', async () => {
    keeping(events(500, hourMs, 60_000))
    const young = await incidentOf({ key: key({ createdAt: event(10 * hourMs).timestamp }) })
    expect(young).toMatchObject({ past: null, unlike: [], spent: { unseen: null } })
    expect(young.audit?.networks).toMatchObject([{ isNew: null }])
  })

  test('a past of few requests is called thin', async () => {
    keeping([event(hourMs, { ip: '203.0.113.5' }), event(8 * dayMs)])
    const thin = await incidentOf()
    expect(thin.past).toMatchObject({ requests: 1, days: 1, isThin: true })
    expect(of(thin, 'network')).toEqual(['203.0.113.0/24'])
    keeping(before)
    expect((await incidentOf()).past).toMatchObject({ requests: 336, isThin: false })
  })

  test('our own proofs are nobody new, a stranger who calls himself so is', async () => {
    const probe = {
      userAgent: 'pictify-keys/0.1.0 (a1b2c3d4e5f60718)',
      method: 'GET',
      endpoint: '/templates',
    }
    keeping([event(hourMs, { ...probe, ip: '203.0.113.5' }), ...before])
    const own = await incidentOf()
    expect([of(own, 'network'), of(own, 'program'), of(own, 'endpoint')]).toEqual([[], [], []])
    expect(own.audit?.probes).toBe(1)
    expect(own.audit?.userAgents.map(({ value }) => value)).toContain('pictify-keys/0.1.0')
    keeping([event(hourMs, { ...probe, ip: '203.0.113.5', method: 'POST', endpoint: '/image' }), ...before])
    expect(of(await incidentOf(), 'network')).toEqual(['203.0.113.0/24'])
  })

  test('hours of the day at which it was never used', async () => {
    // only at 9 and 10 o'clock UTC before; now is noon
    const office = Array.from({ length: 28 }, (_, day) =>
      [2, 3].map((ago) => event((8 + day) * dayMs + ago * hourMs)),
    )
    keeping([event(9 * hourMs), event(2 * hourMs), ...office.flat()])
    const incident = await incidentOf()
    expect(of(incident, 'hour')).toEqual(['03:00 UTC'])
    expect(incident.unlike.find(({ kind }) => kind === 'hour')).toMatchObject({ requests: 1 })
  })

  test('not an hour that chance left out, nor one beside a usual one', async () => {
    const randomly = fc.sample(fc.nat(37 * dayMs - 1), { numRuns: 7 * 37, seed: 41 })
    keeping(randomly.map((ago) => event(ago)))
    expect(of(await incidentOf(), 'hour')).toEqual([])
    // a job of every morning, an hour later since the clocks changed
    const daily = events(30, 7 * dayMs + 2 * hourMs, dayMs)
    keeping([...events(7, 3 * hourMs, dayMs), ...daily, ...daily])
    expect(of(await incidentOf(), 'hour')).toEqual([])
  })

  test('a share of failed requests that was never so', async () => {
    keeping([...events(30, hourMs, 60_000), ...events(30, 2 * hourMs, 60_000, { status: 403 }), ...before])
    expect(of(await incidentOf(), 'error-rate')).toEqual(['50.0 %'])
    keeping([...events(30, hourMs, 60_000), event(2 * hourMs, { status: 403 }), ...before])
    expect(of(await incidentOf(), 'error-rate')).toEqual([])
  })

  test('a day of far more requests than its own days, by the log and, without one, by usage', async () => {
    keeping([...events(400, dayMs, 60_000), ...before])
    expect(of(await incidentOf(), 'requests')).toEqual(['2026-02-28'])
    const daily = Array.from({ length: 30 }, (_, ago) => ({
      date: new Date(start - ago * dayMs).toISOString().slice(0, 10),
      requests: ago === 2 ? 900 : 12,
      errors: 0,
    }))
    keeping(undefined, json({ usage: { ...usage, daily } }))
    expect(of(await incidentOf(), 'requests')).toEqual(['2026-02-27'])
  })
})

describe('countries', () => {
  const seen = (since: number, countries: [string, number][]) => ({
    since,
    until: start,
    countries: new Map(countries),
  })
  const found = (past: ReturnType<typeof seen> | undefined) =>
    unlikeCountries({ DE: 40, KP: 3, BR: 9, FR: 0 }, past, start - 7 * dayMs).map(({ value }) => value)

  test('that no audit from here had seen when the incident began, most first', () => {
    const before = start - 30 * dayMs
    expect(found(seen(before, [['DE', before]]))).toEqual(['BR', 'KP'])
    expect(
      found(
        seen(before, [
          ['DE', before],
          ['BR', before],
          ['KP', start - dayMs],
        ]),
      ),
    ).toEqual(['KP'])
  })

  test('nothing is new to whoever never looked, or not before the incident', () => {
    expect(found(undefined)).toEqual([])
    expect(found(seen(start - dayMs, []))).toEqual([])
  })
})

describe('days', () => {
  const days = (counts: readonly number[]) =>
    new Map(
      counts.map((count, index) => [
        new Date(start - (counts.length - 1 - index) * dayMs).toISOString().slice(0, 10),
        count,
      ]),
    )
  const found = (counts: readonly number[], since: number) =>
    unlikeDays(days(counts), {
      from: start - counts.length * dayMs,
      since: start - since * dayMs,
      until: start,
    })

  test('a key that does the same every day, or every week, is never odd', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(5_000), { minLength: 7, maxLength: 7 }), fc.nat(6), (week, since) => {
        const counts = Array.from({ length: 35 }, (_, day) => week[day % 7] ?? 0)
        expect(found(counts, since)).toEqual([])
      }),
    )
  })

  test('one day of far more is always found, wherever in the incident it lies, and it alone', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2_000 }), fc.nat(6), fc.nat(6), (usual, since, ago) => {
        const counts = Array.from({ length: 35 }, (_, day) =>
          day === 34 - Math.min(ago, since) ? usual * 5 + 200 : usual,
        )
        expect(found(counts, since).map(({ requests }) => requests)).toEqual([usual * 5 + 200])
      }),
    )
  })

  test('few days say nothing', () => {
    expect(found([1, 1, 1, 1, 9_000], 0)).toEqual([])
  })
})
