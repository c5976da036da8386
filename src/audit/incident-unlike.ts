// Rules of this file:
// - what is called unlike is held against a past that was read, and says against how much of it;
// - where there is no past, nothing is called new: not known is not the same as usual.
import { siteOf } from './address.ts'
import type { Call } from './incident-calls.ts'
import { unlikeHours } from './incident-hours.ts'
import { dayMs, type IncidentLog } from './incident-log.ts'
import { isHabit, isLocal, knownSitesOf, newNetworksOf } from './novelty.ts'
import { compareDay, compareShares, outlierScore } from './robust.ts'
import type { Sighting } from './sightings.ts'
import type { KeyPast } from './survey.ts'
import { counted } from './wording.ts'

/** The past that an incident is held against. Instants are ISO 8601. */
export interface IncidentPast {
  /** Whose past it is: the key's, and that of keys that it replaced. */
  keyIds: string[]
  since: string
  until: string
  requests: number
  /** Days with requests. */
  days: number
  /** Too little to go by: what is called new may only be rare. */
  isThin: boolean
}

export type UnlikeKind = 'network' | 'program' | 'endpoint' | 'country' | 'hour' | 'requests' | 'error-rate'

/** One thing that the key did not do before. */
export interface Unlike {
  kind: UnlikeKind
  /** `203.0.113.0/24`, `curl`, `POST /image`, `03:00 UTC`, `2026-03-01`. */
  value: string
  requests: number
  /** Null where that is not known. */
  firstAt: string | null
  lastAt: string | null
  /** Why that is unlike (lower case, no full stop). */
  why: string
}

/** What is unlike the past, and who was never seen in it. */
export interface Novelty {
  past: IncidentPast | null
  unlike: Unlike[]
  /** How many more there are. */
  leftOut: number
  standingOf: (call: Call) => Standing
  /**
   * Whether networks call that are not beside known ones, and more of them than the key has come by before: somebody else may
   * use it. Null: there is too little of a past to tell by.
   */
  strangers: boolean | null
  /** Values of the log that are new, by kind. */
  fresh: Readonly<Record<'network' | 'program' | 'endpoint', ReadonlySet<string>>>
}

/** Whether a caller was seen before the incident; `unclear` where there are too many to tell them apart. */
export type Standing = 'known' | 'unseen' | 'unclear'

const mostOfAKind = 50
/** Less of a past than this is thin. */
const fewestRequests = 50
const fewestDays = 3
/** A day is told where it has so many times and so many more than is usual. */
const spike = { times: 2, requests: 50 }
const fewestForShare = 20
const worseBy = 0.05

export function noveltyOf(log: IncidentLog): Novelty {
  const past = pastOf(log)
  const fresh = freshValues(log)
  const none = { network: new Set<string>(), program: new Set<string>(), endpoint: new Set<string>() }
  if (past === null) {
    return { past, unlike: [], leftOut: 0, standingOf: () => 'unclear', strangers: null, fresh: none }
  }
  const found = [
    ...firstSeen('network', log.seen.networks.list(), fresh.network, past),
    ...firstSeen('program', log.seen.programs.list(), fresh.program, past),
    ...firstSeen('endpoint', log.seen.endpoints.list(), fresh.endpoint, past),
    ...unlikeDays(log.days, { ...log, from: Math.max(log.from, log.seen.firstAt ?? log.from) }),
    ...(past.isThin ? [] : unlikeHours(log)),
    ...unlikeErrors(log, past),
  ]
  const strangers = past.isThin ? null : strangersOf(log, fresh.network)
  return { past, ...bounded(found), standingOf: standingsOf(log), strangers, fresh }
}

/** So many of each kind, most first, and how many that leaves out. */
export function bounded(found: readonly Unlike[]): Pick<Novelty, 'unlike' | 'leftOut'> {
  const counts = new Map<UnlikeKind, number>()
  const unlike = found.filter(({ kind }) => {
    const count = (counts.get(kind) ?? 0) + 1
    counts.set(kind, count)
    return count <= mostOfAKind
  })
  return { unlike, leftOut: found.length - unlike.length }
}

function pastOf({ keyIds, before, since, seen, days }: IncidentLog): IncidentPast | null {
  if (before.requests === 0 || seen.firstAt === undefined) return null
  const border = new Date(since).toISOString()
  const known = [...days.keys()].filter((day) => day < border.slice(0, 10)).length || 1
  return {
    keyIds: [...keyIds],
    since: new Date(seen.firstAt).toISOString(),
    until: border,
    requests: before.requests,
    days: known,
    isThin: before.requests < fewestRequests || known < fewestDays,
  }
}

function standingsOf({ seen, since, calls }: IncidentLog): Novelty['standingOf'] {
  const before = calls.filter((call) => call.before.requests > 0)
  const known = (list: readonly Sighting[], field: 'network' | 'program') => {
    const sighted = list.filter(({ firstAt }) => firstAt < since).map(({ value }) => value)
    return new Set<string | null>([...sighted, ...before.map((call) => call[field])])
  }
  const programs = seen.programs.list()
  const kept = new Set(['', ...programs.map(({ value }) => value)])
  const [knownNetworks, knownPrograms] = [known(seen.networks.list(), 'network'), known(programs, 'program')]
  return ({ program, network, isProbe }) => {
    if (isProbe) return 'known'
    if (!knownNetworks.has(network)) return 'unseen'
    if (program === null) return 'unclear'
    if (knownPrograms.has(program)) return 'known'
    return kept.has(program) ? 'unseen' : 'unclear'
  }
}

