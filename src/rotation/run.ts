import type { Client, ProbeAnswer } from '../api/contract.ts'
import type { Clock } from '../clock.ts'
import { KeysError } from '../errors.ts'
import type { Secret } from '../secret.ts'
import type { Restart } from '../targets/restart.ts'
import type { Target } from '../targets/target.ts'
import { seal, type Escrowed } from './escrow.ts'
import type { Journals } from './journal.ts'
import type { Processes } from './lock.ts'
import {
  isOver,
  type Evidence,
  type Journal,
  type RotationState,
  type TargetState,
  type Waits,
} from './state.ts'

/** A program of the user's that says whether the successor works. */
export interface Verify {
  /** As the user wrote it. */
  readonly command: string
  /** Whether it can be run at all. */
  exists(): Promise<boolean>
  /** Runs it with the secret in its environment. Throws `verify-failed`. */
  run(secret: Secret, signal: AbortSignal): Promise<void>
  /** How long it may take. Milliseconds. */
  readonly timeoutMs: number
}

/** What the user asked for. Durations in milliseconds. */
export interface RotationOptions extends Omit<Waits, 'verifyTimeoutMs'> {
  targets: readonly Target[]
  /** The folder that relative targets were named from. */
  cwd: string
  verify: Verify | undefined
  /** Places in stores that are not there are made. */
  createTarget: boolean
  /** What is started anew once every target holds the successor. */
  restarts: readonly Restart[]
  /** False waives the evidence gate. */
  evidence: boolean
  deleteOld: boolean
  compromised: 'no-overlap' | 'revoke-first' | undefined
  self: boolean
  takeOver: boolean
  /** The secret being replaced, where the user gave it. */
  oldSecret: Secret | undefined
}

/** What leads on from one state to the next. */
export type RotationStep = 'plan' | 'mint' | 'accept' | 'deliver' | 'verify' | 'overlap' | 'retire' | 'finish'

/** What happens, as it happens; the core prints nothing. */
export type RotationEvent =
  | { event: 'resumed'; rotation: string; state: RotationState }
  | { event: 'adopted'; rotation: string; newKey: string }
  | { event: 'step'; step: RotationStep }
  /** Which rotation it is, once that is settled: new, resumed or adopted. */
  | {
      event: 'rotation'
      rotation: string
      state: RotationState
      oldKey: { id: string; name: string }
      newKey: string | null
      targets: { name: string; state: TargetState }[]
      /** The old key is revoked before anything else, so that there is no way back. */
      revokeFirst: boolean
    }
  /** `failure` says why it is being undone. */
  | {
      event: 'state'
      state: RotationState
      newKey?: string | undefined
      failure?: { code: string; message: string } | undefined
    }
  /** The successor is waited for: `settlesInMs` of `settleMs` are left, and it is undone where it never is accepted. */
  | {
      event: 'probe'
      answer: ProbeAnswer
      inARow: number
      needed: number
      settleMs: number
      settlesInMs: number
      givesUpInMs: number
    }
  | { event: 'target'; target: string; state: TargetState }
  | { event: 'target-failed'; target: string; message: string; attempt: number; attempts: number }
  | { event: 'restart'; restart: string; state: 'started' | 'running'; boundMs: number }
  /** The user's own check of the successor. */
  | { event: 'verify'; state: 'started' | 'passed'; boundMs: number }
  | {
      event: 'evidence'
      evidence: Evidence
      missing: string[]
      /** Of the last 24 hours, up to `evidence.usageUpdatedAt`; null where not read: the new key's only for who watches. */
      requests: { old: number | null; new: number | null }
      /** When the old key can be seen to be idle at the earliest; null where it is, or where that is not known. */
      idleInMs: number | null
      waitEndsInMs: number
    }
  | { event: 'undo-wait'; newKey: string; quietMs: number; waitEndsInMs: number }
  | { event: 'warning'; code: string; message: string }

/** What a rotation works with. */
export interface RotationServices {
  api: Client
  /** The admin credential in use: it seals the escrow. */
  credential: Secret
  journals: Journals
  processes: Processes
  stateDir: string
  clock: Clock
  report: (event: RotationEvent) => void
  /** Whether somebody watches: then figures are read on which nothing depends. */
  watched?: boolean
  /** Told of every secret the rotation comes to know, so that it is masked and kept from children. */
  learn: (secret: Secret) => void
  /** Aborts when the run is to stop at the next safe point (the first Ctrl-C). */
  stop: AbortSignal
  /** Aborts when it is to be undone as well (the second). */
  undo: AbortSignal
}

/** A rotation under way: the journal and the secrets as they are in memory, and how both are written down. */
export interface Run {
  readonly options: RotationOptions
  readonly services: RotationServices
  /** With `--self` it becomes the successor's own client once that is accepted. */
  api: Client
  journal: Journal
  escrowed: Escrowed
  /** The figures that were last read for who watches, and when. Our clock, Unix ms. */
  glanced?: { at: number; requests: number | null }
}

