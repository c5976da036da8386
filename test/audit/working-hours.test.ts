import { describe, expect, test } from 'vitest'
import { createOutsideHours } from '../../src/audit/working-hours.ts'

const weekdays = [1, 2, 3, 4, 5]
const hour = (hours: number) => hours * 60

describe('working hours', () => {
  const berlin = createOutsideHours({
    days: weekdays,
    from: hour(8),
    to: hour(18) + 10,
    timeZone: 'Europe/Berlin',
  })

  test.each([
    ['Friday morning in winter', '2026-02-27T07:00:00Z', false],
    ['a minute before', '2026-02-27T06:59:59Z', true],
    ['the last minute, within a quarter', '2026-02-27T17:09:59Z', false],
    ['after it', '2026-02-27T17:10:00Z', true],
    ['Saturday', '2026-02-28T10:00:00Z', true],
    ['the same hour in summer', '2026-07-03T06:00:00Z', false],
    ['Sunday evening in UTC, Monday morning there', '2026-03-01T22:30:00Z', true],
  ])('%s', (_, instant, outside) => {
    expect(berlin(Date.parse(instant))).toBe(outside)
  })

  test('over midnight belong to the day they begin on', () => {
    const night = createOutsideHours({ days: [5], from: hour(22), to: hour(6), timeZone: 'UTC' })
    expect(night(Date.parse('2026-02-27T23:00:00Z'))).toBe(false)
    expect(night(Date.parse('2026-02-28T05:59:00Z'))).toBe(false)
    expect(night(Date.parse('2026-02-28T23:00:00Z'))).toBe(true)
    expect(night(Date.parse('2026-02-27T05:00:00Z'))).toBe(true)
  })

  test('where a zone is three quarters of an hour off', () => {
    const kathmandu = createOutsideHours({
      days: weekdays,
      from: hour(9),
      to: hour(17),
      timeZone: 'Asia/Kathmandu',
    })
    expect(kathmandu(Date.parse('2026-02-27T03:14:59Z'))).toBe(true)
    expect(kathmandu(Date.parse('2026-02-27T03:15:00Z'))).toBe(false)
  })
})
