import { readAddress, siteOf } from './address.ts'
import { callerOf, type Caller, type KeyLog, ownProgram } from './key-log.ts'
import type { Seen, Sighting } from './sightings.ts'
import type { AccountLog } from './survey.ts'

type Stretch = Pick<AccountLog, 'recentSince' | 'until'>
type Traffic = Pick<KeyLog, 'requests' | 'recent' | 'firstAt'>
/** Of a key's log, what tells which networks are new. */
export type NetworkLog = Traffic & { readonly networks: Seen; readonly callers: Seen }

/** What a key's log shows for the first time in its recent stretch. */
export interface Novelty {
  /** Most first. */
  sightings: Sighting[]
  /** How many were seen before. */
  known: number
  /** How many new ones such a stretch had before, on average. */
  usual: number
  /** Requests with values that were too many to be kept. */
  unkept: number
}

const dayMs = 86_400_000
/** Less than this of a past says nothing of what is new. */
const fewestBaselineMs = 3 * dayMs
const fewestBaselineRequests = 10
/** In the first days of any past all is new. */
const settlingMs = 7 * dayMs

/** Whether a key's log reaches back far enough before the recent stretch to tell what is new in it. */
export function hasBaseline({ recentSince }: Pick<Stretch, 'recentSince'>, log: Traffic): boolean {
  return (
    log.firstAt !== undefined &&
    recentSince - log.firstAt >= fewestBaselineMs &&
    log.requests - log.recent >= fewestBaselineRequests
  )
}

/** Undefined where the log has no baseline. */
export function noveltyOf(
  { recentSince, until }: Stretch,
  log: Traffic,
  sightings: Seen,
): Novelty | undefined {
  if (!hasBaseline({ recentSince }, log) || log.firstAt === undefined) return undefined
  const baselineMs = recentSince - log.firstAt
  const settled = log.firstAt + Math.min(settlingMs, baselineMs / 2)
  const all = sightings.list()
  const newBefore = all.filter(({ firstAt }) => firstAt >= settled && firstAt < recentSince).length
  const fresh = all.filter(({ firstAt }) => firstAt >= recentSince)
  return {
    sightings: fresh,
    known: all.length - fresh.length,
    usual: (newBefore / (recentSince - settled)) * (until - recentSince),
    unkept: sightings.unkept,
  }
}

/** Whether a key has come by new ones as often before: machines that are started anew each day, say. */
export function isHabit({ sightings, usual }: Novelty): boolean {
  return usual >= 1 && sightings.length <= usual * 2
}

export interface NewNetworks extends Novelty {
  /** Who called from them. */
  callers: Caller[]
  /** Those that lie beside a network that was known (the same /16, or /32 of IPv6). */
  beside: number
  /** Nobody called from them but this program. */
  onlyOwn: boolean
}

/** Networks of the internet that a key is used from for the first time; undefined where its log has no baseline. */
export function newNetworksOf(account: Stretch, log: NetworkLog): NewNetworks | undefined {
  const novelty = noveltyOf(account, log, log.networks)
  if (novelty === undefined) return undefined
  const sightings = novelty.sightings.filter(({ value }) => !isLocal(value))
  const fresh = new Set(sightings.map(({ value }) => value))
  const callers = log.callers
    .list()
    .map(callerOf)
    .filter(({ network }) => fresh.has(network))
  const knownSites = new Set(
    log.networks
      .list()
      .filter(({ firstAt }) => firstAt < account.recentSince)
      .map(({ value }) => siteOf(value)),
  )
  return {
    ...novelty,
    sightings,
    callers,
    beside: sightings.filter(({ value }) => knownSites.has(siteOf(value))).length,
    onlyOwn: callers.length > 0 && callers.every(({ program }) => program === ownProgram),
  }
}

/** Whether a network is the machine's own, or one that no one else routes. */
export function isLocal(network: string): boolean {
  const [base = ''] = network.split('/')
  const { kind } = readAddress(base)
  return kind === 'loopback' || kind === 'private'
}
