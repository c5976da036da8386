import pMap from 'p-map'
import { describe, expect, it } from 'vitest'
import { interruptAndRunAgain, interruptTwice, killAndMove, killAndRunAgain } from './attacks.ts'
import { compareEveryPoint } from './every-point.ts'
import { everywhere, wrong, type Outcome } from './matrix.ts'
import { changing, distinct, journalSays } from './points.ts'
import { killTwice } from './second-death.ts'
import { plain, twoTargets, undone, writeOnly, type Variant } from './variants.ts'

// A part of what the torture runs do as a whole: the real program in real processes, killed at some of its points.

/** Killed at each of the first `count` points that are told so; there must be as many. */
async function eachPoint(variant: Variant, only: string, count: number): Promise<Outcome[]> {
  const numbers = Array.from({ length: count }, (_, index) => index + 1)
  const outcomes = await pMap(numbers, (at) => killAndRunAgain(variant, { at, only }), { concurrency: 6 })
  expect(outcomes.filter(({ struck }) => !struck)).toEqual([])
  return outcomes
}

describe('a rotation that is killed', () => {
  it('is whole when the same line has ended', async () => {
    const outcomes = await everywhere((at) => killAndRunAgain(plain, { at, only: distinct }), {
      first: 4,
      step: 11,
      last: 96,
    })
    const failing = await everywhere((at) => killAndRunAgain(undone, { at, only: distinct }), {
      first: 8,
      step: 24,
      last: 90,
    })
    expect(wrong([...outcomes, ...failing])).toEqual([])
    expect(outcomes.length).toBeGreaterThan(5)
    expect(failing.length).toBeGreaterThan(2)
  })

  it('right after it changed something that is not its own is whole, too', async () => {
    const created = await eachPoint(plain, '^(sent|answered) (POST|PUT) ', 6)
    const started = await eachPoint(writeOnly, '^after spawn$', 1)
    const deleted = await eachPoint(twoTargets, '^answered DELETE ', 1)
    expect(wrong([...created, ...started, ...deleted])).toEqual([])
  })

  it('is finished on another machine', async () => {
    const outcomes = await everywhere((at) => killAndMove(plain, { at, only: distinct }, 'take over'), {
      first: 22,
      step: 17,
      last: 96,
    })
    const leases = await everywhere((at) => killAndMove(plain, { at, only: distinct }, 'lease over'), {
      first: 30,
      step: 40,
      last: 80,
    })
    expect(wrong([...outcomes, ...leases])).toEqual([])
    expect(outcomes.length).toBeGreaterThan(2)
    expect(leases.map(({ came }) => came)).toContain('refused')
  })

  it('again while it goes on is whole all the same', async () => {
    const delivered = journalSays('delivered')
    const again = (at: number) => killTwice(plain, delivered, { at, only: changing }, 'here')
    const outcomes = await everywhere(again, { first: 3, step: 6, last: 15 })
    // On a third machine: what the second had written down is lost as well.
    const third = await everywhere(
      (at) => killTwice(plain, delivered, { at, only: changing }, 'a third machine'),
      { first: 6, step: 7, last: 20 },
    )
    expect(wrong([...outcomes, ...third])).toEqual([])
    expect(outcomes.length).toBeGreaterThan(1)
    expect(third.length).toBeGreaterThan(1)
  })

  it('leaves the same at the points that are left out as at those that are struck', async () => {
    const { points, leftOut, wrongly, problems } = await compareEveryPoint(plain)
    expect(wrongly).toEqual([])
    expect(problems).toEqual([])
    expect(points).toBeGreaterThan(250)
    expect(leftOut.distinct).toBeGreaterThan(150)
  })
})

describe('a rotation that is told to stop', () => {
  it('stops at the next safe point, and twice is undone', async () => {
    const once = await everywhere((at) => interruptAndRunAgain(plain, { at, only: distinct }, 'SIGTERM'), {
      first: 26,
      step: 40,
      last: 80,
    })
    const twice = await Promise.all(
      ['minted', 'delivered'].map((state) => interruptTwice(plain, journalSays(state))),
    )
    expect(wrong([...once, ...twice])).toEqual([])
    expect(once.length).toBeGreaterThan(0)
    expect(twice.map(({ came }) => came)).toEqual(['undone', 'undone'])
  })
})
