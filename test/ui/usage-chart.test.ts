import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { colours } from '../../src/ui/colours.ts'
import { plain } from '../../src/ui/paint.ts'
import { short, usageChart } from '../../src/ui/usage-chart.ts'
import { usageScreen } from '../../src/ui/usage-screen.ts'

const now = Date.parse('2026-03-11T12:00:00Z')
const daysOf = (requests: readonly number[], errors: readonly number[] = []) =>
  requests.map((count, index) => ({
    date: new Date(now - (requests.length - 1 - index) * 86_400_000).toISOString().slice(0, 10),
    requests: count,
    errors: errors[index] ?? 0,
  }))
const chart = (days: ReturnType<typeof daysOf>, width = 40, unicode = true) =>
  usageChart(days, { width, paint: plain, unicode, now }).split('\n')

describe('a chart of days', () => {
  test('shows how much it was, and when', () => {
    expect(chart(daysOf([0, 1_000, 2_000, 4_000, 1], [0, 0, 100, 0, 0]))).toEqual([
      '  4.0k ┤         ██',
      '       │         ██',
      '       │         ██',
      '  2.0k ┤         ██',
      '       │      ██ ██',
      '       │      ██ ██',
      '       │   ██ ██ ██',
      '     0 ┤   ██ ██ ██ ▁▁',
      'failed',
      '   100 ┤      ██',
      '       │      ██',
      '     0 ┤      ██',
      '        7 Mar    11 Mar',
      'requests a day, 5 days: 7,001; most on 10 Mar: 4,000; today is not over',
    ])
  })

  test('has no unicode where the terminal has none', () => {
    const lines = chart(daysOf([5, 10, 1]), 40, false)
    expect(lines.slice(0, 8)).toEqual([
      '    10 +   ##',
      '       |   ##',
      '       |   ##',
      '     5 +   ##',
      '       |## ##',
      '       |## ##',
      '       |## ##',
      '     0 +## ## ##',
    ])
    expect(lines.join('')).toMatch(/^[\x20-\x7e]*$/)
  })

  test('is no wider than the terminal, whatever the figures; colours tell nothing by themselves', () => {
    const counts = fc.array(fc.integer({ min: 0, max: 2_000_000_000 }), { minLength: 1, maxLength: 61 })
    fc.assert(
      fc.property(counts, counts, fc.integer({ min: 24, max: 140 }), (requests, errors, width) => {
        const days = daysOf(requests, errors)
        const lines = chart(days, width)
        for (const line of lines.slice(0, -1)) expect(line.length).toBeLessThanOrEqual(width)
        const inColour = usageChart(days, { width, paint: colours, unicode: true, now })
        expect(inColour.replaceAll(/\u001b\[\d+m/g, '').split('\n')).toEqual(lines)
      }),
    )
  })

  test('shows the last days where there is no room for all', () => {
    const lines = chart(daysOf(Array.from({ length: 61 }, (_, index) => (index === 60 ? 9 : 0))), 24)
    expect(lines[0]).toMatch(/9 ┤ +█$/)
    expect(lines.at(-1)).toContain('16 days')
  })
})

test.each([
  [0, '0'],
  [999, '999'],
  [1_000, '1.0k'],
  [9_949, '9.9k'],
  [9_950, '10k'],
  [999_499, '999k'],
  [999_500, '1.0M'],
  [12_345_678, '12M'],
  [3_000_000_000, '3.0G'],
])('%i is %s', (value, text) => expect(short(value)).toBe(text))

describe('a screen of figures', () => {
  const text = Array.from({ length: 30 }, (_, index) => `line ${index}`).join('\n')

  test('has what fits, says how much does not, and keeps its last line', () => {
    expect(usageScreen(text, ['read at 12:00'], { columns: 80, rows: 6 })).toEqual([
      ...['line 0', 'line 1', 'line 2', 'line 3'],
      '… 26 more lines: make the terminal higher, or give --limit',
      'read at 12:00',
    ])
    expect(usageScreen(text, ['read at 12:00'], { columns: 80, rows: 40 })).toHaveLength(31)
  })

  test('never has more rows or columns than there are', () => {
    const line = fc.string({ maxLength: 200 }).map((each) => each.replaceAll(/[^ -~]/g, 'x'))
    fc.assert(
      fc.property(
        fc.array(line),
        fc.array(line, { maxLength: 3 }),
        fc.integer({ min: 24, max: 100 }),
        fc.integer({ min: 1, max: 30 }),
        (body, status, columns, rows) => {
          const lines = usageScreen(body.join('\n'), status, { columns, rows })
          expect(lines.length).toBeLessThanOrEqual(rows)
          for (const each of lines) expect(each.length).toBeLessThanOrEqual(columns)
        },
      ),
    )
  })
})
