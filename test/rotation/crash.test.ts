import { rm } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { rotate } from '../../src/rotation/rotate.ts'
import type { RotationOptions } from '../../src/rotation/run.ts'
import type { Secret } from '../../src/secret.ts'
import type { Restart } from '../../src/targets/restart.ts'
import { failing, verifyOf } from './machines.ts'
import { createMortal } from './mortal.ts'
import { createShelf, type Shelf } from './shelf.ts'
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
  overrides: Partial<RotationOptions> | ((stage: Stage) => Partial<RotationOptions>),
  then: (stage: Stage, options: RotationOptions, where: string) => Promise<void>,
): Promise<number> {
  for (let diesAt = 1; ; diesAt++) {
    const stage = await setStage()
    try {
      const options = stage.options(typeof overrides === 'function' ? overrides(stage) : overrides)
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

  /** A target with a place beside the value in use, and something that finds its key when it is started anew. */
  function staged(stage: Stage): {
    shelf: Shelf
    loaded: () => Secret | undefined
    overrides: Partial<RotationOptions>
  } {
    const shelf = createShelf(stage.old.secret)
    let loaded: Secret | undefined = stage.old.secret
    const restart: Restart = {
      name: 'deployment/web',
      timeoutMs: 1_000,
      check: async () => {},
      run: async () => void (loaded = shelf.current()),
    }
    return { shelf, loaded: () => loaded, overrides: { targets: [shelf.target], restarts: [restart] } }
  }

  it.each([
    ['finished', undefined],
    ['undone', failing],
  ])(
    'with a target that is staged and a restart it is %s by the same line, wherever it died',
    async (_way, command) => {
      let play = {} as ReturnType<typeof staged>
      const overrides = (stage: Stage) => {
        play = staged(stage)
        return { ...play.overrides, verify: command }
      }
      const deaths = await dieEverywhere(overrides, async (stage, options, where) => {
        const again = createMortal(stage, options)
        const { error } = await rotate(again.services, stage.old.id, again.options)
        if (command === undefined) expect(error, `${where}: ${error?.message}`).toBeUndefined()
        else expect(error, where).toMatchObject({ exit: 6 })
        const [key, ...others] = stage.active()
        expect(others, where).toEqual([])
        expect(key?.id === stage.old.id, where).toBe(command !== undefined)
        expect(play.shelf.current()?.reveal(), where).toBe(key?.secret.reveal())
        expect(play.loaded()?.reveal(), where).toBe(key?.secret.reveal())
        expect(play.shelf.pending(), where).toBeUndefined()
      })
      expect(deaths).toBeGreaterThan(30)
    },
    120_000,
  )

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
