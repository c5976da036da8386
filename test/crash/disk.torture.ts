import pMap from 'p-map'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { printFigures } from '../figures.ts'
import { failDisk, planOf, tally, type Step } from './broken-disk.ts'

// Every disk step of a real rotation fails once, and every change fails from there on; then the disk is well again.

const errors = ['ENOSPC', 'EIO', 'EROFS']
const figures = tally()

let steps: Step[]
beforeAll(async () => {
  steps = await planOf({ reads: true })
})
afterAll(() => printFigures('the disk fails in a rotation, then is well', figures.totals(steps.length)))

interface Trial {
  step: Step
  what: string
  on: boolean
}

/** Each step with an error: of steps of one kind every error strikes some, and of rare ones all do. */
function trialsOf(chosen: Step[]): Trial[] {
  return chosen.flatMap((step) => {
    const isRare = chosen.filter(({ point }) => point === step.point).length < errors.length
    const strikes = isRare ? errors : [errors[step.nth % errors.length] ?? '']
    return strikes.map((what) => ({ step, what, on: false }))
  })
}

async function runAll(trials: Trial[]): Promise<void> {
  const problems: string[] = []
  const struck = new Set<string>()
  await pMap(
    trials,
    async ({ step, what, on }) => {
      try {
        if (await failDisk(step, { what, on }, figures)) struck.add(step.point)
      } catch (error) {
        problems.push(error instanceof Error ? error.message : String(error))
      }
    },
    { concurrency: 3 },
  )
  expect(problems.join('\n\n')).toBe('')
  expect(trials.map(({ step }) => step.point).filter((point) => !struck.has(point))).toEqual([])
}

describe('a rotation on a disk that fails', () => {
  it('at one step ends well when it is well', async () => {
    await runAll(trialsOf(steps))
  })

  it('from one step on ends well when it is well', async () => {
    const changes = steps.filter(({ point }) =>
      /^before (open|writeFile|rename|link|unlink|mkdir) /.test(point),
    )
    // Of a kind that comes again and again, every other one.
    const chosen = changes.filter(({ nth }) => nth % 2 === 1)
    await runAll(chosen.map((step) => ({ step, what: errors[step.nth % 3] ?? '', on: true })))
  })

  it('with the power gone in the middle of a write ends well when it is back', async () => {
    const writes = steps.filter(({ point }) => point.startsWith('before writeFile '))
    expect(writes.length).toBeGreaterThan(15)
    await runAll(writes.map((step) => ({ step, what: 'torn', on: false })))
  })
})
