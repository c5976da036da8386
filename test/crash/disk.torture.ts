import pMap from 'p-map'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { printFigures } from '../figures.ts'
import { failDisk, planOf, tally, type Sabotage, type Step } from './broken-disk.ts'

// Every disk step of a real rotation fails once, and every change fails from there on; then the disk is well again.

const errors = ['ENOSPC', 'EIO', 'EROFS']
const figures = tally()

let steps: Step[]
beforeAll(async () => {
  steps = await planOf({ reads: true })
})
afterAll(() => printFigures('the disk fails in a rotation, then is well', figures.totals(steps.length)))

/** Each step with an error: of steps of one kind every error strikes some, and of rare ones all do. */
function trialsOf(chosen: Step[], on: boolean): Sabotage[] {
  return chosen.flatMap(({ at, point, turn }) => {
    const isRare = chosen.filter((step) => step.point === point).length < errors.length
    const strikes = isRare ? errors : [errors[turn % errors.length] ?? '']
    return strikes.map((what) => ({ at, what, on, reads: true }))
  })
}

async function runAll(trials: Sabotage[]): Promise<void> {
  const problems: string[] = []
  const struck = await pMap(
    trials,
    (trial) =>
      failDisk(trial, figures).catch((error: unknown) => {
        problems.push(error instanceof Error ? error.message : String(error))
        return undefined
      }),
    { concurrency: 3 },
  )
  expect(problems.join('\n\n')).toBe('')
  // A run may take its steps at other places than the plain one did; what counts is that every kind was struck.
  const kinds = new Set(struck)
  const missed = trials.map(({ at }) => steps.find((step) => step.at === at)?.point)
  expect(missed.filter((point) => !kinds.has(point))).toEqual([])
}

describe('a rotation on a disk that fails', () => {
  it('at one step ends well when it is well', async () => {
    await runAll(trialsOf(steps, false))
  })

  it('from one step on ends well when it is well', async () => {
    const changes = steps.filter(({ point }) =>
      /^before (open|writeFile|fsync|rename|link|unlink|mkdir) /.test(point),
    )
    await runAll(changes.map(({ at, turn }) => ({ at, what: errors[turn % 3] ?? '', on: true, reads: true })))
  })
})
