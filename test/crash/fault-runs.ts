import { Exit } from '../../src/errors.ts'
import type { LoggedRequest } from '../../src/sandbox/edge.ts'
import type { SandboxOptions } from '../../src/sandbox/server.ts'
import { leaveOpen, machine } from '../rotation/machines.ts'
import { setStage, type Stage } from '../rotation/stage.ts'
import { makeRoom, type Deeds } from './fault-kinds.ts'
import { createWitness, isOurs, type End, type Wrong } from './witness.ts'

/** What the line is about: how it ends when nothing goes wrong, and what there is before it. */
export interface Scenario {
  name: string
  ends: 0 | 6
  /** Another machine's rotation, left open with both keys. */
  leftOpen: boolean
}

export const scenarios: readonly [Scenario, Scenario, Scenario] = [
  { name: 'a rotation', ends: 0, leftOpen: false },
  { name: 'one that is undone', ends: 6, leftOpen: false },
  { name: 'one that another machine left', ends: 0, leftOpen: true },
]

/** What runs the line: this process, or one of its own. */
export interface Runner {
  sandbox: SandboxOptions & { propagationMs: number }
  settleMs: number
  start(stage: Stage, scenario: Scenario): Promise<Program>
}

export interface Program {
  stateDir: string
  /** Runs the line to its end; where nothing is in its way, it is as patient as it is by itself. */
  run(isClear: boolean): Promise<End>
  /** What is wrong besides, as soon as nothing runs any more. */
  end(deeds: Deeds): Promise<Wrong[]>
}

/** What happens when a request of ours has come in, the nth of the first run of the line (from 1). */
export type Trouble = (n: number, stage: Stage, deeds: Deeds) => void

/** What came of a line and of running it again. */
export interface Outcome {
  ends: End[]
  /** Our requests of the first run. */
  requests: LoggedRequest[]
  wrong: readonly Wrong[]
  /** Milliseconds, by the clock of the stage, that the longest run took. */
  longestMs: number
}

const mostRuns = 3
/** Longer than any claim on a dead run's successor lasts: who meets one is told until when. */
const claimEndsMs = 10 * 60_000

/** Runs the line with trouble, if any, then without, until it ends as it should or was run three times. */
export async function runInTrouble(runner: Runner, scenario: Scenario, trouble?: Trouble): Promise<Outcome> {
  let onRequest: (request: LoggedRequest) => void = () => {}
  const stage = await setStage({ ...runner.sandbox, onRequest: (request) => onRequest(request) })
  try {
    if (scenario.leftOpen) {
      await leaveOpen(stage, machine(stage, 'other'), { settleMs: runner.settleMs })
      await stage.clock.sleep(1_000)
    }
    const program = await runner.start(stage, scenario)
    const witness = createWitness(stage, program.stateDir, runner.sandbox.propagationMs)
    const requests: LoggedRequest[] = []
    const ends: End[] = []
    onRequest = (request) => {
      if (!isOurs(request)) return
      witness.look(request)
      if (ends.length > 0) return
      requests.push(request)
      trouble?.(requests.length, stage, witness.deeds)
    }
    let longestMs = 0
    while (ends.length < mostRuns && ends.at(-1)?.exit !== scenario.ends) {
      const began = stage.clock.now()
      const end = await program.run(ends.length > 0 || trouble === undefined)
      longestMs = Math.max(longestMs, stage.clock.now() - began)
      ends.push(end)
      stage.sandbox.clearFaults()
      witness.judge(end, ends.length > 1)
      makeRoom(stage, witness.deeds)
      if (end.exit === Exit.locked) await stage.clock.sleep(claimEndsMs)
    }
    const last = ends.at(-1)?.exit
    if ((last === Exit.done || last === Exit.undone || last === Exit.locked) && last !== scenario.ends) {
      witness.wrong.push({ what: 'no way on', where: `it ended with ${last} to the last` })
    }
    return { ends, requests, wrong: [...witness.wrong, ...(await program.end(witness.deeds))], longestMs }
  } finally {
    await stage.end()
  }
}
