import path from 'node:path'
import { fc } from '../property.ts'
import { settings, withoutPeople, withPeople } from './model-arbitraries.ts'
import { count, type Command, type Model, type Real } from './model.ts'
import { settle } from './settlement.ts'
import { createWorld, type Setting } from './world.ts'

let worlds = 0

/** Runs the model so many times and says what was counted; fails with the shortest counterexample. */
export async function runModel(
  folder: string,
  mode: 'alone' | 'with people',
  numRuns: number,
): Promise<Record<string, number>> {
  const figures: Record<string, number> = {}
  const commands = fc.commands(mode === 'alone' ? withoutPeople : withPeople, {
    maxCommands: 14,
    size: 'max',
  })
  await fc.assert(
    fc.asyncProperty(settings, fc.nat(2), commands, async (setting, first, list) => {
      const real = realOf(setting, folder, figures)
      await fc.asyncModelRun(() => ({ model: { running: 0 }, real }), list)
      await settle(real, first)
      count(real, 'keys minted', real.world.watch.minted.size)
    }),
    {
      numRuns,
      timeout: 60_000,
      endOnFailure: false,
      interruptAfterTimeLimit: Number(process.env['MODEL_LIMIT'] ?? 600_000),
    },
  )
  return figures
}

/** Runs one list of commands, as a counterexample gives it. */
export async function replay(
  folder: string,
  setting: Setting,
  first: number,
  list: readonly Command[],
): Promise<Real> {
  const real = realOf(setting, folder, {})
  const model: Model = { running: 0 }
  for (const command of list) await command.run(model, real)
  await settle(real, first)
  return real
}

function realOf(setting: Setting, folder: string, figures: Record<string, number>): Real {
  const real = {
    world: createWorld(setting, path.join(folder, String(worlds++))),
    processes: [],
    figures,
  }
  count(real, 'runs')
  return real
}
