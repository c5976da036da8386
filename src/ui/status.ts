import type { KeyType, Plan } from '../api/contract.ts'
import type { CredentialSource } from '../credentials/credential.ts'
import type { FoundLock } from '../rotation/lock.ts'
import type { RotationState } from '../rotation/state.ts'
import type { Output } from './output.ts'

/** What is wrong, or may go wrong, in words and with what to do. */
export interface Problem {
  code: string
  message: string
  hint?: string | undefined
}

/**
 * One thing that was looked at. `warning`: it works, and is to be seen to; `wrong`: it does not work, and decides the exit;
 * `unknown`: it could not be looked at, because of what is wrong elsewhere.
 */
export interface Check {
  check: string
  state: 'ok' | 'warning' | 'wrong' | 'unknown'
  message: string
  code?: string | undefined
  /** What to do, with the command for it. */
  hint?: string | undefined
}

/** How many active keys of a type there are; `limit` is null where it is not known, or there is none. */
export interface Headroom {
  active: number
  limit: number | null
  /** Whether one more fits, as a rotation needs; null where that is not known. */
  room: boolean | null
}

export interface OpenRotation {
  id: string
  state: RotationState
  oldKey: { id: string; name: string }
  startedAt: string
}

/** A rotation that no journal of this machine has, as its marked successor shows it. */
export interface RotationElsewhere {
  id: string
  /** `running`: its lease is in force; `waiting`: it was given up; `dead`: it is over. */
  state: 'running' | 'waiting' | 'dead'
  oldKey: { id: string; name: string }
  newKey: { id: string; createdAt: string }
  leaseUntil: string | null
}

/** What `status --json` prints under `status`. */
export interface StatusReport {
  version: string
  node: { version: string; oldest: string; supported: boolean }
  profile: string | null
  apiUrl: string | null
  connection: { encrypted: boolean; verified: boolean; proxy: string | null; caFile: string | null } | null
  /** `protection`: who can read it besides its owner, in words. */
  credential: (CredentialSource & { key: string; protection: string }) | null
  api: { reachable: boolean; accepted: boolean; clockSkewMs: number | null }
  plan: Plan | null
  keys: Record<KeyType, Headroom> | null
  rateLimit: { limit: number; remaining: number; resetAt: string } | null
  stateDir: string
  rotations: OpenRotation[]
  elsewhere: RotationElsewhere[]
  /** Revoked successors that a run which died did not delete. */
  orphans: { id: string; name: string }[]
  locks: FoundLock[]
  /** Journals that were put out of the way. */
  setAside: string[]
  checks: Check[]
  problems: Problem[]
}

/** The report of `status` for people: a line for everything that was looked at, and what to do where it is not in order. */
export function statusText({ checks }: StatusReport, { paint }: Pick<Output, 'paint'>): string {
  const marks = {
    ok: paint.green('ok'.padEnd(7)),
    warning: paint.yellow('warning'),
    wrong: paint.red('wrong'.padEnd(7)),
    unknown: paint.dim('unknown'),
  }
  const width = Math.max(...checks.map(({ check }) => check.length)) + 2
  const lines = checks.flatMap(({ check, state, message, hint }) => [
    `${marks[state]}  ${paint.dim(check.padEnd(width))}${message}`,
    ...(hint === undefined ? [] : [`${' '.repeat(9 + width)}→ ${hint}`]),
  ])
  return [...lines, '', verdict(checks, paint)].join('\n')
}

function verdict(checks: readonly Check[], paint: Output['paint']): string {
  const count = (state: Check['state']) => checks.filter((check) => check.state === state).length
  const [wrong, warnings, unknown] = [count('wrong'), count('warning'), count('unknown')]
  if (wrong + warnings + unknown === 0) return paint.green('everything is in order')
  const parts = [
    ...(wrong > 0 ? [paint.red(`${wrong} wrong`)] : []),
    ...(warnings > 0 ? [paint.yellow(`${warnings} ${warnings === 1 ? 'warning' : 'warnings'}`)] : []),
    ...(unknown > 0 ? [`${unknown} not known`] : []),
  ]
  return parts.join(', ')
}
