import { rm } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { rotate } from '../../src/rotation/rotate.ts'
import type { RotationOptions } from '../../src/rotation/run.ts'
import { failing, verifyOf } from './machines.ts'
import { createMortal } from './mortal.ts'
import { setStage, type Stage } from './stage.ts'

const verify = verifyOf(async () => {})

/** Runs the line once, to die at a point; says at which, or nothing when it ended before it came that far. */
async function runAndDie(
  stage: Stage,
  options: RotationOptions,
  diesAt: number,
): Promise<string | undefined> {
  const mortal = createMortal(stage, options, { diesAt })
  const survived = await Promise.race([
    mortal.death.then(() => false),
    rotate(mortal.services, stage.old.id, mortal.options).then(() => true),
  ])
  return survived ? undefined : `died at ${diesAt}, ${mortal.points[diesAt - 1]}`
}

/** Dies at every point there is, each time on a new stage, and hands over what is left; returns how often. */
async function dieEverywhere(
  overrides: Partial<RotationOptions>,
  then: (stage: Stage, options: RotationOptions, where: string) => Promise<void>,
): Promise<number> {
  for (let diesAt = 1; ; diesAt++) {
    const stage = await setStage()
    try {
      const options = stage.options(overrides)
      const where = await runAndDie(stage, options, diesAt)
      if (where === undefined) return diesAt - 1
      await then(stage, options, where)
    } finally {
      await stage.end()
    }
  }
}

/** What must hold after every end: no key but the one in use, and that one in the target. */
async function expectWhole(stage: Stage, wasUndone: boolean): Promise<void> {
  const active = stage.active()
  expect(active.map(({ name }) => name)).toEqual(['Production Server'])
  expect(await stage.held()).toBe(active[0]?.secret.reveal())
  expect(active[0]?.id === stage.old.id).toBe(wasUndone)
}

describe('a rotation that dies', () => {
  it('is finished by the same line, from the journal, wherever it died', async () => {
    const deaths = await dieEverywhere({ verify, deleteOld: true }, async (stage, options, where) => {
      const again = createMortal(stage, options)
      const { receipt, error } = await rotate(again.services, stage.old.id, again.options)
      expect(error, `${where}: ${error?.message}`).toBeUndefined()
      expect(receipt.state, where).toBe('done')
      await expectWhole(stage, false)
      expect(stage.ordinary(), where).toHaveLength(1)
    })
    expect(deaths).toBeGreaterThan(50)
  }, 120_000)

  it('is undone by the same line, wherever it died, when what it does is to fail', async () => {
    const deaths = await dieEverywhere({ verify: failing }, async (stage, options, where) => {
      const again = createMortal(stage, options)
      const { error } = await rotate(again.services, stage.old.id, again.options)
      expect(error, where).toMatchObject({ exit: 6 })
      await expectWhole(stage, true)
      expect(stage.ordinary(), where).toHaveLength(1)
    })
    expect(deaths).toBeGreaterThan(30)
  }, 120_000)

  it('is finished on another machine, from the API and the target alone', async () => {
    const deaths = await dieEverywhere({ verify }, async (stage, _options, where) => {
      await rm(path.join(stage.directory, 'state'), { recursive: true, force: true })
      const wanted = stage.active().some(({ id }) => id === stage.old.id) ? stage.old.id : 'Production Server'
      const again = createMortal(stage, stage.options({ verify, takeOver: true }))
      const { error } = await rotate(again.services, wanted, again.options)
      expect(error, `${where}: ${error?.message}`).toBeUndefined()
      await expectWhole(stage, false)
    })
    expect(deaths).toBeGreaterThan(50)
  }, 120_000)
})
