import { describe, expect, test } from 'vitest'
import type { AuditEvent } from '../../src/api/contract.ts'
import { createKeyLog, programOf } from '../../src/audit/key-log.ts'
import { createSightings } from '../../src/audit/sightings.ts'

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
    const log = createKeyLog({ allowance: { left: 100 } })
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
    expect(values(log.outside)).toEqual([])
  })

  test('tells the hours outside of working hours', () => {
    const log = createKeyLog({ allowance: { left: 100 }, isOutside: (at) => new Date(at).getUTCHours() < 6 })
    log.add(event({ timestamp: '2026-03-01T02:10:00Z' }))
    log.add(event({ timestamp: '2026-03-01T02:50:00Z' }))
    log.add(event({ timestamp: '2026-03-01T06:00:00Z' }))
    expect(log.outside.list()).toMatchObject([{ value: '2026-03-01T02:00Z', requests: 2 }])
  })
})

test.each([
  ['pictify-node/1.4.2 (linux; x64)', 'pictify-node (linux; x64)'],
  ['curl/8.5.0', 'curl'],
  ['Mozilla/5.0 (X11) Gecko/20100101 Firefox/140.0', 'Mozilla (X11) Gecko Firefox'],
  ['my service', 'my service'],
  ['/1', '/1'],
])('the program of %s is %s', (userAgent, program) => {
  expect(programOf(userAgent)).toBe(program)
})

describe('sightings', () => {
  test('beyond the allowance count on, and keep what was met first', () => {
    const allowance = { left: 2 }
    const sightings = createSightings(allowance)
    for (let each = 0; each < 20; each += 1) sightings.add(`address ${each}`, each)
    sightings.add('address 0', 50)
    expect(sightings.list()).toHaveLength(10)
    expect(sightings.list()[0]).toEqual({ value: 'address 0', requests: 2, firstAt: 0, lastAt: 50 })
    expect([sightings.unkept, allowance.left]).toEqual([10, 0])
  })

  test('of one kind are no more than a thousand, whatever the allowance', () => {
    const sightings = createSightings({ left: 1e6 })
    for (let each = 0; each < 1_500; each += 1) sightings.add(String(each), each)
    expect([sightings.list().length, sightings.unkept]).toEqual([1_000, 500])
  })
})
