import pMap from 'p-map'
import { describe, expect, it } from 'vitest'
import { everywhere, printMatrix, sideBySide, wrong } from './matrix.ts'
import { changing } from './points.ts'
import { killTwice, statesOf, type Way } from './second-death.ts'
import { plain, undone, undoneElsewhere, writeOnly, type Variant } from './variants.ts'

// Killed, and killed again while it goes on: from every state that a first death leaves, at every point of the resume.
// Why some points stand for every point:
// - a point that leaves exactly what the one before it left, or what the one after it leaves, cannot be resumed
//   differently: `distinct` leaves those out;
// - what is being written under a name of its own (`.tmp`, `.new`) is looked at by nobody and swept by the next run, as
//   the kill matrix shows, which strikes there: `changing` leaves those out too, and strikes where anything else changed;
// - that both leave out nothing else is not believed but looked up, at every single point: every-point.torture.ts.
// What is compared there is every file and folder of the home (the state directory and the targets) with its bytes and its
// mode, and every key with its name (the lease is in it), its status and how often the program used it. Not compared is
// time: a lease or a quiet time that runs out between two deaths is what the waits of `another-machine` and the model try.

interface Plan {
  variant: Variant
  way: Way
  /** One point in so many, with another offset from state to state: over so many states every point is struck. */
  oneIn: number
}

const plans: Plan[] = [
  { variant: plain, way: 'here', oneIn: 4 },
  { variant: undone, way: 'here', oneIn: 8 },
  { variant: writeOnly, way: 'here', oneIn: 8 },
  { variant: plain, way: 'a second machine', oneIn: 4 },
  { variant: plain, way: 'a third machine', oneIn: 4 },
  { variant: writeOnly, way: 'a second machine', oneIn: 4 },
  { variant: writeOnly, way: 'a third machine', oneIn: 4 },
  { variant: undoneElsewhere, way: 'a third machine', oneIn: 4 },
]

describe('a rotation that is killed again while it goes on is whole', () => {
  for (const { variant: given, way, oneIn } of plans) {
    // What a death leaves lasts until the next run is there: so often is often enough to see a refusal.
    const variant = { ...given, callsEveryMs: 20 }
    const name = [
      `${variant.name}, killed again`,
      ...(way === 'here' ? [] : [`on ${way}`]),
      ...(oneIn === 1 ? [] : [`one point in ${oneIn}`]),
    ].join(', ')
    it(`whatever the first death left: ${name}`, async () => {
      const states = [...(await statesOf(variant, way))]
      const outcomes = await pMap(
        states,
        ([, first], index) =>
          everywhere((at) => killTwice(variant, first, { at, only: changing }, way), {
            first: 1 + (index % oneIn),
            step: oneIn,
            concurrency: 1,
          }),
        { concurrency: sideBySide },
      ).then((lanes) => lanes.flat())
      const met = new Set(outcomes.map(({ came }) => came))
      printMatrix('kill matrix', name, outcomes, { 'first states': met.size })
      expect(wrong(outcomes)).toEqual([])
      // The shortest resume, which finds all done, has four points at the least.
      const surelyStruck = states.filter((_, index) => index % oneIn < 4)
      expect(surelyStruck.map(([state]) => state).filter((state) => !met.has(state))).toEqual([])
      expect(outcomes.length).toBeGreaterThan((states.length * 12) / oneIn)
    })
  }
})
