import { readFile } from 'node:fs/promises'
import { writeDurably } from '../durable-file.ts'
import { systemCode, systemReason } from '../system-error.ts'
import { KeysError } from '../errors.ts'
import { Secret } from '../secret.ts'
import type { Account, PastState } from './account.ts'
import type { Answer } from './answers.ts'
import type { LoggedEvent } from './audit-log.ts'
import type { Remembered } from './idempotency.ts'
import type { KeyRecord } from './keys.ts'
import type { RateLimits } from './rate-limits.ts'
import type { UsageState } from './usage.ts'

/** What a sandbox keeps from one run to the next. */
export interface AccountState {
  /** How many runs there have been: a run draws other ids and secrets than the one before. */
  runs: number
  adminId: string
  keys: KeyRecord[]
  usage: UsageState
  audit: readonly LoggedEvent[]
  past?: PastState
  memory: [string, Remembered<Answer>][]
  rates: ReturnType<RateLimits['entries']>
}

const version = 1
/** What only counts (uses, audit events) reaches the disk within this time; what changes keys, before the answer. */
const lazyMs = 1_000

/** The state a file holds; undefined where there is no file. Throws `config-unreadable`. */
export async function readState(path: string): Promise<AccountState | undefined> {
  try {
    const text = await readFile(path, 'utf8')
    const { version: found, ...state } = JSON.parse(text) as Stored
    if (found !== version) throw new Error(`its version is ${String(found)}, not ${version}`)
    return { ...state, keys: state.keys.map((key) => ({ ...key, secret: new Secret(key.secret) })) }
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw new KeysError('config-unreadable', `the sandbox cannot read ${path}: ${systemReason(error)}`, {
      hint: 'give --data another file, or remove this one to begin anew',
      cause: error,
    })
  }
}

type Stored = Omit<AccountState, 'keys'> & {
  version: unknown
  keys: (Omit<KeyRecord, 'secret'> & { secret: string })[]
}

export interface StateFile {
  /** Resolves when all that has happened by now is on the disk. Many at once share one write. */
  save: () => Promise<void>
  /** All that has happened by now will be on the disk soon. */
  saveSoon: () => void
  /** Saves for the last time. */
  close(): Promise<void>
}

/** Keeps an account in a file (0600, for it holds secrets), or, without a path, nowhere. */
export function createStateFile(
  path: string | undefined,
  account: Account,
  run: Pick<AccountState, 'runs' | 'adminId'>,
): StateFile {
  if (path === undefined)
    return { save: async () => undefined, saveSoon: () => undefined, close: async () => undefined }
  let running: Promise<void> | undefined
  let following: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined

  const write = async () => {
    const state: Stored = {
      version,
      ...run,
      keys: account.keys.all().map((key) => ({ ...key, secret: key.secret.reveal() })),
      usage: account.usage.state(),
      audit: account.audit.latest(),
      past: account.pastState(),
      memory: account.memory.entries(),
      rates: account.rates.entries(),
    }
    await writeDurably(path, JSON.stringify(state), { mode: 0o600 })
  }
  const save = (): Promise<void> => {
    // a write under way has taken its picture already; what came after it needs another
    if (running) {
      // whoever began that one is told how it went
      following ??= running
        .catch(() => undefined)
        .then(() => {
          following = undefined
          return save()
        })
      return following
    }
    running = write().finally(() => (running = undefined))
    return running
  }
  return {
    save,
    saveSoon() {
      timer ??= setTimeout(() => {
        timer = undefined
        // a disk that is full now fails the next change, which can say so; counting goes on without it
        save().catch(() => undefined)
      }, lazyMs).unref()
    },
    async close() {
      clearTimeout(timer)
      await save()
    },
  }
}
