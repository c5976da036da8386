import { availableParallelism } from 'node:os'
import pMap from 'p-map'
import { printFigures, type Figures } from '../figures.ts'
import type { Ran } from '../cli/program.ts'
import { other, problemsAtEnd, type Lost, type Problem } from './inspection.ts'
import { openRound, type Round, type Sabotage, type Sabotaged } from './round.ts'
import type { Variant } from './variants.ts'

/** What happened at one point. */
export interface Outcome {
  /** The point as it is told in a report. */
  where: string
  at: number
  /** Whether the run came as far as the point, and was struck there. */
  struck: boolean
  problems: readonly Problem[]
  /** How often the application was answered. */
  calls: number
  /** What the work has to say of it. */
  came?: string | undefined
}

/** How often a line is run again before it is given up. */
const patience = 4
/** They mostly wait. */
export const sideBySide = availableParallelism() * 3
/** So many runs in a row end by themselves: there are no more points. How many there are varies with how often a run looks. */
const survivorsAtTheEnd = 3

/** Does the work at every `step`th point from `first` on, side by side, until the runs end by themselves, or to `last`. */
export async function everywhere(
  work: (at: number) => Promise<Outcome>,
  {
    first = 1,
    step = 1,
    last = Infinity,
    concurrency = sideBySide,
  }: { first?: number; step?: number; last?: number; concurrency?: number } = {},
): Promise<Outcome[]> {
  const needed = concurrency === 1 ? 1 : survivorsAtTheEnd
  let survivors = 0
  function* points() {
    for (let at = first; at <= last && survivors < needed; at += step) yield at
  }
  const outcomes = await pMap(
    points(),
    async (at) => {
      const outcome = await work(at)
      survivors = outcome.struck ? 0 : survivors + 1
      return outcome
    },
    { concurrency },
  )
  return outcomes.filter(({ struck }) => struck)
}

/** Opens a round, does the work in it, and tells what was wrong with it by the point it was struck at. */
export async function roundAt(
  variant: Variant,
  sabotage: Sabotage,
  then: (round: Round, ran: Sabotaged, tell: (came: string) => void) => Promise<Problem[]>,
  run: (round: Round) => Promise<Sabotaged> = (round) => round.run(sabotage),
): Promise<Outcome> {
  const round = await openRound(variant)
  let came: string | undefined
  try {
    const ran = await run(round)
    const where = `${sabotage.what} ${variant.name} ${sabotage.at}, ${ran.points.at(-1)}`
    const problems = ran.struck ? await then(round, ran, (text) => (came = text)) : []
    // none refused of none made would prove nothing
    if (ran.struck && round.application.calls() === 0) problems.push(other('the application made no request'))
    return { came, where, at: sabotage.at, struck: ran.struck, problems, calls: round.application.calls() }
  } finally {
    await round.end()
  }
}

/** Runs the line until it ends as it should, at the first time; then looks at everything. */
export async function runToItsEnd(
  round: Round,
  before: readonly Ran[],
  {
    more = [],
    exits = [round.variant.exit],
    ...lost
  }: { more?: readonly string[]; exits?: readonly number[] } & Lost = {},
): Promise<Problem[]> {
  const problems: Problem[] = []
  const runs = [...before]
  for (let attempt = 1; attempt <= patience; attempt++) {
    const ran = await round.run(undefined, { more })
    runs.push(ran)
    if (ran.exit !== null && exits.includes(ran.exit)) break
    problems.push(other(`run again, it ended with ${ran.exit ?? ran.signal}: ${lastLine(ran)}`))
  }
  return [...problems, ...(await problemsAtEnd(round, runs, lost))]
}

export const lastLine = ({ stderr }: Ran) => stderr.trimEnd().split('\n').at(-1)?.slice(0, 400)

/** What was wrong, a line each. */
export function wrong(outcomes: readonly Outcome[]): string[] {
  return outcomes.flatMap(({ where, problems }) =>
    problems.map(({ kind, what }) => `${where}: ${kind}: ${what}`),
  )
}

/** Prints what a matrix counted. */
export function printMatrix(
  title: string,
  variant: string,
  outcomes: readonly Outcome[],
  more: Figures = {},
): void {
  const count = (kind: Problem['kind']) =>
    outcomes.flatMap(({ problems }) => problems).filter((problem) => problem.kind === kind).length
  printFigures(title, {
    variant,
    points: Math.max(0, ...outcomes.map(({ at }) => at)),
    kills: outcomes.length,
    'lost secrets': count('lost secrets'),
    orphans: count('orphans'),
    'refused requests': count('refused requests'),
    'of requests': outcomes.reduce((sum, { calls }) => sum + calls, 0),
    'secrets in clear': count('secrets in clear'),
    'left over': count('left over'),
    ...more,
  })
}
