import { expect, it } from 'vitest'
import { chance, everyDeed, everyFault, requestsOf, runAll, type Case } from './fault-matrix.ts'
import { inProcess, realProgram, shortened } from './fault-runners.ts'
import { scenarios } from './fault-runs.ts'
import { createTally } from './fault-tally.ts'
import { faultKinds } from './fault-kinds.ts'

// A part of faults.torture.ts and program-faults.torture.ts, counted through.

const seed = '20261121'
const everyNth = (cases: readonly Case[], n: number) => cases.filter((_, index) => index % n === 0)

it.each(scenarios)('$name bears faults and others at work', async (scenario) => {
  const requests = await requestsOf(inProcess, scenario)
  const tally = createTally()
  const cases = [
    ...everyNth(everyFault(requests, false), 61),
    ...everyNth(everyFault(requests, true), 101),
    ...everyNth(everyDeed(requests), 37),
    ...chance(`quick ${seed} ${scenario.name}`, 5),
  ]
  await runAll(inProcess, scenario, cases, tally)
  expect(tally.wrong).toEqual([])
})

it('the real program bears faults', async () => {
  const kinds = shortened(faultKinds)
  const requests = await requestsOf(realProgram, scenarios[0])
  const tally = createTally()
  await runAll(realProgram, scenarios[0], everyNth(everyFault(requests, false, kinds), 97), tally)
  expect(tally.wrong).toEqual([])
})
