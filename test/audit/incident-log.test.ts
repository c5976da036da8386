import { describe, expect, test } from 'vitest'
import type { AuditEvent } from '../../src/api/contract.ts'
import { createIncidentLog } from '../../src/audit/incident-log.ts'
import { spentOf } from '../../src/audit/incident-reach.ts'
import { timelineOf } from '../../src/audit/incident-timeline.ts'
import { noveltyOf } from '../../src/audit/incident-unlike.ts'
import { start } from '../api/client-fixture.ts'
import { dayMs, event, events, hourMs, keyId } from './incident-fixture.ts'

/** What comes of a log that was read newest first: a week held against the 30 days before. */
function read(all: readonly AuditEvent[], sinceMs = 7 * dayMs) {
  const since = start - sinceMs
  const log = createIncidentLog({ from: since - 30 * dayMs, since, until: start, keyIds: [keyId] })
  for (const each of all.toSorted((a, b) => (a.timestamp < b.timestamp ? 1 : -1))) log.add(each)
  const novelty = noveltyOf(log)
  const spent = spentOf(log, null, { type: 'live', plan: 'pro', since }, novelty)
  return { log, novelty, spent, rows: timelineOf(log, novelty, []) }
}

/** Four weeks of the usual application, every two hours, before the last week. */
const before = events(336, 7 * dayMs + hourMs, 2 * hourMs)
const attack = (perHour: number, fields: (hour: number, n: number) => Partial<AuditEvent>) =>
  Array.from({ length: 7 * 24 }, (_, hour) =>
    Array.from({ length: perHour }, (__, n) => event((hour + 0.5) * hourMs + n * 1_000, fields(hour, n))),
  ).flat()

describe('somebody who varies what he calls himself', () => {
  const stranger = { ip: '203.0.113.5', method: 'POST' }

  test('is seen in every hour of a week by his network, whatever his programs', () => {
    const calls = attack(40, (hour, n) => ({
      ...stranger,
      userAgent: `bot-${'abcdefghij'[n % 10]}${hour}x${n}`,
    }))
    const { rows, spent } = read([...calls, ...before])
    const hours = rows.filter(({ kind, requests }) => kind === 'hour' && requests > 0)
    expect(hours).toHaveLength(168)
    expect(hours.map(({ requests, unseen, unkept }) => [requests, unseen, unkept])).toEqual(
      hours.map(() => [40, 40, 0]),
    )
    expect(spent).toMatchObject({ unkept: 0, unseen: { requests: 168 * 40, renders: 168 * 40 } })
  })

  test('and nothing is called known, where he sits in a known network', () => {
    const calls = attack(40, (hour, n) => ({ userAgent: `bot-${hour}x${n}` }))
    const { rows, spent } = read([...calls, ...before])
    for (const { kind, requests, unseen, unkept } of rows) {
      if (kind !== 'hour') continue
      expect((unseen ?? 0) + unkept).toBe(requests)
      expect(unseen).not.toBe(0)
    }
    expect((spent.unseen?.requests ?? 0) + spent.unkept).toBe(6_720)
  })

  test('nor where he has more networks than can be kept', () => {
    const calls = attack(60, (hour, n) => ({ ip: `2001:db8:${(hour * 60 + n).toString(16)}::1` }))
    const { rows } = read([...calls, ...before])
    const first = rows.find(({ kind, requests }) => kind === 'hour' && requests > 0)
    expect(first).toMatchObject({ requests: 60, unseen: null, unkept: 60 })
    for (const { kind, requests, unseen, unkept } of rows) {
      if (kind === 'hour') expect((unseen ?? 0) + unkept).toBe(requests)
    }
  })

  test('does not have the usual application called unseen', () => {
    const calls = attack(40, (hour, n) => ({ ...stranger, userAgent: `bot-${hour}x${n}` }))
    const usual = events(84, hourMs + 60_000, 2 * hourMs)
    const { rows, spent } = read([...calls, ...usual, ...before])
    expect(spent).toMatchObject({ requests: 6_804, unseen: { requests: 6_720 }, unkept: 0 })
    expect(rows.reduce((sum, { unseen }) => sum + (unseen ?? 0), 0)).toBe(6_720)
  })
})

describe('the hour and the day in which it began', () => {
  test('are cut in two there', () => {
    const since = 2 * dayMs + hourMs / 2
    const { rows, spent } = read(
      [...events(3, since + 60_000, 1_000), ...events(2, since - 60_000, 1_000)],
      since,
    )
    const border = new Date(start - since).toISOString()
    expect(rows[0]).toMatchObject({ kind: 'before', until: border, requests: 3 })
    expect(rows[1]).toMatchObject({
      kind: 'hour',
      from: border,
      until: new Date(start - 2 * dayMs).toISOString(),
      requests: 2,
    })
    expect(spent.busiestDay).toMatchObject({ requests: 2 })
  })
})

describe('strangers', () => {
  const strangersIn = (all: readonly AuditEvent[]) => read(all).novelty.strangers

  test('are called so of a network far from the known ones', () => {
    expect(strangersIn([event(hourMs, { ip: '203.0.113.5' }), ...before])).toBe(true)
  })

  test('not beside a known one, nor where new ones come every few days, nor on a thin past', () => {
    expect(strangersIn([event(hourMs, { ip: '192.0.77.1' }), ...before])).toBe(false)
    const moving = Array.from({ length: 37 }, (_, day) =>
      event(day * dayMs + hourMs, { ip: `20.${day}.9.1` }),
    )
    expect(strangersIn([...moving, ...before])).toBe(false)
    const one = { userAgent: 'curl/8.5.0' }
    expect(
      strangersIn([
        event(hourMs, { ...one, ip: '18.10.9.4' }),
        event(8 * dayMs, { ...one, ip: '203.0.113.4' }),
      ]),
    ).toBe(null)
  })
})
