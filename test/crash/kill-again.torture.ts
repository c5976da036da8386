import pMap from 'p-map'
import { describe, expect, it } from 'vitest'
import { durableState } from './durable-state.ts'
import { killTwice } from './attacks.ts'
import { problemsAfterDeath } from './inspection.ts'
import { everywhere, printMatrix, roundAt, sideBySide, wrong } from './matrix.ts'
import { plain, undone, type Variant } from './variants.ts'

// Killed, and killed again while it goes on: from every state that a first death leaves, wherever the resume changes
// something.

/** What a first death can leave, and the first point that leaves it. */
async function statesOf(variant: Variant): Promise<Map<string, number>> {
  const points = new Map<string, number>()
  const outcomes = await everywhere((at) =>
    roundAt(variant, { at, what: 'SIGKILL', distinct: true }, async (round, ran) => {
      const state = await durableState(round)
      points.set(state, Math.min(at, points.get(state) ?? Infinity))
      return problemsAfterDeath(round, ran)
    }),
  )
  expect(wrong(outcomes)).toEqual([])
  return points
}

describe('a rotation that is killed again while it goes on is whole', () => {
  for (const { variant, from } of [
    { variant: plain, from: /^(planned|minted|accepted|delivered|verified|overlapping|retired) / },
    { variant: undone, from: /^aborting / },
  ]) {
    it(`whatever the first death left: ${variant.name}`, async () => {
      const states = [...(await statesOf(variant))].filter(([state]) => from.test(state))
      const outcomes = await pMap(
        states,
        ([, first]) => everywhere((at) => killTwice(variant, first, at), { concurrency: 1 }),
        { concurrency: sideBySide },
      ).then((lanes) => lanes.flat())
      printMatrix('kill matrix', `${variant.name}, killed again`, outcomes, {
        'first states': states.length,
      })
      expect(wrong(outcomes)).toEqual([])
      expect(states.length).toBeGreaterThan(3)
      expect(outcomes.length).toBeGreaterThan(states.length * 5)
    })
  }
})
