import { expect, it } from 'vitest'
import { chance, everyDeed, everyFault, oneIn, requestsOf, runAll } from './fault-matrix.ts'
import { inProcess, realProgram, shortened } from './fault-runners.ts'
import { scenarios } from './fault-runs.ts'
import { createTally } from './fault-tally.ts'
import { faultKinds } from './fault-kinds.ts'

// A part of faults.torture.ts and program-faults.torture.ts, drawn, always the same.

const seed = '20261121'

it.each(scenarios)('$name bears faults and others at work', async (scenario) => {
  const requests = await requestsOf(inProcess, scenario)
  const tally = createTally()
  const cases = [
    ...oneIn(61, everyFault(requests, false)),
    ...oneIn(101, everyFault(requests, true)),
    ...oneIn(37, everyDeed(requests)),
    ...chance(`quick ${seed} ${scenario.name}`, 5),
  ]
  await runAll(inProcess, scenario, cases, tally)
  expect(tally.wrong).toEqual([])
})

it('the real program bears faults', async () => {
  const kinds = shortened(faultKinds)
  const requests = await requestsOf(realProgram, scenarios[0])
  const tally = createTally()
  await runAll(realProgram, scenarios[0], oneIn(97, everyFault(requests, false, kinds)), tally)
  expect(tally.wrong).toEqual([])
})