function strangersOf(log: IncidentLog, fresh: ReadonlySet<string>): boolean | null {
  const stretch = { recentSince: log.since, until: log.until }
  const networks = newNetworksOf(stretch, log.seen)
  if (networks === undefined) return null
  const sites = knownSitesOf(stretch, log.seen)
  return [...fresh].some((each) => !isLocal(each) && !sites.has(siteOf(each))) && !isHabit(networks)
}

/**
 * Countries that usage shows, and no earlier audit of this machine had seen when the incident began; usage does not tell when
 * each request came.
 */
export function unlikeCountries(
  countries: Readonly<Record<string, number>> = {},
  past: KeyPast | undefined,
  since: number,
): Unlike[] {
  if (past === undefined || past.since >= since) return []
  const lookedAt = new Date(past.since).toISOString().slice(0, 10)
  return Object.entries(countries)
    .filter(([code, requests]) => requests > 0 && (past.countries.get(code) ?? Infinity) >= since)
    .sort(([, a], [, b]) => b - a)
    .map(([code, requests]) => {
      const firstSeen = past.countries.get(code)
      return {
        kind: 'country',
        value: code,
        requests,
        firstAt: firstSeen === undefined ? null : new Date(firstSeen).toISOString(),
        lastAt: null,
        why: `not seen by audits from here since ${lookedAt}`,
      }
    })
}

/** Values whose first sight lies in the incident; what only this program's own probes have is none of them. */
function freshValues({ seen, since, calls, areApart }: IncidentLog): Novelty['fresh'] {
  const others = calls.filter(({ isProbe, since: count }) => !isProbe && count.requests > 0)
  const from = (list: readonly Sighting[], field: 'network' | 'program' | 'endpoint') => {
    const called = new Set<string | null>(others.map((call) => call[field]))
    return new Set(
      list
        .filter(({ firstAt, value }) => firstAt >= since && (!areApart || called.has(value)))
        .map(({ value }) => value),
    )
  }
  return {
    network: from(seen.networks.list(), 'network'),
    program: from(seen.programs.list(), 'program'),
    endpoint: from(seen.endpoints.list(), 'endpoint'),
  }
}

function firstSeen(
  kind: 'network' | 'program' | 'endpoint',
  sightings: readonly Sighting[],
  fresh: ReadonlySet<string>,
  { requests, days }: IncidentPast,
): Unlike[] {
  return sightings
    .filter(({ value }) => fresh.has(value))
    .map(({ value, requests: count, firstAt, lastAt }) => ({
      kind,
      value,
      requests: count,
      firstAt: new Date(firstAt).toISOString(),
      lastAt: new Date(lastAt).toISOString(),
      why: `never seen in ${counted(requests, 'request')} of ${counted(days, 'day')} before`,
    }))
}

/** Days from `since` on with far more requests than the key's own days before it (median and MAD). */
export function unlikeDays(
  days: ReadonlyMap<string, number>,
  { from, since, until }: Pick<IncidentLog, 'from' | 'since' | 'until'>,
): Unlike[] {
  const dayOf = (at: number) => Math.floor(at / dayMs)
  const countOf = (day: number) => days.get(new Date(day * dayMs).toISOString().slice(0, 10)) ?? 0
  const [first, border] = [dayOf(from) + 1, dayOf(since)]
  const past = Array.from({ length: Math.max(0, border - first) }, (_, index) => countOf(first + index))
  const found: Unlike[] = []
  for (let day = border; day <= dayOf(until); day++) {
    // the days before the incident alone, cut so that the next one would be of the same weekday
    const same = past.slice(0, past.length - ((7 - ((day - border) % 7)) % 7))
    const comparison = compareDay(countOf(day), same)
    if (comparison === undefined) continue
    const { seen, usual, spread, score, count, of } = comparison
    if (!(score > outlierScore && seen >= usual * spike.times && seen - usual >= spike.requests)) continue
    found.push({
      kind: 'requests',
      value: new Date(day * dayMs).toISOString().slice(0, 10),
      requests: seen,
      firstAt: null,
      lastAt: null,
      why: `usual is ${Math.round(usual)} ± ${Math.round(spread)} (median and MAD of ${count} ${of})`,
    })
  }
  return found
}

function unlikeErrors({ before, after, since, until }: IncidentLog, past: IncidentPast): Unlike[] {
  const [now, then] = [after, before].map(({ requests, failed }) => ({ part: failed, of: requests }))
  const comparison = now && then && compareShares(now, then, fewestForShare)
  if (comparison === undefined || comparison.score <= outlierScore) return []
  const { seen, usual } = comparison
  if (seen - usual < worseBy) return []
  return [
    {
      kind: 'error-rate',
      value: percent(seen),
      requests: after.failed,
      firstAt: new Date(since).toISOString(),
      lastAt: new Date(until).toISOString(),
      why: `${percent(usual)} of ${counted(past.requests, 'request')} before failed`,
    },
  ]
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}
