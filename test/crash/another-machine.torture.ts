import { describe, expect, it } from 'vitest'
import { killAndMove } from './attacks.ts'
import { everywhere, printMatrix, wrong } from './matrix.ts'
import { plain, twoTargets, writeOnly } from './variants.ts'

// Killed at every point; then the state directory is gone, and another machine has the API and the targets alone.

describe('a rotation that is killed is finished on another machine', () => {
  for (const variant of [plain, twoTargets, writeOnly]) {
    it(`with --take-over: ${variant.name}`, async () => {
      const outcomes = await everywhere((at) => killAndMove(variant, at, 'take over'))
      printMatrix('kill matrix', `another machine, ${variant.name}`, outcomes)
      expect(wrong(outcomes)).toEqual([])
      expect(outcomes.length).toBeGreaterThan(70)
    })
  }

  it(`once the lease is over: ${plain.name}`, async () => {
    const outcomes = await everywhere((at) => killAndMove(plain, at, 'lease over'))
    printMatrix('kill matrix', `another machine, lease over`, outcomes)
    expect(wrong(outcomes)).toEqual([])
    expect(outcomes.filter(({ came }) => came === 'refused').length).toBeGreaterThan(30)
  })
})
