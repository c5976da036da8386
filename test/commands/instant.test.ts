import { expect, test } from 'vitest'
import { parseInstant } from '../../src/commands/instant.ts'

const now = Date.parse('2026-03-11T12:00:00Z')
const read = (text: string) => new Date(parseInstant(text, now, '--since')).toISOString()

test.each([
  ['90d', '2025-12-11T12:00:00.000Z'],
  ['15m', '2026-03-11T11:45:00.000Z'],
  ['0s', '2026-03-11T12:00:00.000Z'],
  ['2026-01-31', '2026-01-31T00:00:00.000Z'],
  ['2024-02-29', '2024-02-29T00:00:00.000Z'],
  ['2026-01-31T08:00Z', '2026-01-31T08:00:00.000Z'],
  ['2026-01-31T08:00:00.123+02:00', '2026-01-31T06:00:00.123Z'],
])('%s is %s', (text, instant) => expect(read(text)).toBe(instant))

test.each([
  '',
  'yesterday',
  '90',
  '-1d',
  '2026-02-30',
  '2026-13-01',
  '2026-01-31T08:00:00',
  '2026-1-1',
  '1970',
])('"%s" is no instant', (text) => {
  expect(() => read(text)).toThrow(expect.objectContaining({ code: 'usage', exit: 2 }) as Error)
  expect(() => read(text)).toThrow('--since: ')
})
