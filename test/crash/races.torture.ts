import pMap from 'p-map'
import { expect, it } from 'vitest'
import { printFigures } from '../figures.ts'
import { runRound, type RoundOptions } from './race-rounds.ts'
import { wrongs } from './witness.ts'

const seed = process.env['RACE_SEED'] ?? '20261121'

interface Races extends Pick<RoundOptions, 'shared' | 'real' | 'faults'> {
  name: string
  rounds: number
  /** 2 up to this many. */
  most: number
  sideBySide: number
}

const own = { shared: false }
const shared = { shared: true }

it.each<Races>([
  { name: 'processes, own state directories', ...own, real: true, rounds: 120, most: 4, sideBySide: 3 },
  { name: 'processes, own state directories, many', ...own, real: true, rounds: 10, most: 8, sideBySide: 1 },
  { name: 'processes, one state directory', ...shared, real: true, rounds: 40, most: 4, sideBySide: 3 },
  { name: 'machines, own state directories', ...own, real: false, rounds: 300, most: 8, sideBySide: 4 },
  { name: 'machines, one state directory', ...shared, real: false, rounds: 60, most: 8, sideBySide: 4 },
  {
    name: 'machines, in an account whose list lags',
    ...own,
    real: false,
    faults: ['lag-list=200ms'],
    rounds: 100,
    most: 6,
    sideBySide: 4,
  },
])('of racing $name, one goes on and the others leave nothing', async (races) => {
  const wrong: string[] = []
  const counts = { racers: 0, won: 0, 'ended with 8': 0, late: 0, 'calls of the application': 0 }
  const kinds = new Map<string, number>()
  await pMap(
    Array.from({ length: races.rounds }, (_, number) => number),
    async (number) => {
      const racers = races.most === 8 && races.real ? 8 : 2 + (number % (races.most - 1))
      const { shared, real, faults = [] } = races
      const name = `${seed} ${races.name}`
      const round = await runRound({ name, number, racers, shared, real, faults })
      counts.racers += racers
      counts.won += round.ends.filter(({ exit }) => exit === 0).length
      counts['ended with 8'] += round.ends.filter(({ exit }) => exit === 8).length
      counts.late += round.late
      counts['calls of the application'] += round.calls
      const exits = round.ends.map(({ exit }) => exit).join(' ')
      for (const { what, where } of round.wrong) {
        kinds.set(what, (kinds.get(what) ?? 0) + 1)
        wrong.push(`round ${number} (${exits}): ${what}, ${where}`)
      }
    },
    { concurrency: races.sideBySide },
  )
  const counted = Object.fromEntries(wrongs.map((what) => [what, kinds.get(what) ?? 0]))
  printFigures('Races', { of: races.name, rounds: races.rounds, seed, ...counts, ...counted })
  expect(wrong).toEqual([])
})
