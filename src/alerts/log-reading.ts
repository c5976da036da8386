// Rules of this file:
// - what is kept of the log ends minutes before the check that kept it: what came since is read anew each time, so that what
//   the API logs late is not missed, and nothing has to be told from what was counted already;
// - what is kept is gone on with only where it is of the same account and settings; else the log is read whole.
import type { CallOptions, Client, Key } from '../api/contract.ts'
import { createLogReaders, readAccountLog, readEvents, type LogStretch } from '../audit/account-log.ts'
import { orWhy } from '../audit/not-given.ts'
import { noLog, type Known, type SurveyProgress } from '../audit/survey.ts'
import type { WorkingHours } from '../fleet/fleet.ts'
import {
  addEvent,
  createAllowance,
  digestOf,
  hourMs,
  logOf,
  rowsOf,
  type AlertLog,
  type DigestReading,
  type DigestRows,
  type LogDigest,
} from './log-digest.ts'

/** What a check leaves to the next one. Instants are Unix ms. */
export interface KeptLog extends LogStretch {
  settings: LogSettings
  /** Ids of some keys of the account: the oldest, which stay. */
  account: readonly string[]
  digest: DigestRows
}

export interface LogSettings {
  /** How far back the log is read, and how much of that is recent. */
  sinceMs: number
  recentMs: number
  workingHours: WorkingHours | null
}

/** What an earlier check left, or why that is not to be had. */
export type Earlier = { kept: KeptLog } | { kept: undefined; why: string }

export interface AlertLogOptions {
  settings: LogSettings
  isOutside: ((at: number) => boolean) | undefined
  earlier: Earlier
  signal: AbortSignal
  patient?: CallOptions['patient']
  onProgress: (progress: SurveyProgress) => void
  /** From when on the log is read, and why it is read whole, if it is. */
  onPlan: (from: number, why: string | undefined) => void
}

export interface AlertLogRead {
  log: Known<AlertLog>
  /** For the next check; undefined where it is too much to be kept. */
  kept: KeptLog | undefined
}

/** How late the API may log an event. */
const lateMs = 10 * 60_000
/** So many keys tell one account from another. */
const knownKeys = 20

/** The log of an account as it is at an instant, by what an earlier check kept of it. */
export async function readAlertLog(
  api: Client,
  keys: readonly Key[],
  at: number,
  options: AlertLogOptions,
): Promise<AlertLogRead> {
  const { settings, earlier } = options
  const stretch = {
    since: wholeHour(at - settings.sinceMs),
    recentSince: wholeHour(at - settings.recentMs),
    until: at,
  }
  const reader = { api, keys, stretch, options }
  let why = whyWhole(earlier, keys, stretch, settings)
  if (why === undefined && earlier.kept !== undefined) {
    options.onPlan(earlier.kept.until, undefined)
    const read = await orWhy(readOn(reader, earlier.kept), noLog.why)
    if (!read.known) return { log: read, kept: undefined }
    if (read.value !== 'too much') return read.value
    why = 'with what is new, it is too much to be kept'
  }
  options.onPlan(stretch.since, why)
  const read = await orWhy(readWhole(reader), noLog.why)
  return read.known ? read.value : { log: read, kept: undefined }
}

interface Reader {
  api: Client
  keys: readonly Key[]
  stretch: Omit<AlertLog, 'keys'>
  options: AlertLogOptions
}

/** Undefined where what is kept can be gone on with. */
function whyWhole(
  earlier: Earlier,
  keys: readonly Key[],
  { since, until }: LogStretch,
  settings: LogSettings,
): string | undefined {
  if (earlier.kept === undefined) return earlier.why
  const { kept } = earlier
  const changed = (['sinceMs', 'recentMs', 'workingHours'] as const).find(
    (name) => JSON.stringify(kept.settings[name]) !== JSON.stringify(settings[name]),
  )
  if (changed !== undefined) return `${settingNames[changed]} changed`
  if (!keys.some(({ id }) => kept.account.includes(id))) return 'what is kept is of another account'
  if (kept.until <= since) return 'the last check was too long ago'
  if (kept.since > since || kept.until > until) return 'the clock was set back'
  return undefined
}

const settingNames = { sinceMs: '--since', recentMs: '--recent', workingHours: 'the working hours' } as const

/** `settled` is what is kept, with what is added to it; `late` what is read again next time. */
async function readOn(reader: Reader, kept: KeptLog): Promise<AlertLogRead | 'too much'> {
  const { api, stretch, options } = reader
  const reading = digestReading(options)
  const settled = digestOf(kept.digest, stretch.since, reading.allowance)
  const late: LogDigest = new Map()
  const settledUntil = Math.max(kept.until, stretch.until - lateMs)
  const missing = { since: kept.until, until: stretch.until }
  for await (const page of readEvents(api, missing, options)) {
    for (const event of page) {
      const at = Date.parse(event.timestamp)
      if (at >= missing.since) addEvent(at < settledUntil ? settled : late, event, at, reading)
    }
    if (reading.allowance.left < 0) return 'too much'
  }
  return readOf(settled, late, settledUntil, reader)
}

async function readWhole(reader: Reader): Promise<AlertLogRead> {
  const { api, keys, stretch, options } = reader
  const { isOutside, signal, patient, onProgress } = options
  const reading = digestReading(options)
  const settled: LogDigest = new Map()
  const late: LogDigest = new Map()
  const settledUntil = Math.max(stretch.since, stretch.until - lateMs)
  const whole = await readAccountLog(api, keys, stretch, {
    recentSince: stretch.recentSince,
    isOutside,
    leavesOutOwnReadings: true,
    optionsOf: () => ({ onlyOrigins: true }),
    readers: reading,
    signal,
    patient,
    onProgress,
    onEvents(events) {
      for (const event of events) {
        const at = Date.parse(event.timestamp)
        if (at >= stretch.since) addEvent(at < settledUntil ? settled : late, event, at, reading)
      }
      // what is full is of no use: it takes no more room
      if (reading.allowance.left < 0) for (const digest of [settled, late]) digest.clear()
    },
  })
  if (reading.allowance.left < 0) return { log: { known: true, value: whole }, kept: undefined }
  return readOf(settled, late, settledUntil, reader)
}

function readOf(
  settled: LogDigest,
  late: LogDigest,
  settledUntil: number,
  { keys, stretch, options }: Reader,
): AlertLogRead {
  return {
    log: { known: true, value: logOf([settled, late], keys, stretch) },
    kept: {
      settings: options.settings,
      account: keys.slice(-knownKeys).map(({ id }) => id),
      since: stretch.since,
      until: settledUntil,
      digest: rowsOf(settled),
    },
  }
}

function digestReading({ isOutside }: AlertLogOptions): DigestReading {
  return { ...createLogReaders(), allowance: createAllowance(), isOutside }
}

function wholeHour(at: number): number {
  return Math.floor(at / hourMs) * hourMs
}
