import { describe, expect, test } from 'vitest'
import {
  compareDay,
  compareShares,
  fewestDays,
  median,
  outlierScore,
  spreadOf,
} from '../../src/audit/robust.ts'
import { fc } from '../property.ts'

const count = (max = 1_000_000) => fc.nat({ max })
const days = (min: number, max: number, from = 0) =>
  fc.array(fc.integer({ min: from, max: 1_000_000 }), { minLength: min, maxLength: max })

describe('a median', () => {
  test.each([
    [[], 0],
    [[3], 3],
    [[9, 1, 2], 2],
    [[4, 1, 2, 9], 3],
  ])('of %j is %d', (values, expected) => {
    expect(median(values)).toBe(expected)
  })

  test('has as many values on either side, and moves no value', () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), (values) => {
        const before = [...values]
        const middle = median(values)
        expect(values).toEqual(before)
        expect(values.filter((value) => value < middle).length * 2).toBeLessThanOrEqual(values.length)
        expect(values.filter((value) => value > middle).length * 2).toBeLessThanOrEqual(values.length)
      }),
    )
  })
})

test.each([
  ['what the days vary by', [-30, 10, 0, 20, -20], 100, 29.652],
  ['a tenth of what is usual where they do not vary', [0, 0, 0], 10_000, 1_000],
  ['what chance makes of a small count', [0, 0, 0], 25, 5],
  ['one where nothing is usual', [0, 0, 900], 0, 1],
])('a spread is %s', (_, distances, usual, spread) => {
  expect(spreadOf(distances, usual)).toBeCloseTo(spread)
})

describe('a day against the days before it', () => {
  test('says nothing of few days', () => {
    fc.assert(
      fc.property(count(), days(0, fewestDays - 1), (seen, past) => {
        expect(compareDay(seen, past)).toBeUndefined()
      }),
    )
  })

  test('is not odd where every day is the same', () => {
    fc.assert(
      fc.property(count(), fc.integer({ min: fewestDays, max: 60 }), (same, length) => {
        expect(
          compareDay(
            same,
            Array.from({ length }, () => same),
          )?.score,
        ).toBe(0)
      }),
    )
  })

  test('is no odder for one request more', () => {
    fc.assert(
      fc.property(count(), fc.integer({ min: fewestDays, max: 60 }), (same, length) => {
        expect(
          compareDay(
            same + 1,
            Array.from({ length }, () => same),
          )?.score,
        ).toBeLessThanOrEqual(1)
      }),
    )
  })

  test('is as odd whatever the scale', () => {
    fc.assert(
      fc.property(
        count(),
        days(fewestDays, 40, 1_000),
        fc.integer({ min: 2, max: 1_000 }),
        (seen, past, k) => {
          const [once, scaled] = [
            compareDay(seen, past),
            compareDay(
              seen * k,
              past.map((each) => each * k),
            ),
          ]
          expect(scaled?.score).toBeCloseTo(once?.score ?? NaN, 6)
          expect(scaled?.usual).toBeCloseTo((once?.usual ?? NaN) * k, 3)
        },
      ),
    )
  })

  test('is no less odd the more was counted of both', () => {
    fc.assert(
      fc.property(count(50), fc.array(count(50), { minLength: 7, maxLength: 40 }), (seen, past) => {
        const [once, scaled] = [
          compareDay(seen, past),
          compareDay(
            seen * 9,
            past.map((each) => each * 9),
          ),
        ]
        expect(Math.abs(scaled?.score ?? NaN)).toBeGreaterThanOrEqual(Math.abs(once?.score ?? NaN) - 1e-9)
      }),
    )
  })

  test('is not hidden by one that was as odd', () => {
    const series = fc
      .tuple(
        fc.integer({ min: 100, max: 10_000 }),
        fc.array(fc.nat({ max: 99 }), { minLength: 8, maxLength: 40 }),
      )
      .map(([level, shares]) => shares.map((share) => Math.round(level * (1 + share / 100))))
    fc.assert(
      fc.property(series, count(), (past, place) => {
        const odd = 1_000_000
        const spoilt = past.with(place % past.length, odd)
        const comparison = compareDay(odd, spoilt)
        expect(comparison?.score).toBeGreaterThan(outlierScore)
        expect(comparison?.usual).toBeLessThan(40_000)
      }),
    )
  })

  const week = [100, 100, 100, 100, 100, 10, 10]
  const weeks = [...week, ...week, ...week, ...week]

  test('is held against its own weekday where there are weeks enough', () => {
    expect(compareDay(100, weeks)).toMatchObject({ usual: 100, score: 0, of: 'weekdays', count: 4 })
    const saturday = [...weeks, ...week.slice(0, 5)]
    expect(compareDay(100, saturday)).toMatchObject({ usual: 10, of: 'weekdays', count: 4 })
    expect(compareDay(100, saturday)?.score).toBeGreaterThan(20)
    expect(compareDay(100, weeks.slice(-14))).toMatchObject({ usual: 100, of: 'days', count: 14 })
  })

  test('a job of every Monday is usual on a Monday', () => {
    const monday = [5_000, 20, 20, 20, 20, 20, 20]
    expect(compareDay(5_000, [...monday, ...monday, ...monday])?.score).toBe(0)
    expect(compareDay(5_000, [...monday, ...monday, ...monday, 5_000])?.score).toBeGreaterThan(100)
  })

  test('what has been so for most of a week is usual', () => {
    const grown = (since: number) => [
      ...Array.from({ length: 28 - since }, () => 100),
      ...Array.from({ length: since }, () => 5_000),
    ]
    expect(compareDay(5_000, grown(2))?.score).toBeGreaterThan(100)
    expect(compareDay(5_000, grown(3))?.score).toBeGreaterThan(100)
    expect(compareDay(5_000, grown(4))?.score).toBeLessThan(1)
    expect(compareDay(5_000, grown(9))?.score).toBeLessThan(1)
  })

  test('needs two weeks to tell that it does more of late', () => {
    const lately = (before: number) => [
      ...Array.from({ length: before }, () => 100),
      ...Array.from({ length: 6 }, () => 5_000),
    ]
    expect(compareDay(5_000, lately(7))?.usual).toBe(100)
    expect(compareDay(5_000, lately(8))?.usual).toBe(5_000)
  })
})

