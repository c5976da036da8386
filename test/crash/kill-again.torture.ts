import { describe, expect, it } from 'vitest'
import { durableState } from './durable-state.ts'
import { killAndRunAgain, killTwice } from './attacks.ts'
import { everywhere, printMatrix, wrong, type Outcome } from './matrix.ts'
import { plain, undone, type Variant } from './variants.ts'

// Killed, and killed again while it goes on: from every state that a first death leaves, at every point of the resume.

/** So often is what a second death leaves run to its end, wherever it came from. */
const ends = 3

/** What a first death can leave, and the first point that leaves it. */
async function statesOf(variant: Variant): Promise<Map<string, number>> {
  const points = new Map<string, number>()
  const outcomes = await everywhere((at) =>
    killAndRunAgain(variant, at, {
      distinct: true,
      onDeath: async (round) => {
        const state = await durableState(round)
        points.set(state, Math.min(at, points.get(state) ?? Infinity))
      },
    }),
  )
  expect(wrong(outcomes)).toEqual([])
  return points
}

async function killFromEach(variant: Variant, firsts: readonly number[]): Promise<Outcome[]> {
  const seen = new Map<string, number>()
  const isKnown = (state: string) => {
    const times = (seen.get(state) ?? 0) + 1
    seen.set(state, times)
    return times > ends
  }
  const outcomes: Outcome[] = []
  for (const first of firsts) {
    outcomes.push(...(await everywhere((at) => killTwice(variant, first, at, isKnown))))
  }
  return outcomes
}

describe('a rotation that is killed again while it goes on is whole', () => {
  for (const { variant, from } of [
    { variant: plain, from: /^(planned|minted|accepted|delivered|verified|overlapping|retired) / },
    { variant: undone, from: /^aborting / },
  ]) {
    it(`whatever the first death left: ${variant.name}`, async () => {
      const states = [...(await statesOf(variant))].filter(([state]) => from.test(state))
      const outcomes = await killFromEach(
        variant,
        states.map(([, first]) => first),
      )
      const ended = outcomes.filter(({ came }) => came === 'ended').length
      printMatrix('kill matrix', `${variant.name}, killed again`, outcomes, {
        'first states': states.length,
        'run to the end': ended,
      })
      expect(wrong(outcomes)).toEqual([])
      expect(states.length).toBeGreaterThan(3)
      expect(outcomes.length).toBeGreaterThan(states.length * 10)
    })
  }
})
