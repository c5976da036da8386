// Rules of this file:
// - hours with nothing in them are folded, those before the incident are one row;
// - a row names so many marks and counts the rest: who varies everything must not drown what happened.
import { addTo, newCount, type Count } from './incident-calls.ts'
import type { IncidentLog, Step } from './incident-log.ts'
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
  failed: number
  refused: number
  /**
   * Of the requests, how many surely came from networks or programs that were never seen before; null: there is no past to
   * tell by, or nothing but `unkept` is known of who called.
   */
  unseen: number | null
  /** Of the requests, how many came from callers that were too many to be kept, or to tell whether they were seen before. */
  unkept: number
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
    const own = marks.filter(({ at }) => at >= earliest && (at < beyond || (at === beyond && end === until)))
    return {
      kind,
      from: earliest,
      until: beyond,
      ...figuresOf(step ?? newCount()),
      ...callersOf(step, novelty),
      marks: own.slice(0, mostMarks),
      marksLeftOut: Math.max(0, own.length - mostMarks),
    }
  }

  const rows: TimelineRow[] = []
  if (from < since) {
    const sum = newCount()
    for (const [at, step] of steps) if (at < since) addTo(sum, step)
    rows.push({ ...rowOf('before', from, since, undefined), ...figuresOf(sum) })
  }
  const kind = stepMs === hourMs ? 'hour' : 'day'
  for (let begin = Math.max(since, from); begin < until;) {
    // the first one begins with the incident
    const end = Math.min((Math.floor(begin / stepMs) + 1) * stepMs, until)
    const step = steps.get(Math.max(Math.floor(begin / stepMs) * stepMs, since))
    const row = rowOf(step === undefined ? 'quiet' : kind, begin, end, step)
    const last = rows.at(-1)
    if (row.kind === 'quiet' && last?.kind === 'quiet' && row.marks.length === 0) last.until = row.until
    else rows.push(row)
    begin = end
  }
  return rows
}

function figuresOf({
  requests,
  failed,
  refused,
}: Count): Pick<TimelineRow, 'requests' | 'failed' | 'refused'> {
  return { requests, failed, refused }
}

function callersOf(
  step: Step | undefined,
  { past, standingOf }: Novelty,
): Pick<TimelineRow, 'unseen' | 'unkept'> {
  let [unseen, unkept] = [0, step?.unkept ?? 0]
  for (const [call, count] of step?.calls ?? []) {
    const standing = past === null ? undefined : standingOf(call)
    if (standing === 'unseen') unseen += count
    if (standing === 'unclear') unkept += count
  }
  return { unseen: past === null || (unseen === 0 && unkept > 0) ? null : unseen, unkept }
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