/** Writes a change of the journal, and of the secrets in it, durably; only then is it true in memory. */
export async function record(
  run: Run,
  change: Partial<Journal>,
  secrets: Partial<Escrowed> = {},
): Promise<void> {
  const { clock, credential, journals, report } = run.services
  const escrowed = { ...run.escrowed, ...secrets }
  const journal: Journal = { ...run.journal, ...change, updatedAt: new Date(clock.now()).toISOString() }
  const holders =
    journal.self && escrowed.successor && !escrowed.successor.equals(credential)
      ? [credential, escrowed.successor]
      : [credential]
  if (Object.keys(secrets).length > 0 || journal.escrow === undefined) {
    journal.escrow = seal(escrowed, journal.id, holders)
  }
  await journals.save(journal).catch((error: unknown) => {
    // All else is done, and the last entry is there. Should a power cut take it back, what is there then ends the same way.
    if (!isOver(journal.state) || !(error instanceof KeysError) || !error.maybeDone) throw error
    report({ event: 'warning', code: 'receipt', message: `the receipt may not last: ${error.message}` })
  })
  const moved = journal.state !== run.journal.state
  run.journal = journal
  run.escrowed = escrowed
  if (!moved) return
  const failure = journal.state === 'aborting' ? journal.failure : undefined
  report({ event: 'state', state: journal.state, newKey: journal.newKey?.id, ...(failure && { failure }) })
}

/** Writes down a target's new state. */
export async function recordTarget(
  run: Run,
  name: string,
  state: TargetState,
  identity?: string,
): Promise<void> {
  const change = identity === undefined ? { state } : { state, identity }
  const targets = run.journal.targets.map((target) =>
    target.name === name ? { ...target, ...change } : target,
  )
  await record(run, { targets })
  run.services.report({ event: 'target', target: name, state })
}

/** Adds a sentence to what the receipt tells, and tells it now. */
export async function note(run: Run, code: string, message: string): Promise<void> {
  run.services.report({ event: 'warning', code, message })
  if (!run.journal.notes.includes(message)) await record(run, { notes: [...run.journal.notes, message] })
}

/**
 * What was written down of the API's time and lies ahead of both clocks now was read off one that was wrong: what counts
 * from there counts from now. Only where this run has seen one steady clock: counting from too early is no evidence.
 */
export async function mendInstants(run: Run): Promise<void> {
  const { api, journal, services } = run
  if (api.clockSkewMs === undefined || api.clockSetAt !== undefined) return
  const now = api.now()
  const ahead = Math.max(now, services.clock.now()) + clockGraceMs
  const change: Partial<Journal> = {}
  for (const instant of ['deliveredAt', 'ownUseAt', 'restoredAt'] as const) {
    if ((journal[instant] ?? 0) > ahead) change[instant] = now
  }
  if (Object.keys(change).length > 0) await record(run, change)
}

/** `Date` headers are cut to the second. */
const clockGraceMs = 2_000

/** Sleeps until the next look, or throws when the run is to stop. */
export async function pause(run: Run, ms: number): Promise<void> {
  await run.services.clock.sleep(ms, run.services.stop)
}

/** A safe point: here a run that is to stop stops. */
export function checkpoint(run: Run): void {
  if (run.services.stop.aborted) throw new KeysError('interrupted', 'interrupted')
}

/** The successor's secret. Only asked for once it is in escrow. */
export function successorSecret(run: Run): Secret {
  if (run.escrowed.successor === undefined) {
    throw new KeysError('internal', `rotation ${run.journal.id} has no successor's secret in escrow`, {
      hint: 'run the same command again with --take-over',
    })
  }
  return run.escrowed.successor
}

/** Why a rotation cannot go on: `undo` what was done, or `leave` it as it is, for someone else has it or must see to it. */
export class Setback extends Error {
  readonly way: 'undo' | 'leave'
  readonly error: KeysError

  constructor(way: 'undo' | 'leave', error: KeysError) {
    super(error.message)
    this.way = way
    this.error = error
  }
}

/** What these options start anew as the journal keeps it; undefined where that is nothing. */
export function restartsOf({ restarts }: RotationOptions): string[] | undefined {
  return restarts.length === 0 ? undefined : restarts.map(({ name }) => name)
}

/** The waits of these options as the journal keeps them. */
export function waitsOf({
  settleMs,
  probes,
  overlapMs,
  idleMs,
  usageLagMs,
  waitMs,
  verify,
}: RotationOptions): Waits {
  return { settleMs, probes, overlapMs, idleMs, usageLagMs, waitMs, verifyTimeoutMs: verify?.timeoutMs ?? 0 }
}
