import pMap from 'p-map'
import { expect, it } from 'vitest'
import { printFigures } from '../figures.ts'
import { compareEveryPoint } from './every-point.ts'
import { sideBySide } from './matrix.ts'
import { journalSays } from './points.ts'
import { compromised, plain, self, twoTargets, undone, writeOnly } from './variants.ts'

// Every line that is killed, and lines that go on after a kill: at each point all there is, compared.

const runs = [
  ...[plain, twoTargets, undone, writeOnly, self, compromised].map((variant) => ({ variant, what: {} })),
  ...[plain, undone, writeOnly].flatMap((variant) =>
    ['planned', 'delivered'].map((state) => ({ variant, what: { first: journalSays(state) } })),
  ),
  ...[plain, writeOnly].flatMap((variant) =>
    ['minted', 'delivered'].map((state) => ({ variant, what: { first: journalSays(state), moved: true } })),
  ),
]

it('the points that are not struck leave nothing else than those that are', async () => {
  const compared = await pMap(runs, ({ variant, what }) => compareEveryPoint(variant, what), {
    concurrency: sideBySide,
  })
  const sum = (count: (comparison: (typeof compared)[number]) => number) =>
    compared.reduce((total, comparison) => total + count(comparison), 0)
  printFigures('every point, compared with the next', {
    runs: runs.length,
    points: sum(({ points }) => points),
    'not distinct': sum(({ leftOut }) => leftOut.distinct),
    'not changing': sum(({ leftOut }) => leftOut.changing),
    'left out wrongly': sum(({ wrongly }) => wrongly.length),
  })
  expect(compared.flatMap(({ wrongly }) => wrongly)).toEqual([])
  expect(compared.flatMap(({ problems }) => problems)).toEqual([])
  for (const { points, leftOut } of compared) {
    expect(leftOut.distinct).toBeGreaterThan(50)
    expect(points - leftOut.changing).toBeGreaterThan(10)
  }
})
