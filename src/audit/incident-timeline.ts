// Rules of this file:
// - hours with nothing in them are folded, those before the incident are one row;
// - a row names so many marks and counts the rest: who varies everything must not drown what happened.
import type { Call, IncidentLog, Step } from './incident-log.ts'
import type { Novelty } from './incident-unlike.ts'
import type { Sighting } from './sightings.ts'

export type MarkKind =
  | 'created'
  | 'revoked'
  | 'rotation-started'
  | 'rotation-finished'
  | 'since'
  | 'new-network'
  | 'new-program'
  | 'new-endpoint'
  | 'many-requests'

/** Something that happened at an instant (ISO 8601). */
export interface Mark {
  at: string
  kind: MarkKind
  /** What it was: the network, the rotation's id; empty where the kind says it all. */
  value: string
}

/** What happened from an instant to another one. */
export interface TimelineRow {
  /** `quiet`: nothing came, however long; `before`: all that was read of the time before the incident. */
  kind: 'before' | 'hour' | 'day' | 'quiet'
  from: string
  until: string
  requests: number
  refused: number
  /** Of these, how many came from networks or programs that were never seen before; null: there is no past to tell by. */
  unseen: number | null
  marks: Mark[]
  marksLeftOut: number
}

const mostMarks = 20
const hourMs = 3_600_000

export function timelineOf(log: IncidentLog, novelty: Novelty, happened: readonly Mark[]): TimelineRow[] {
  const { from, since, until, stepMs, steps, seen } = log
  const marks = [
    ...happened
      .filter(({ at }) => Date.parse(at) >= from && Date.parse(at) <= until)
      .map((mark) => ({ ...mark, at: new Date(mark.at).toISOString() })),
    { at: new Date(since).toISOString(), kind: 'since' as const, value: '' },
    ...firstSights('new-network', seen.networks.list(), novelty.fresh.network),
    ...firstSights('new-program', seen.programs.list(), novelty.fresh.program),
    ...firstSights('new-endpoint', seen.endpoints.list(), novelty.fresh.endpoint),
    ...busyDays(novelty, since),
  ].sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0))
  const rowOf = (kind: TimelineRow['kind'], begin: number, end: number, step: Step | undefined) => {
    const [earliest, beyond] = [new Date(begin).toISOString(), new Date(end).toISOString()]
    const own = marks.filter(({ at }) => at >= earliest && at < beyond)
    return {
      kind,
      from: earliest,
      until: beyond,
      requests: step?.requests ?? 0,
      refused: step?.refused ?? 0,
      unseen: novelty.past === null ? null : unseenOf(step, novelty.isUnseen),
      marks: own.slice(0, mostMarks),
      marksLeftOut: Math.max(0, own.length - mostMarks),
    }
  }

  const rows: TimelineRow[] = []
  const first = Math.floor(since / stepMs) * stepMs
  if (from < first) {
    const all = [...steps].filter(([at]) => at < first).map(([, step]) => step)
    rows.push({ ...rowOf('before', from, first, undefined), ...sumOf(all) })
  }
  const kind = stepMs === hourMs ? 'hour' : 'day'
  for (let begin = first; begin < until; begin += stepMs) {
    const end = Math.min(begin + stepMs, until)
    const step = steps.get(begin)
    const row = rowOf(step === undefined ? 'quiet' : kind, begin, begin + stepMs, step)
    const last = rows.at(-1)
    if (row.kind === 'quiet' && last?.kind === 'quiet' && row.marks.length === 0) {
      last.until = new Date(end).toISOString()
    } else rows.push({ ...row, until: new Date(end).toISOString() })
  }
  return rows
}

function sumOf(steps: readonly Step[]): { requests: number; refused: number } {
  return {
    requests: steps.reduce((sum, { requests }) => sum + requests, 0),
    refused: steps.reduce((sum, { refused }) => sum + refused, 0),
  }
}

function unseenOf(step: Step | undefined, isUnseen: (call: Call) => boolean): number {
  return [...(step?.calls ?? [])].reduce((sum, [call, count]) => sum + (isUnseen(call) ? count : 0), 0)
}

/** Days with far more requests than is usual; the first may have begun before the incident. */
function busyDays({ unlike }: Novelty, since: number): Mark[] {
  return unlike
    .filter(({ kind }) => kind === 'requests')
    .map(({ value, requests }) => ({
      at: new Date(Math.max(Date.parse(value), since)).toISOString(),
      kind: 'many-requests',
      value: `${requests.toLocaleString('en')} on ${value}`,
    }))
}

function firstSights(kind: MarkKind, sightings: readonly Sighting[], fresh: ReadonlySet<string>): Mark[] {
  return sightings
    .filter(({ value }) => fresh.has(value))
    .map(({ value, firstAt }) => ({ at: new Date(firstAt).toISOString(), kind, value }))
}
