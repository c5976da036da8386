import { expect, it } from 'vitest'
import { printFigures } from '../figures.ts'
import { faultKinds, othersDeeds } from './fault-kinds.ts'
import {
  chance,
  everyDeed,
  everyFault,
  everyLoss,
  oneIn,
  requestsOf,
  runAll,
  type Case,
} from './fault-matrix.ts'
import { inProcess, patient } from './fault-runners.ts'
import { scenarios, type Outcome } from './fault-runs.ts'
import { createTally, hasty } from './fault-tally.ts'

// The whole product of what goes wrong and when, in this process and on a virtual clock, over real sockets. What of it
// the real program is put through is in program-faults.torture.ts.

const title = 'Faults, in one process on a virtual clock'
/** No run may take longer, by the virtual clock, than the longest of its waits many times over. */
const boundMs = 20 * 60_000
const seed = process.env['FAULT_SEED'] ?? '20261121'

it.each(scenarios)('$name bears every fault at every request', async (scenario) => {
  const requests = await requestsOf(inProcess, scenario)
  const tally = createTally()
  const late: string[] = []
  const hammered: string[] = []
  let refusals = 0
  // One that lasts from there to the end of the run takes longest: half of them, of the other scenarios a third.
  const lasting = oneIn(scenario === scenarios[0] ? 2 : 3, everyFault(requests, true))
  const cases = [...everyFault(requests, false), ...lasting]
  const isWaitAsked = ({ name }: Case) => name.startsWith('status-429=2s')
  const inspect = (name: string, { longestMs }: Outcome) => {
    if (longestMs > boundMs) late.push(`${name} took ${longestMs} ms`)
  }
  const others = cases.filter((each) => !isWaitAsked(each))
  await runAll(inProcess, scenario, others, tally, inspect)
  // whether a wait that was asked for is kept shows only in a client that has heard of it
  await runAll(patient, scenario, cases.filter(isWaitAsked), tally, (name, outcome) => {
    inspect(name, outcome)
    refusals += outcome.requests.filter(({ status }) => status === 429).length
    hammered.push(...hasty(outcome.requests, 2_000).map((early) => `${name}: ${early}`))
  })
  const about = { scenario: scenario.name, kinds: faultKinds.length, requests: requests.length }
  printFigures(title, {
    ...about,
    'of it lasting': lasting.length,
    ...tally.figures(),
    'of 429': refusals,
    'hasty after 429': hammered.length,
  })
  expect(refusals).toBeGreaterThan(requests.length)
  expect(tally.wrong).toEqual([])
  expect(late).toEqual([])
  expect(hammered).toEqual([])
})

it.each(scenarios)('$name bears lost answers in an API that is odd all the while', async (scenario) => {
  const requests = await requestsOf(inProcess, scenario)
  const tally = createTally()
  await runAll(inProcess, scenario, oneIn(2, everyLoss(requests)), tally)
  printFigures(title, {
    scenario: `${scenario.name}, answers lost`,
    requests: requests.length,
    ...tally.figures(),
  })
  expect(tally.wrong).toEqual([])
})

it.each(scenarios)('$name bears everything that somebody else may do, at every request', async (scenario) => {
  const requests = await requestsOf(inProcess, scenario)
  const tally = createTally()
  await runAll(inProcess, scenario, everyDeed(requests), tally)
  const kinds = Object.keys(othersDeeds).length
  printFigures(title, {
    scenario: `${scenario.name}, others at work`,
    kinds,
    requests: requests.length,
    ...tally.figures(),
  })
  expect(tally.wrong).toEqual([])
})

it.each(scenarios)('$name bears what chance brings', async (scenario) => {
  const tally = createTally()
  await runAll(inProcess, scenario, chance(`${seed} ${scenario.name}`, 150), tally)
  printFigures(title, { scenario: `${scenario.name}, by chance (seed ${seed})`, ...tally.figures() })
  expect(tally.wrong).toEqual([])
})
