import { describe, expect, it } from 'vitest'
import { interruptTwice, interruptAndRunAgain } from './attacks.ts'
import { everywhere, printMatrix, wrong } from './matrix.ts'
import { distinct } from './points.ts'
import { plain } from './variants.ts'

// The real program in a real process, told to stop at every point it comes to.

describe('a rotation that is told to stop', () => {
  // What is done for SIGINT is done for SIGTERM: every other point shows that it is.
  for (const { signal, step } of [
    { signal: 'SIGTERM', step: 2 },
    { signal: 'SIGINT', step: 1 },
  ] as const) {
    it(`by ${signal} dies of it at the next safe point, and is finished by the same line`, async () => {
      const outcomes = await everywhere((at) => interruptAndRunAgain(plain, { at, only: distinct }, signal), {
        step,
      })
      const points = step === 1 ? '' : `, one point in ${step}`
      printMatrix('kill matrix', `${signal}, ${plain.name}${points}`, outcomes)
      expect(wrong(outcomes)).toEqual([])
      expect(outcomes.length).toBeGreaterThan(70 / step)
    })
  }

  it('twice is undone while that can be, and the same line rotates after all', async () => {
    const outcomes = await everywhere((at) => interruptTwice(plain, { at, only: distinct }))
    printMatrix('kill matrix', `SIGINT twice, ${plain.name}`, outcomes)
    expect(wrong(outcomes)).toEqual([])
    const undone = outcomes.filter(({ came }) => came === 'undone').length
    expect(undone).toBeGreaterThan(20)
  })
})