describe('a share against an earlier one', () => {
  test('is odd where it is higher by more than chance makes of it', () => {
    expect(compareShares({ part: 30, of: 1_000 }, { part: 300, of: 30_000 }, 50)).toMatchObject({
      seen: 0.03,
      usual: 0.01,
    })
    expect(compareShares({ part: 30, of: 1_000 }, { part: 300, of: 30_000 }, 50)?.score).toBeGreaterThan(5)
    expect(compareShares({ part: 12, of: 1_000 }, { part: 300, of: 30_000 }, 50)?.score).toBeLessThan(1)
  })

  test('is told in standard errors', () => {
    expect(compareShares({ part: 60, of: 100 }, { part: 50, of: 100 }, 50)?.score).toBeCloseTo(Math.SQRT2)
  })

  test('is not odd for one error after none', () => {
    expect(compareShares({ part: 1, of: 50 }, { part: 0, of: 50 }, 50)?.score).toBeLessThan(outlierScore)
  })

  test('is not known of few requests', () => {
    expect(compareShares({ part: 9, of: 49 }, { part: 0, of: 5_000 }, 50)).toBeUndefined()
    expect(compareShares({ part: 9, of: 5_000 }, { part: 0, of: 49 }, 50)).toBeUndefined()
  })

  test('is never odd where it is the same', () => {
    fc.assert(
      fc.property(fc.integer({ min: 100, max: 1e6 }), fc.nat({ max: 100 }), (of, percent) => {
        const part = Math.round((of * percent) / 100)
        expect(compareShares({ part, of }, { part, of }, 50)?.score).toBe(0)
      }),
    )
  })
})
