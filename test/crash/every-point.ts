// Whether the rules on which points are struck leave out a point that leaves something of its own: looked up by what is
// there at every single point of a run that stands still at each.
import { problemsAtEnd, type Problem } from './inspection.ts'
import { changing, distinct, type Strike } from './points.ts'
import { openRound } from './round.ts'
import { stepThrough, whatIsThere } from './stepping.ts'
import type { Variant } from './variants.ts'

/** What was there when a point was come to. */
interface Stop {
  point: string
  there: Map<string, string>
}

export interface Comparison {
  points: number
  /** How many of the points each rule leaves out. */
  leftOut: { distinct: number; changing: number }
  /** Those of them that leave something else than the next one kept on either side. */
  wrongly: string[]
  problems: Problem[]
}

/** Compares all points of the line; of a run of it that goes on where another was killed, where `first` says so. */
export async function compareEveryPoint(
  variant: Variant,
  { first, moved = false }: { first?: Strike; moved?: boolean } = {},
): Promise<Comparison> {
  const round = await openRound(variant)
  try {
    if (first !== undefined) await round.run({ ...first, what: 'SIGKILL' })
    if (moved) await round.moveAway()
    const stops: Stop[] = [{ point: 'before it all', there: whatIsThere(round) }]
    const look = (point: string) => void stops.push({ point, there: whatIsThere(round) })
    const ran = await stepThrough(round, look, { more: moved ? ['--take-over'] : [] })
    stops.push({ point: 'after it all', there: whatIsThere(round) })
    const isLeftOut = (rule: string) => stops.filter(({ point }) => !new RegExp(rule).test(point)).length - 2
    return {
      points: stops.length - 2,
      leftOut: { distinct: isLeftOut(distinct), changing: isLeftOut(changing) },
      wrongly: [
        ...wronglyLeftOut(stops, distinct, () => true),
        ...wronglyLeftOut(stops, changing, (name) => !isBeingWritten.test(name)),
      ],
      problems: await problemsAtEnd(round, [ran]),
    }
  } finally {
    await round.end()
  }
}

/** Under a name of its own until it is whole. */
const isBeingWritten = /\.(tmp|new)$/

function wronglyLeftOut(
  stops: readonly Stop[],
  rule: string,
  isLookedAt: (name: string) => boolean,
): string[] {
  const isKept = (index: number) =>
    index === 0 || index === stops.length - 1 || new RegExp(rule).test(stops[index]?.point ?? '')
  const told = stops.map(({ there }) =>
    JSON.stringify([...there].filter(([name]) => isLookedAt(name)).sort()),
  )
  return stops.flatMap(({ point }, index) => {
    if (isKept(index)) return []
    let [before, after] = [index - 1, index + 1]
    while (!isKept(before)) before -= 1
    while (!isKept(after)) after += 1
    if ([told[before], told[after]].includes(told[index])) return []
    return [`${point}, after ${stops[before]?.point}: ${differences(stops[before], stops[index]).join(', ')}`]
  })
}

function differences(one: Stop | undefined, other: Stop | undefined): string[] {
  const names = new Set([...(one?.there.keys() ?? []), ...(other?.there.keys() ?? [])])
  return [...names].filter((name) => one?.there.get(name) !== other?.there.get(name))
}
