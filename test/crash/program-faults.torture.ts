import { expect, it } from 'vitest'
import { printFigures } from '../figures.ts'
import { faultKinds, othersDeeds } from './fault-kinds.ts'
import { chance, everyDeed, everyFault, oneIn, requestsOf, runAll } from './fault-matrix.ts'
import { realProgram, shortened } from './fault-runners.ts'
import { scenarios } from './fault-runs.ts'
import { createTally } from './fault-tally.ts'

// The real program in a real process, in real time. The whole product of kinds and requests takes too long like this
// (it is in faults.torture.ts): of it one in a few, drawn, always the same.

const title = 'Faults, the real program'
const kinds = shortened(faultKinds)
const seed = process.env['FAULT_SEED'] ?? '20261121'
const [plain, undone] = scenarios

it.each([
  [plain, 3],
  [undone, 6],
] as const)('$0.name bears faults at its requests', async (scenario, nth) => {
  const requests = await requestsOf(realProgram, scenario)
  const tally = createTally()
  await runAll(realProgram, scenario, oneIn(nth, everyFault(requests, false, kinds)), tally)
  const about = { scenario: `${scenario.name}, one in ${nth} of the product` }
  printFigures(title, { ...about, kinds: kinds.length, requests: requests.length, ...tally.figures() })
  expect(tally.wrong).toEqual([])
})

it('bears what somebody else does', async () => {
  const requests = await requestsOf(realProgram, plain)
  const tally = createTally()
  await runAll(realProgram, plain, oneIn(5, everyDeed(requests)), tally)
  const about = {
    scenario: 'others at work, one in 5 of the product',
    kinds: Object.keys(othersDeeds).length,
  }
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
    oneIn(9, everyFault(requests, true, [kind])),
  )
  await runAll(realProgram, plain, never, tally)
  printFigures(title, { scenario: 'faults that never end', kinds: 5, ...tally.figures() })
  expect(tally.wrong).toEqual([])
})
