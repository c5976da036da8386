import path from 'node:path'
import { expect, it } from 'vitest'
import { rotate } from '../../src/rotation/rotate.ts'
import { KeysError } from '../../src/errors.ts'
import { createMortal } from './mortal.ts'
import { setStage } from './stage.ts'

const exits = async (run: Promise<{ error?: KeysError }>): Promise<number> => {
  try {
    return (await run).error?.exit ?? 0
  } catch (error) {
    if (error instanceof KeysError) return error.exit
    throw error
  }
}

it.each([
  ['state directories of their own', (n: number) => `state-${n}`],
  ['one state directory', () => 'state'],
])(
  'of several rotations of one key, on %s, one goes on and the others leave nothing',
  async (_what, nameOf) => {
    for (let round = 0; round < 20; round++) {
      const stage = await setStage({ plan: 'business' })
      const racers = Array.from({ length: 2 + (round % 5) }, (_, n) => {
        const stateDir = path.join(stage.directory, nameOf(n))
        const { services, options } = createMortal(stage, stage.options(), { stateDir })
        return exits(rotate(services, stage.old.id, options))
      })
      const ended = await Promise.all(racers)
      const where = `round ${round}: ${ended.join(' ')}`
      expect(
        ended.filter((exit) => exit === 0),
        where,
      ).toHaveLength(1)
      expect(new Set(ended.filter((exit) => exit !== 0)), where).toEqual(new Set([8]))
      const [successor, ...others] = stage.active()
      expect(others, where).toEqual([])
      expect(successor?.name, where).toBe('Production Server')
      expect(await stage.held(), where).toBe(successor?.secret.reveal())
      expect(stage.ordinary(), where).toHaveLength(2)
      await stage.end()
    }
  },
)
