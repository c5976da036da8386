import { expect, it } from 'vitest'
import { printFigures } from '../figures.ts'
import { faultKinds, othersDeeds } from './fault-kinds.ts'
import { chance, everyDeed, everyFault, requestsOf, runAll, type Case } from './fault-matrix.ts'
import { realProgram, shortened } from './fault-runners.ts'
import { scenarios } from './fault-runs.ts'
import { createTally } from './fault-tally.ts'

// The real program in a real process, in real time. The whole product of kinds and requests takes too long like this
// (it is in faults.torture.ts): of it every nth, counted through, so that every kind and every request has its share.

const title = 'Faults, the real program'
const kinds = shortened(faultKinds)
const seed = process.env['FAULT_SEED'] ?? '20261121'
const [plain, undone] = scenarios

const everyNth = (cases: readonly Case[], n: number) => cases.filter((_, index) => index % n === 0)

it.each([
  [plain, 3],
  [undone, 6],
] as const)('$0.name bears faults at its requests', async (scenario, nth) => {
  const requests = await requestsOf(realProgram, scenario)
  const tally = createTally()
  await runAll(realProgram, scenario, everyNth(everyFault(requests, false, kinds), nth), tally)
  const about = { scenario: `${scenario.name}, every ${nth}th of the product` }
  printFigures(title, { ...about, kinds: kinds.length, requests: requests.length, ...tally.figures() })
  expect(tally.wrong).toEqual([])
})

it('bears what somebody else does', async () => {
  const requests = await requestsOf(realProgram, plain)
  const tally = createTally()
  await runAll(realProgram, plain, everyNth(everyDeed(requests), 5), tally)
  const about = { scenario: 'others at work, every 5th', kinds: Object.keys(othersDeeds).length }
  printFigures(title, { ...about, requests: requests.length, ...tally.figures() })
  expect(tally.wrong).toEqual([])
})

it.each([plain, undone])('$name bears what chance brings', async (scenario) => {
  const tally = createTally()
  await runAll(realProgram, scenario, chance(`${seed} program, ${scenario.name}`, 40, kinds), tally)
  printFigures(title, { scenario: `${scenario.name}, by chance (seed ${seed})`, ...tally.figures() })
  expect(tally.wrong).toEqual([])
})

it('ends by itself when a fault never does', async () => {
  const requests = await requestsOf(realProgram, plain)
  const tally = createTally()
  const never = ['cut', 'stall', 'status-503', 'status-429=1s', 'html'].flatMap((kind) =>
    everyNth(everyFault(requests, true, [kind]), 9),
  )
  await runAll(realProgram, plain, never, tally)
  printFigures(title, { scenario: 'faults that never end', kinds: 5, requests: 3, ...tally.figures() })
  expect(tally.wrong).toEqual([])
})
