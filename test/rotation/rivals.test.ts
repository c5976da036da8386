import { rm } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { KeysError } from '../../src/errors.ts'
import { parseMark } from '../../src/rotation/marked-name.ts'
import { rotate } from '../../src/rotation/rotate.ts'
import type { RotationOptions, RotationServices } from '../../src/rotation/run.ts'
import type { Journal } from '../../src/rotation/state.ts'
import { createMortal } from './mortal.ts'
import { leaveOpen, machine } from './machines.ts'
import { setStage, type Stage } from './stage.ts'

let stage: Stage
beforeEach(async () => {
  stage = await setStage({ plan: 'business' })
})
afterEach(() => stage.end())

const exitOf = async (run: Promise<{ error?: KeysError | undefined }>): Promise<number> => {
  try {
    return (await run).error?.exit ?? 0
  } catch (error) {
    if (error instanceof KeysError) return error.exit
    throw error
  }
}

async function expectOneSuccessor(): Promise<void> {
  const active = stage.active()
  expect(active.map(({ name }) => name)).toEqual(['Production Server'])
  expect(active[0]?.id).not.toBe(stage.old.id)
  expect(await stage.held()).toBe(active[0]?.secret.reveal())
  expect(stage.ordinary()).toHaveLength(2)
}

/** The same services, whose journal is written when something else is done. */
function savingAfter(
  services: RotationServices,
  first: (journal: Journal) => Promise<void>,
): RotationServices {
  const { journals } = services
  const save = async (journal: Journal) => {
    await first(journal)
    await journals.save(journal)
  }
  return { ...services, journals: { ...journals, save } }
}

/** Both have planned, and neither has seen the other, when the first of their mints leaves. Returns how they ended. */
async function mintTogether(options: RotationOptions, onMinted: (id: string) => void = () => {}) {
  let planned = 0
  let go = () => {}
  const both = new Promise<void>((resolve) => (go = resolve))
  const racer = (name: string) => {
    const services = machine(stage, name, {
      report: (event) => {
        if (event.event === 'state' && event.state === 'minted') onMinted(event.newKey ?? '')
      },
    })
    const patient = savingAfter(services, async (journal) => {
      if (journal.state !== 'planned' || journal.intent === undefined) return
      if (++planned === 2) go()
      await both
    })
    return exitOf(rotate(patient, stage.old.id, options))
  }
  return (await Promise.all([racer('one'), racer('two')])).sort()
}

describe('of two rotations of one key', () => {
  it('that were minted in the same millisecond, one goes on', async () => {
    const { clock } = stage
    const now = clock.now.bind(clock)
    const stopped = now()
    clock.now = () => stopped
    const createdAt: (number | undefined)[] = []
    const exits = await mintTogether(stage.options(), (id) => {
      createdAt.push(stage.key(id)?.createdAt)
      if (createdAt.length === 2) clock.now = now
    })
    expect(createdAt).toEqual([stopped, stopped])
    expect(exits).toEqual([0, 8])
    await expectOneSuccessor()
  })

  it('that do not see each other for as long as a list lags, one goes on', async () => {
    stage.sandbox.addFault('lag-list=20s')
    const exits = await mintTogether(stage.options({ settleMs: 30_000 }))
    expect(exits).toEqual([0, 8])
    await expectOneSuccessor()
  })

  it('the one that finds the other’s secret delivered, and not in a list that lags, leaves it alone', async () => {
    const other = machine(stage, 'one')
    await leaveOpen(stage, other)
    stage.sandbox.addFault('lag-list=30s')
    const late = () => exitOf(rotate(machine(stage, 'two'), stage.old.id, stage.options()))
    expect(await late()).toBe(8)
    expect(stage.active()).toHaveLength(2)
    await stage.clock.sleep(30_000)
    expect(await late()).toBe(0)
    await expectOneSuccessor()
  })

  it('of which the winner dies right after the loser has ended, the loser’s line finishes it', async () => {
    const options = stage.options()
    const winner = createMortal(stage, options, {
      diesAt: { point: 'before saving accepted' },
      stateDir: path.join(stage.directory, 'winner'),
    })
    await Promise.race([winner.death, rotate(winner.services, stage.old.id, winner.options)])
    expect(await exitOf(rotate(machine(stage, 'loser'), stage.old.id, options))).toBe(8)
    const marked = stage.ordinary().flatMap(({ name }) => parseMark(name) ?? [])
    expect(marked).toHaveLength(1)
    // Nobody has the winner's disk any more; its lease runs out.
    await rm(path.join(stage.directory, 'winner'), { recursive: true })
    await stage.clock.sleep((marked[0]?.leaseUntil ?? 0) - stage.clock.now() + 1_000)
    expect(await exitOf(rotate(machine(stage, 'loser'), stage.old.id, options))).toBe(0)
    await expectOneSuccessor()
  })

  it('the one that undoes itself and dies at it is undone to the end by its own line', async () => {
    for (const point of [
      'after saving aborting',
      'before POST /api-keys/:id/revoke',
      'before DELETE /api-keys/:id',
    ]) {
      const round = await setStage({ plan: 'business' })
      try {
        const options = round.options()
        // It has planned when the other one mints, and finds out about it when it has minted itself.
        const loser = createMortal(round, options, {
          diesAt: { point },
          stateDir: path.join(round.directory, 'loser'),
        })
        const earlier = createMortal(round, options, {
          diesAt: { point: 'after POST /api-keys' },
          stateDir: path.join(round.directory, 'earlier'),
        })
        let began = false
        const services = savingAfter(loser.services, async (journal) => {
          if (began || journal.intent === undefined) return
          began = true
          await Promise.race([earlier.death, rotate(earlier.services, round.old.id, earlier.options)])
        })
        await Promise.race([loser.death, rotate(services, round.old.id, loser.options)])
        expect(loser.points.at(-1), point).toBe(point)
        const again = createMortal(round, options, { stateDir: path.join(round.directory, 'loser') })
        expect(await exitOf(rotate(again.services, round.old.id, again.options)), point).toBe(8)
        const left = round.ordinary().filter(({ name }) => parseMark(name) !== undefined)
        expect(left, `${point}: only the earlier one is left`).toHaveLength(1)
        expect(await round.held()).toBe(round.old.secret.reveal())
      } finally {
        await round.end()
      }
    }
  })
})
