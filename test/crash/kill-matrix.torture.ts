import { describe, expect, it } from 'vitest'
import { killAndRunAgain } from './attacks.ts'
import { everywhere, printMatrix, wrong } from './matrix.ts'
import { distinct } from './points.ts'
import { compromised, plain, self, twoTargets, undone, writeOnly } from './variants.ts'

// The real program in a real process, killed with SIGKILL at every point it comes to, and run again by the same line.

describe('a rotation that is killed, and run again by the same line, is whole', () => {
  it(`wherever it was killed: ${plain.name}`, async () => {
    const outcomes = await everywhere((at) => killAndRunAgain(plain, { at }))
    printMatrix('kill matrix', `${plain.name}, every point`, outcomes)
    expect(wrong(outcomes)).toEqual([])
    expect(outcomes.length).toBeGreaterThan(250)
  })

  // Points that leave behind what the one before did are left out: a kill cannot tell them apart.
  for (const variant of [twoTargets, undone, writeOnly, self, compromised]) {
    it(`wherever it was killed: ${variant.name}`, async () => {
      const outcomes = await everywhere((at) => killAndRunAgain(variant, { at, only: distinct }))
      printMatrix('kill matrix', variant.name, outcomes)
      expect(wrong(outcomes)).toEqual([])
      expect(outcomes.length).toBeGreaterThan(70)
    })
  }
})
