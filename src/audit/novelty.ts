import type { Key } from '../api/contract.ts'
import { readAddress, siteOf } from './address.ts'
import { callerOf, type Caller, type KeyLog, ownProgram } from './key-log.ts'
import type { Seen, Sighting } from './sightings.ts'
import type { AccountLog } from './survey.ts'

export type Stretch = Pick<AccountLog, 'recentSince' | 'until'>
export type Traffic = Pick<KeyLog, 'requests' | 'recent' | 'firstAt'>
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

/**
 * Networks of the internet that a key is used from for the first time, but for those that are meant to be there; undefined
 * where its log has no baseline.
 */
export function newNetworksOf(
  account: Stretch,
  log: NetworkLog,
  isIgnored: (network: string) => boolean = () => false,
): NewNetworks | undefined {
  const novelty = noveltyOf(account, log, log.networks)
  if (novelty === undefined) return undefined
  const sightings = novelty.sightings.filter(({ value }) => !isLocal(value) && !isIgnored(value))
  const fresh = new Set(sightings.map(({ value }) => value))
  const callers = log.callers
    .list()
    .map(callerOf)
    .filter(({ network }) => fresh.has(network))
  const knownSites = knownSitesOf(account, log)
  return {
    ...novelty,
    sightings,
    callers,
    beside: sightings.filter(({ value }) => knownSites.has(siteOf(value))).length,
    onlyOwn: callers.length > 0 && callers.every(({ program }) => program === ownProgram),
  }
}

/** Why new networks are most likely the owner's own; undefined where they may be anybody's. */
export function whyHarmless(novelty: NewNetworks, { access }: Pick<Key, 'access'>): string | undefined {
  if (novelty.beside === novelty.sightings.length) return 'all of them beside known ones'
  if (isHabit(novelty)) return 'as often before'
  // of an admin key even that is odd
  return novelty.onlyOwn && access !== 'admin' ? 'by pictify-keys alone' : undefined
}

/** What lies around the networks that were known before (`siteOf`). */
export function knownSitesOf(
  { recentSince }: Pick<Stretch, 'recentSince'>,
  { networks }: Pick<NetworkLog, 'networks'>,
): ReadonlySet<string> {
  const known = networks.list().filter(({ firstAt }) => firstAt < recentSince)
  return new Set(known.map(({ value }) => siteOf(value)))
}

/** Whether a network is the machine's own, or one that no one else routes. */
export function isLocal(network: string): boolean {
  const [base = ''] = network.split('/')
  const { kind } = readAddress(base)
  return kind === 'loopback' || kind === 'private'
}
