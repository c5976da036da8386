// A run that goes on where another was killed, and is killed too.
import { exitsOnAnotherMachine } from './attacks.ts'
import { durableState } from './durable-state.ts'
import type { Ran } from '../cli/program.ts'
import { journalsOf, minted, problemsAfterDeath, type Lost, type Problem } from './inspection.ts'
import { roundAt, runToItsEnd, type Outcome } from './matrix.ts'
import { changing, createPlaces, type Strike } from './points.ts'
import { openRound, type Round, type Sabotaged } from './round.ts'
import { stepThrough } from './stepping.ts'
import type { Variant } from './variants.ts'

/** Where the line is run again: on the machine it was begun on; after the first death on a second, then there again; on a third. */
export type Way = 'here' | 'a second machine' | 'a third machine'

const whoseNext = (way: Way) => (way === 'here' ? 'same' : 'another machine')

/**
 * What a first death can leave to the next run, each with the first point that leaves it; not what was there before the
 * run, and what is there when it is over. Found in one run that stands still at every point that changes something.
 */
export async function statesOf(variant: Variant, way: Way): Promise<Map<string, Strike>> {
  const states = new Map<string, Strike>()
  const placeOf = createPlaces()
  const round = await openRound(variant)
  const stateNow = () => durableState(round, whoseNext(way))
  try {
    const before = await stateNow()
    const look = async (point: string) => {
      const place = placeOf(point)
      const state = await stateNow()
      if (!states.has(state)) states.set(state, place)
    }
    const ran = await stepThrough(round, look, { only: changing })
    for (const state of [before, await stateNow()]) states.delete(state)
    if (ran.exit !== variant.exit) throw new Error(`it ended with ${ran.exit}: ${ran.stderr}`)
  } finally {
    await round.end()
  }
  return states
}

/** Killed at the first point, and run again the one way or the other; killed there, and run again until it ends. */
export async function killTwice(variant: Variant, first: Strike, second: Strike, way: Way): Promise<Outcome> {
  const sabotage = { ...second, what: 'SIGKILL' } as const
  const more = way === 'here' ? [] : ['--take-over']
  const lost: Required<Lost> = { elsewhere: [], orphaned: [] }
  const before: Ran[] = []
  let state = ''

  async function begin(round: Round): Promise<Sabotaged> {
    before.push(await round.run({ ...first, what: 'SIGKILL' }))
    state = await durableState(round, whoseNext(way))
    if (way !== 'here') await moveAway(round, lost)
    return round.run(sabotage, { more })
  }

  async function again(round: Round, ran: Sabotaged, tell: (came: string) => void): Promise<Problem[]> {
    tell(state)
    const problems = await problemsAfterDeath(round, ran, lost)
    if (way === 'a third machine') await moveAway(round, lost)
    const isKnown = (await journalsOf(round)).length > 0
    const exits = way === 'here' || isKnown ? [variant.exit] : exitsOnAnotherMachine(round)
    return [...problems, ...(await runToItsEnd(round, [...before, ran], { more, exits, ...lost }))]
  }

  const outcome = await roundAt(variant, sabotage, again, begin)
  return { ...outcome, where: `first ${JSON.stringify(first)}, then on ${way}: ${outcome.where}` }
}

async function moveAway(round: Round, lost: Required<Lost>): Promise<void> {
  lost.elsewhere = [...lost.elsewhere, ...(await journalsOf(round))]
  lost.orphaned = [...lost.orphaned, ...minted(round).map(({ id }) => id)]
  await round.moveAway()
}
