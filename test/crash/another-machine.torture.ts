import { beforeAll, describe, expect, it } from 'vitest'
import { killAndMove, killAndWait } from './attacks.ts'
import { everywhere, printMatrix, wrong, type Outcome } from './matrix.ts'
import { distinct, journalSays } from './points.ts'
import { plain, twoTargets, writeOnly } from './variants.ts'

// Killed at every point; then the state directory is gone, and another machine has the API and the targets alone.

describe('a rotation that is killed is finished on another machine', () => {
  // Minutes, in which the others are at work; one for each of these states.
  let waited: Promise<Outcome[]>
  beforeAll(() => {
    const slow = { ...plain, callsEveryMs: 100 }
    waited = Promise.all(
      ['minted', 'delivered', 'retired'].map((state) => killAndWait(slow, journalSays(state))),
    )
    waited.catch(() => 'told by the test that waits for it')
  })

  for (const variant of [plain, twoTargets, writeOnly]) {
    it(`with --take-over: ${variant.name}`, async () => {
      const outcomes = await everywhere((at) => killAndMove(variant, { at, only: distinct }, 'take over'))
      printMatrix('kill matrix', `another machine, ${variant.name}`, outcomes)
      expect(wrong(outcomes)).toEqual([])
      expect(outcomes.length).toBeGreaterThan(70)
    })
  }

  it(`once the lease is over: ${plain.name}`, async () => {
    const outcomes = await everywhere((at) => killAndMove(plain, { at, only: distinct }, 'lease over'))
    printMatrix('kill matrix', `another machine, lease over`, outcomes)
    expect(wrong(outcomes)).toEqual([])
    expect(outcomes.filter(({ came }) => came === 'refused').length).toBeGreaterThan(30)
  })

  it('when the lease was really waited for', async () => {
    const outcomes = await waited
    printMatrix('kill matrix', 'another machine, lease waited for', outcomes)
    expect(wrong(outcomes)).toEqual([])
    expect(outcomes.map(({ came }) => came)).toEqual(Array(3).fill(expect.stringMatching(/^waited \d+ s$/)))
  })
})
