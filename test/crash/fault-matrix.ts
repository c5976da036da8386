import pMap from 'p-map'
import { createRandom } from '../../src/sandbox/random.ts'
import { backgrounds, canStrike, faultKinds, losses, othersDeeds } from './fault-kinds.ts'
import { runInTrouble, type Outcome, type Runner, type Scenario, type Trouble } from './fault-runs.ts'
import type { Tally } from './fault-tally.ts'

/** One run of the line: its name, and what happens in it. */
export interface Case {
  name: string
  trouble: Trouble
}

/** Runs the line without trouble: what it asks for, in order, is what trouble can strike. */
export async function requestsOf(
  runner: Runner,
  scenario: Scenario,
): Promise<{ method: string; path: string }[]> {
  const { requests, ends, wrong } = await runInTrouble(runner, scenario)
  if (ends.length !== 1 || wrong.length > 0) {
    throw new Error(`${scenario.name} does not go well by itself: ${JSON.stringify({ ends, wrong })}`)
  }
  return requests.map(({ method, path }) => ({ method, path }))
}

/** Every kind of fault at every request that it can strike: at that one alone, or from there to the end of the run. */
export function everyFault(
  requests: readonly { method: string; path: string }[],
  lasting: boolean,
  kinds: readonly string[] = faultKinds,
): Case[] {
  return kinds.flatMap((kind) =>
    requests.flatMap(({ method, path }, index) => {
      if (!canStrike(kind, method, path)) return []
      const at = index + 1
      const trouble: Trouble = (n, { sandbox }) => {
        if (n === at || (lasting && n > at)) sandbox.addFault(`${kind}@1`)
      }
      return [{ name: `${kind} at ${at}${lasting ? ' and later' : ''}, ${method} ${path}`, trouble }]
    }),
  )
}

/** One in n of the cases, drawn, always the same: counted through, some requests would never have their turn. */
export function oneIn(n: number, cases: readonly Case[]): Case[] {
  const random = createRandom(`one in ${n}`)
  return cases.filter(() => random.fraction() < 1 / n)
}

/** Answers lost at every request, in an API that is odd all the while. */
export function everyLoss(requests: readonly unknown[]): Case[] {
  return backgrounds.flatMap((background) =>
    losses.flatMap((loss) =>
      requests.map((_, index) => ({
        name: `${loss} at ${index + 1}, with ${background} all the while`,
        trouble: (n, { sandbox }) => {
          if (n === 1) sandbox.addFault(background)
          if (n === index + 1) sandbox.addFault(`${loss}@1`)
        },
      })),
    ),
  )
}

/** Everything that somebody else may do, right before every request. */
export function everyDeed(requests: readonly unknown[]): Case[] {
  return Object.entries(othersDeeds).flatMap(([name, deed]) =>
    requests.map((_, index) => ({
      name: `somebody else ${name} before ${index + 1}`,
      trouble: (n, stage, deeds) => {
        if (n === index + 1) deed(stage, deeds)
      },
    })),
  )
}

/** Several kinds at once, each as likely as it happens to be; sometimes somebody else is at work as well. */
export function chance(seed: string, count: number, kinds: readonly string[] = faultKinds): Case[] {
  return Array.from({ length: count }, (_, number) => {
    const random = createRandom(`${seed} ${number}`)
    const armed = Array.from({ length: 1 + Math.floor(random.fraction() * 4) }, () => ({
      kind: random.pick(kinds),
      likelihood: random.pick([0.02, 0.05, 0.1, 0.2, 0.5]),
    }))
    const deed = random.fraction() < 0.25 ? random.pick(Object.keys(othersDeeds)) : undefined
    const deedAt = 1 + Math.floor(random.fraction() * 30)
    const words = armed.map(({ kind, likelihood }) => `${kind}@${likelihood * 100}%`)
    const name = [`${seed} ${number}: ${words.join(', ')}`, deed && `somebody else ${deed} before ${deedAt}`]
    return {
      name: name.filter(Boolean).join('; '),
      trouble: (n, stage, deeds) => {
        for (const { kind, likelihood } of armed) {
          if (random.fraction() < likelihood) stage.sandbox.addFault(`${kind}@1`)
        }
        if (deed !== undefined && n === deedAt) othersDeeds[deed]?.(stage, deeds)
      },
    }
  })
}

/** Runs all of them, several side by side, counts, and looks at each one more closely where that is asked for. */
export async function runAll(
  runner: Runner,
  scenario: Scenario,
  cases: readonly Case[],
  tally: Tally,
  inspect: (name: string, outcome: Outcome) => void = () => {},
): Promise<void> {
  await pMap(
    cases,
    async ({ name, trouble }) => {
      const outcome = await runInTrouble(runner, scenario, trouble).catch((cause: unknown) => {
        throw new Error(`${scenario.name}, ${name}`, { cause })
      })
      tally.add(`${scenario.name}, ${name}`, outcome)
      inspect(name, outcome)
    },
    // They mostly wait: for the disk, for each other, for time to pass.
    { concurrency: 8 },
  )
}
