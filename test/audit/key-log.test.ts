import { describe, expect, test } from 'vitest'
import type { AuditEvent } from '../../src/api/contract.ts'
import { callerOf, createDetailedKeyLog, createKeyLog } from '../../src/audit/key-log.ts'
import { createSightings, daysTogether } from '../../src/audit/sightings.ts'

const day = 86_400_000

const event = (fields: Partial<AuditEvent> = {}): AuditEvent => ({
  timestamp: '2026-03-01T11:00:00Z',
  action: 'api.request',
  keyId: 'key_abc123',
  endpoint: '/image',
  method: 'POST',
  status: 200,
  ip: '8.8.8.8',
  userAgent: 'pictify-node/1.4.2',
  ...fields,
})
const values = (log: { list(): { value: string }[] }) => log.list().map(({ value }) => value)

describe('the log of a key', () => {
  test('counts requests and those that failed, and knows the first and the last in any order', () => {
    const log = createKeyLog({ allowance: { left: 100 } })
    log.add(event({ timestamp: '2026-03-01T11:00:00Z' }))
    log.add(event({ timestamp: '2026-03-01T13:00:00Z', status: 400 }))
    log.add(event({ timestamp: '2026-03-01T12:00:00Z', status: 399 }))
    expect(log).toMatchObject({
      requests: 3,
      errors: 1,
      firstAt: Date.UTC(2026, 2, 1, 11),
      lastAt: Date.UTC(2026, 2, 1, 13),
    })
  })

  test('tells who, from where and what', () => {
    const log = createDetailedKeyLog({ allowance: { left: 100 } })
    log.add(event())
    log.add(event({ ip: '8.8.8.9', userAgent: 'pictify-node/1.5.0' }))
    log.add(event({ ip: '127.0.0.1', endpoint: '/templates?limit=1', method: 'GET' }))
    log.add(event({ ip: '', userAgent: '', endpoint: '' }))
    expect(values(log.addresses)).toEqual(['127.0.0.1', '8.8.8.8', '8.8.8.9'])
    expect(values(log.networks)).toEqual(['8.8.8.0/24', '127.0.0.0/24'])
    expect(values(log.local)).toEqual(['127.0.0.1'])
    expect(values(log.userAgents)).toEqual(['pictify-node/1.4.2', 'pictify-node/1.5.0'])
    expect(log.programs.list()).toMatchObject([{ value: 'pictify-node', requests: 3 }])
    expect(values(log.endpoints)).toEqual(['POST /image', 'GET /templates'])
    expect(log.callers.list().map(callerOf)).toMatchObject([
      { program: 'pictify-node', network: '8.8.8.0/24', requests: 2 },
      { program: '', network: '', requests: 1 },
      { program: 'pictify-node', network: '127.0.0.0/24', requests: 1 },
    ])
    expect(log.outside.requests).toBe(0)
  })

  test('tells the recent hours outside of working hours, and from where', () => {
    const log = createKeyLog({
      allowance: { left: 100 },
      recentSince: Date.UTC(2026, 2, 1),
      isOutside: (at) => new Date(at).getUTCHours() < 6,
    })
    log.add(event({ timestamp: '2026-03-01T02:10:00Z' }))
    log.add(event({ timestamp: '2026-03-01T02:50:00Z', ip: 'a proxy' }))
    log.add(event({ timestamp: '2026-03-01T06:00:00Z' }))
    log.add(event({ timestamp: '2026-02-28T02:00:00Z' }))
    expect([log.requests, log.recent, log.outside.requests]).toEqual([4, 3, 3])
    expect(log.outside.hours.list()).toMatchObject([{ value: '2026-03-01T02:00Z', requests: 2 }])
    expect(values(log.outside.networks)).toEqual(['8.8.8.0/24', 'a proxy'])
  })

  test('counts our own probes apart, and nothing else that calls itself so', () => {
    const log = createKeyLog({ allowance: { left: 100 } })
    const probe = { userAgent: 'pictify-keys/0.1.0', endpoint: '/templates?limit=1', method: 'GET' }
    log.add(event(probe))
    log.add(event({ ...probe, userAgent: 'pictify-keys/0.1.0 (0a1b2c3d4e5f6071)' }))
    log.add(event({ ...probe, endpoint: '/image', method: 'POST' }))
    log.add(event({ ...probe, userAgent: 'curl/8.5' }))
    expect(log.probes).toBe(2)
    expect(values(log.programs)).toEqual(['pictify-keys', 'curl'])
  })
})

describe('sightings', () => {
  test('beyond the allowance count on, and keep what was met first', () => {
    const allowance = { left: 2 }
    const sightings = createSightings(allowance)
    for (let each = 0; each < 20; each += 1) sightings.add(`address ${each}`, each)
    sightings.add('address 0', 50)
    expect(sightings.list()).toHaveLength(6)
    expect(sightings.list()[0]).toMatchObject({ value: 'address 0', requests: 2, firstAt: 0, lastAt: 50 })
    expect([sightings.unkept, allowance.left]).toEqual([14, 0])
  })

  test('of one kind are no more than a thousand, whatever the allowance', () => {
    const sightings = createSightings({ left: 1e6 })
    for (let each = 0; each < 1_500; each += 1) sightings.add(String(each), each)
    expect([sightings.list().length, sightings.unkept]).toEqual([1_000, 500])
  })

  test('are as good where they are many', () => {
    const sightings = createSightings({ left: 100 })
    for (let round = 0; round < 3; round += 1) {
      for (let each = 0; each < 12; each += 1) sightings.add(`address ${each}`, round)
    }
    const listed = sightings.list()
    expect(listed).toHaveLength(12)
    expect(
      listed.every(({ requests, firstAt, lastAt }) => requests === 3 && firstAt === 0 && lastAt === 2),
    ).toBe(true)
  })

  test('know which were recent, and on which days', () => {
    const sightings = createSightings({ left: 100 }, { recentSince: 10 * day })
    for (const at of [1, 10, 10.5, 12, 70]) sightings.add('a', at * day)
    sightings.add('b', 9.9 * day)
    const [a, b] = sightings.list()
    expect(a).toMatchObject({ requests: 5, recent: 4, firstAt: day, lastAt: 70 * day })
    expect(b).toMatchObject({ requests: 1, recent: 0, recentDays: 0 })
    expect(daysTogether(a?.recentDays ?? 0, a?.recentDays ?? 0)).toBe(3)
    expect(daysTogether(a?.recentDays ?? 0, 1 << 2)).toBe(1)
  })

  test('keep the beginning of what is very long', () => {
    const sightings = createSightings({ left: 100 })
    sightings.add('x'.repeat(10_000), 1)
    sightings.add('x'.repeat(10_000), 2)
    expect(sightings.list()).toMatchObject([{ value: `${'x'.repeat(499)}…`, requests: 2 }])
  })
})
