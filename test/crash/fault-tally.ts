import type { LoggedRequest } from '../../src/sandbox/edge.ts'
import type { Figures } from '../figures.ts'
import type { Outcome } from './fault-runs.ts'
import { wrongs } from './witness.ts'

/** Counts what came of many runs, and keeps what is wrong in words. */
export interface Tally {
  add(name: string, outcome: Pick<Outcome, 'ends' | 'wrong'>): void
  /** What was wrong, each with the name of its run; there must be none. */
  wrong: string[]
  figures(): Figures
}

export function createTally(): Tally {
  const wrong: string[] = []
  const counts = new Map<string, number>()
  const exits = new Map<string, number>()
  let lines = 0
  let runs = 0
  return {
    wrong,
    add(name, outcome) {
      lines += 1
      runs += outcome.ends.length
      const all = outcome.ends.map(({ exit }) => exit).join(', ')
      const first = String(outcome.ends[0]?.exit)
      exits.set(first, (exits.get(first) ?? 0) + 1)
      for (const { what, where } of outcome.wrong) {
        counts.set(what, (counts.get(what) ?? 0) + 1)
        wrong.push(`${name} (exits ${all}): ${what}, ${where}`)
      }
    },
    figures: () => ({
      lines,
      'with reruns': runs,
      'exits of the first': [...exits]
        .sort()
        .map(([exit, count]) => `${exit}: ${count}`)
        .join(', '),
      ...Object.fromEntries(wrongs.map((what) => [what, counts.get(what) ?? 0])),
    }),
  }
}

/**
 * The requests that came sooner than a 429 for the same thing had asked for. Not those with a key under test, of which
 * there are several: who waits for whom is not seen from here.
 */
export function hasty(requests: readonly LoggedRequest[], waitMs: number): string[] {
  const placeOf = ({ method, path }: LoggedRequest) => `${method} ${path.replace(/\?.*/, '')}`
  return requests.flatMap((request, n) => {
    if (request.status !== 429 || request.path.startsWith('/templates')) return []
    const next = requests.slice(n + 1).find((later) => placeOf(later) === placeOf(request))
    if (next === undefined || next.at - request.at >= waitMs) return []
    return [`${placeOf(request)}: ${next.at - request.at} ms after a 429 that asked for ${waitMs}`]
  })
}
