// Rules of this file:
// - what is kept grows with the number of keys, never with what they did;
// - what is not to be had is said to be unknown, with why; it is never taken for nothing.
import type { CallOptions, Client, Key, Plan, UsageWindow } from '../api/contract.ts'
import type { Fleet } from '../fleet/fleet.ts'
import { createLogReaders, readAccountLog } from './account-log.ts'
import type { KeyLog, KeyLogOptions } from './key-log.ts'
import { orWhy } from './not-given.ts'
import { readUsages } from './usage-reading.ts'

/** What a source gave, or why it gave nothing (lower case, no full stop). */
export type Known<T> = { known: true; value: T } | { known: false; why: string }

/** All that rules look at. Instants are Unix ms by the API's clock. */
export interface Survey {
  at: number
  /** What happened from here on is recent. */
  recentSince: number
  apiUrl: string
  plan: Plan | undefined
  keys: readonly Key[]
  /** The key that it was made with; undefined where the API does not tell, or was not asked. */
  ownKeyId: string | undefined
  /** Of active keys used in the last 30 days, as far as the API gives it (`usageOf`); the others did nothing. */
  usage: Known<ReadonlyMap<string, KeyUsage>>
  log: Known<AccountLog>
  rotations: Known<readonly OpenRotation[]>
  fleet: Known<Fleet>
  tree: Known<SearchedTree>
  past: Known<Past>
}

/** As `Usage`, without what takes room: the days as lists of counts that end with `lastDay`. */
export interface KeyUsage {
  updatedAt: number
  windows: { '24h': UsageWindow; '7d': UsageWindow; '30d': UsageWindow }
  /** Undefined where the API gives no days. */
  days: { lastDay: string; requests: readonly number[]; errors: readonly number[] } | undefined
  countries: Readonly<Record<string, number>> | undefined
}

export interface AccountLog {
  /** From when to when it was read. */
  since: number
  until: number
  recentSince: number
  events: number
  /** By the id of a key of the account; one without events has none. */
  keys: ReadonlyMap<string, KeyLog>
}

/** A rotation that is not over, as this machine's journals or a marked name in the account show it. */
export interface OpenRotation {
  id: string
  oldKeyId: string
  /** Whether the key that it replaces is meant by this id or name; a marked name may have that only in part. */
  replaces(idOrName: string): boolean
  /** Undefined while it has not been minted. */
  newKeyId: string | undefined
  /** Since when, as far as is known. */
  startedAt: number | undefined
  /** Until when the run that has it will have ended; undefined: nobody is at it. */
  leaseUntil: number | undefined
  /** Whether this machine has its journal, so that it can go on with it. */
  here: boolean
}

/** What was looked at in the working tree, and what was found there. */
export interface SearchedTree {
  secrets: readonly TreeSecret[]
  /** Without one, only the environment files of the working directory are looked at. */
  hasRepository: boolean
  /** How many files were looked at, and how many could not be read. */
  files: number
  unread: number
  /** Folders of repositories within it that are no part of it, and were not looked at; from the working directory. */
  strangers: readonly string[]
  /** There are more secrets than are listed. */
  isCut: boolean
}

/** A secret found in a file of the working tree. The secret itself is not in here. */
export interface TreeSecret {
  /** From the working directory, with slashes. */
  file: string
  line: number
  /** `pk_live_…abcd`: enough to know it by, too little to use. */
  masked: string
  /** The name that its line sets to it, as environment files do. */
  variable: string | undefined
  /** How it is written, where not as it is. */
  encoding: 'base64' | undefined
  /**
   * Git tracks the file, has the secret in its index alone (the file is gone, or was edited), does not ignore the file (a `.env`
   * about to be committed), or there is no repository.
   */
  state: 'tracked' | 'in-index' | 'not-ignored' | 'no-repository'
  /** Others than the file's owner may read it. */
  isOpen: boolean
  /** The service whose keys look the same, where it seems to be one of those: `Stripe`. */
  mayBeOf: string | undefined
  /** It is the admin key that the audit is made with; `ownVariable` is what it came in, where that is the environment. */
  isOwn: boolean
  ownVariable: string | undefined
  /** Whether the API takes it; undefined where it was not asked (`--probe`). */
  probe: 'accepted' | 'refused' | 'unknown' | undefined
  /** Whose it is, where that was asked and is known. */
  keyId: string | undefined
}

/** What earlier surveys of this machine saw. */
export interface Past {
  /** When the first of them was. */
  since: number
  /** By key id: what each of those keys was seen to do. */
  keys: ReadonlyMap<string, KeyPast>
}

export interface KeyPast {
  /** When the key was looked at for the first and the last time. */
  since: number
  until: number
  /** By country, when it was seen first. */
  countries: ReadonlyMap<string, number>
}

/** How far reading is: `total` where it is known. */
export interface SurveyProgress {
  what: 'keys' | 'usage' | 'events'
  done: number
  total: number | undefined
}

export interface SurveyOptions extends CallOptions {
  /** How far back the audit log is read, and how much of that is recent. */
  sinceMs: number
  recentMs: number
  isOutside?: ((at: number) => boolean) | undefined
  /** What no rule in force needs is not asked for. */
  needs: { usage: boolean; log: boolean }
  onProgress?: ((progress: SurveyProgress) => void) | undefined
}

/** What the API tells; the rest of a survey comes from this machine. */
export type AccountSurvey = Pick<Survey, 'at' | 'recentSince' | 'apiUrl' | 'plan' | 'keys' | 'usage' | 'log'>

/** Of an API that keeps no audit log. */
export const noLog = { known: false, why: 'the API keeps no audit log' } as const

/** Reads the account: every key, what the used ones did, and the audit log, as fast as the rate limit allows. */
export async function surveyAccount(api: Client, options: SurveyOptions): Promise<AccountSurvey> {
  const { signal, patient = true, onProgress = () => {} } = options
  const keys: Key[] = []
  for await (const page of api.keys.listByPage({}, { signal, patient })) {
    keys.push(...page)
    onProgress({ what: 'keys', done: keys.length, total: undefined })
  }
  const at = api.now()
  const notAsked = { known: false, why: 'it was not asked for' } as const
  const usage = options.needs.usage ? await readUsages(api, keys, at, options) : notAsked
  const log = options.needs.log ? await readLog(api, keys, at, options) : notAsked
  const recentSince = at - options.recentMs
  return { at, recentSince, apiUrl: api.baseUrl, plan: api.plan, keys, usage, log }
}

async function readLog(
  api: Client,
  listed: readonly Key[],
  at: number,
  { sinceMs, recentMs, isOutside, signal, patient, onProgress }: SurveyOptions,
): Promise<Survey['log']> {
  const stretch = { since: at - sinceMs, until: at }
  const readers = createLogReaders()
  const reading = { recentSince: at - recentMs, isOutside, optionsOf, readers, signal, patient, onProgress }
  return orWhy(readAccountLog(api, listed, stretch, reading), noLog.why)
}

/** This program's own checks are no work of a key, and are made around the clock; only test keys have renders to be counted. */
function optionsOf({ type, access }: Key): Partial<KeyLogOptions> {
  return {
    // where the API does not say what a key may, it may be the one that the audit is made with
    leavesOutOwnReadings: access === 'admin' || access === undefined,
    leavesOutOwnProbes: true,
    countsRenders: type === 'test',
  }
}
