// Which points of a run are worth a kill. Rules of this file:
// - a point that leaves exactly what the one before it left, or what the one after it leaves, cannot be resumed
//   differently, so that striking the others is striking at every point;
// - these are rules on what a point is called, not comparisons: that none of them leaves out a point that does leave
//   something else is shown by `stepThrough`, which compares all there is, at every point (`every-point`).
import type { Sabotage } from './round.ts'

/** Where a run is struck: at the `at`th of the points that count. */
export type Strike = Omit<Sabotage, 'what'>

/** All but what is about to happen, what only makes sure, and what is only asked for: a kill finds all as it was. */
export const distinct = '^(?!before |read |after fsync |sent GET )'

/**
 * Of those, all but what is written under a name of its own and has not yet got the one it is for (a `.tmp`, a `.new`),
 * which the next run sweeps and nothing else looks at; and reads, which leave no trace but for probes that are accepted,
 * which are a use.
 */
export const changing =
  '^after (rename|link|unlink|mkdir) |^(sent|answered) (POST|PUT|DELETE) |^answered GET /templates 2' +
  '|^after spawn$|^after its input$|^exit of what was spawned$'

const journalWrite = '^after rename ~/state/rotations/:id\\.json$'

/** The first point at which the journal says that state. */
export function journalSays(state: string): Strike {
  return { at: 1, only: journalWrite, says: `"state":"${state}"` }
}

/**
 * Where each point of a run is, told in a way that fits the next run too: as the nth of its name since so many writes of
 * the journal. How often something is asked, and so a number among all points, varies a little from run to run.
 */
export function createPlaces(): (point: string) => Strike {
  const writes = new RegExp(journalWrite)
  const since = { only: journalWrite, nth: 0 }
  let turns = new Map<string, number>()
  return (point) => {
    const at = (turns.get(point) ?? 0) + 1
    turns.set(point, at)
    const only = `^${point.replace(/[.*+?$^|()[\]\\]/g, String.raw`\$&`)}$`
    const place = { at, only, since: { ...since } }
    if (writes.test(point)) {
      since.nth += 1
      turns = new Map()
    }
    return place
  }
}
