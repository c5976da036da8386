// Rules of this file:
// - it is `rotate` of the command line without a terminal: the same waits, the same journal, the same locks;
// - what leaves by an event or an error is redacted; nothing is printed, and nobody is asked.
import { platform } from 'node:os'
import path from 'node:path'
// As in main.ts: whose process a lock is, is for the process to say.
import { kill, pid } from 'node:process'
import { systemClock } from '../clock.ts'
import { KeysError } from '../errors.ts'
import { createProcesses } from '../processes.ts'
import { createJournals } from '../rotation/journal.ts'
import { rotate as rotateKey } from '../rotation/rotate.ts'
import type { RotationEvent as CoreEvent, RotationServices, Verify } from '../rotation/run.ts'
import { defaultWaits, type Receipt, type Waits } from '../rotation/state.ts'
import { createVerifyCommand } from '../rotation/verify-command.ts'
import { redact, type Secret } from '../secret.ts'
import { parseTargets } from '../targets/index.ts'
import { parseRestarts } from '../targets/restart.ts'
import type { Target, TargetDeps } from '../targets/target.ts'
import { mapStrings } from '../ui/text.ts'
import { type Access, accessOf, type Client, secretOf } from './client.ts'
import { cleaned, guardTarget } from './own-target.ts'

/** What happens while a key is rotated, as it happens. New events and new fields may come with any version. */
export type RotationEvent = CoreEvent | { event: 'verify-output'; line: string }

/** How a key is rotated. Durations are milliseconds; the defaults are those of the command line. */
export interface RotateOptions {
  /**
   * The places where the application finds its key, at least one: as `--to` names them (`env:.env#PICTIFY_API_KEY`,
   * `vault:…`; all kinds but `manual:`), or targets of your own.
   */
  targets: readonly (string | Target)[]
  /**
   * Says whether the successor works, once every target holds it: a function that throws when it does not, or a line for
   * the shell, which finds the secret in `PICTIFY_API_KEY`.
   */
  verify?: string | ((secret: Secret, signal: AbortSignal) => void | Promise<void>) | undefined
  /** How long `verify` may take. 120,000 by default. */
  verifyTimeoutMs?: number | undefined
  /** How long a new key may take to be accepted everywhere. 30,000 by default. */
  settleMs?: number | undefined
  /** How often in a row the successor must be accepted. 3 by default. */
  probes?: number | undefined
  /** How long both keys stay valid at least. 0 by default. */
  overlapMs?: number | undefined
  /** How long the old key must have been quiet. 300,000 by default. */
  idleMs?: number | undefined
  /** How late usage data may be. 300,000 by default. */
  usageLagMs?: number | undefined
  /** How long the evidence is waited for before it ends with `rotation-waiting`. 900,000 by default. */
  waitMs?: number | undefined
  /** False revokes the old key without evidence that it is quiet. */
  evidence?: boolean | undefined
  /** Makes a place in a store that is not there yet. */
  createTarget?: boolean | undefined
  /** What is started anew once every target holds the successor, as `--restart` names it: `deployment/web`. */
  restarts?: readonly string[] | undefined
  /** Deletes the old key too, once it is revoked. */
  deleteOld?: boolean | undefined
  /** The key has leaked: no overlap; or even revoked before anything else. */
  compromised?: 'no-overlap' | 'revoke-first' | undefined
  /** The key is the client's own credential. One of the targets is the place it is kept in; the client is of no use afterwards. */
  self?: boolean | undefined
  /** Goes on with a rotation whose run, here or on another machine, is known to be dead. */
  takeOver?: boolean | undefined
  /** The secret being replaced, so that a target that cannot be read back can be undone too. */
  oldSecret?: string | Secret | undefined
  /** What relative targets are relative to, and where commands run. The process's working folder by default. */
  cwd?: string | undefined
  /**
   * Where journals, receipts and locks lie: the folder of this program in the system's data directory by default, as for
   * the command line, so that the two see each other's rotations.
   */
  stateDir?: string | undefined
  /**
   * Called as things happen. What it throws stops nothing, and is thrown once the rotation is done; of one that fails, the
   * failure is thrown, with its receipt and with what this threw first (`thrownByOnEvent`).
   */
  onEvent?: ((event: RotationEvent) => void) | undefined
  /** Aborts to stop at the next safe point: `interrupted` then, and the same call goes on from there. */
  signal?: AbortSignal | undefined
  /** Aborts to stop at the next safe point and undo the rotation: `interrupted` once that is done. */
  undo?: AbortSignal | undefined
}

/** A rotation that did not end well after it had begun; its code says how it stands, and `receipt` how far it came. */
export class RotationError extends KeysError {
  readonly receipt: Receipt
  /** What `onEvent` threw first, as it is; undefined where it threw nothing. */
  readonly thrownByOnEvent: unknown

  constructor(error: KeysError, receipt: Receipt, thrownByOnEvent?: unknown) {
    const { code, message, hint, status, retryAfterMs, exit, maybeDone } = error
    super(code, message, { hint, status, retryAfterMs, exit, maybeDone, cause: error })
    this.receipt = receipt
    this.thrownByOnEvent = thrownByOnEvent
  }
}

/**
 * Replaces a key (its id or exact name) without downtime: creates a successor, waits until the API takes it everywhere,
 * delivers it to every target, verifies it, waits for evidence that the old key is quiet, and revokes that. Resolves to
 * the receipt of a rotation that is done. A call that was cut off is made again with the same arguments, here or on
 * another machine, and goes on; of one that is done it finds the receipt.
 *
 * Throws a `KeysError` while nothing is changed (`invalid-target`, `target-refused`, `api-key-not-found`,
 * `key-limit-reached`, …), and a `RotationError` with the receipt so far afterwards: `rotation-waiting` (call again
 * later), `rotation-undone` (the old key works, every target holds it), `rotation-needs-person`, `rotation-locked`,
 * `interrupted`.
 */
export async function rotate(client: Client, key: string, options: RotateOptions): Promise<Receipt> {
  const access = accessOf(client)
  const waits = waitsOf(options)
  refuseContradictions(key, options)
  const { createTarget = false, oldSecret: givenSecret, restarts = [] } = options
  const cwd = path.resolve(options.cwd ?? '.')
  const stateDir = path.resolve(cwd, options.stateDir ?? (await systemDataFolder()))
  const oldSecret = givenSecret === undefined ? undefined : secretOf(givenSecret, 'the old secret')
  const undo = options.undo ?? new AbortController().signal
  const stop = options.signal === undefined ? undo : AbortSignal.any([options.signal, undo])
  // Grows with what the rotation learns: all of them are masked, and kept from children.
  const secrets = oldSecret === undefined ? [access.credential] : [access.credential, oldSecret]
  const clean = (text: string) => redact(text, secrets)
  const listener = listenerOf(options.onEvent, clean)
  const deps = targetDeps(access, { cwd, createTarget, secrets, report: listener.report })
  try {
    const targets = await targetsOf(options.targets, deps)
    const services: RotationServices = {
      api: access.api,
      credential: access.credential,
      journals: createJournals(stateDir),
      processes: createProcesses(pid, platform(), (other) => void kill(other, 0)),
      stateDir,
      clock: systemClock,
      report: listener.report,
      learn: (secret) => void secrets.push(secret),
      stop,
      undo,
    }
    const { verifyTimeoutMs, ...core } = waits
    const { receipt, error } = await rotateKey(services, key, {
      ...core,
      targets,
      cwd,
      createTarget,
      oldSecret,
      restarts: await parseRestarts(restarts, targets, deps),
      verify: await verifyOf(options, verifyTimeoutMs, access, cwd, secrets, listener.report),
      evidence: options.evidence ?? true,
      deleteOld: options.deleteOld ?? false,
      compromised: options.compromised,
      self: options.self ?? false,
      takeOver: options.takeOver ?? false,
    })
    if (error !== undefined) throw new RotationError(cleaned(error, clean), receipt, listener.thrown[0])
    listener.end()
    return receipt
  } catch (error) {
    if (stop.aborted && error === stop.reason)
      throw new KeysError('interrupted', 'interrupted', { cause: error })
    throw error instanceof KeysError && !(error instanceof RotationError) ? cleaned(error, clean) : error
  }
}

/** Asked for only where no folder is given: the system's says its own environment where that is. */
async function systemDataFolder(): Promise<string> {
  const { systemFolders } = await import('../config.ts')
  return systemFolders().data
}

/** Every wait, milliseconds; throws `usage` for what is none. */
function waitsOf(options: RotateOptions): Waits {
  const waits = { ...defaultWaits }
  for (const name of Object.keys(waits) as (keyof Waits)[]) {
    const given = options[name]
    if (given === undefined) continue
    if (!Number.isSafeInteger(given) || given < (name === 'probes' ? 1 : 0))
      throw usage(
        `${name} is ${String(given)}`,
        name === 'probes' ? 'give a whole number, 1 or more' : 'give whole milliseconds, 0 or more',
      )
    waits[name] = given
  }
  return waits
}

function refuseContradictions(key: string, { targets, compromised, self, overlapMs }: RotateOptions): void {
  if (typeof key !== 'string' || key.trim() === '')
    throw usage('no key is named', 'give its id or exact name')
  if (!Array.isArray(targets) || targets.length === 0)
    throw usage(
      'no target: where does the application find its key?',
      "name each place in targets: ['env:.env']",
    )
  if (compromised === 'revoke-first' && self === true)
    throw usage(
      "compromised: 'revoke-first' excludes self",
      'without its admin key nothing more could be done',
    )
  if (compromised !== undefined && (overlapMs ?? 0) > 0)
    throw usage('compromised excludes overlapMs', 'a leaked key has no overlap; leave one of them away')
}

async function targetsOf(given: RotateOptions['targets'], deps: TargetDeps): Promise<Target[]> {
  const named = await parseTargets(
    given.filter((target) => typeof target === 'string'),
    deps,
  )
  const own = given.filter((target) => typeof target !== 'string').map((target) => guardTarget(target, deps))
  for (const [index, target] of own.entries()) {
    const same = own.slice(0, index).find(({ name, place }) => name === target.name || place === target.place)
    if (same !== undefined)
      throw usage(`${same.name} and ${target.name} are one place`, 'name each place once')
  }
  // in the order they were given in: it is the order they are written in
  const [fromText, fromCode] = [named.values(), own.values()]
  return given.map((target) => (typeof target === 'string' ? fromText : fromCode).next().value as Target)
}

async function verifyOf(
  { verify }: RotateOptions,
  timeoutMs: number,
  { api, env }: Access,
  cwd: string,
  secrets: readonly Secret[],
  report: (event: RotationEvent) => void,
): Promise<Verify | undefined> {
  if (verify === undefined) return undefined
  if (typeof verify === 'string') {
    const onLine = (line: string) => report({ event: 'verify-output', line })
    const { baseUrl: apiUrl } = api
    return createVerifyCommand({ command: verify, cwd, timeoutMs, env, apiUrl, secrets, onLine })
  }
  const { createVerifyFunction } = await import('./verify-function.ts')
  return createVerifyFunction(verify, timeoutMs, systemClock)
}

function targetDeps(
  { env, insecureHttp, debug }: Access,
  {
    cwd,
    createTarget,
    secrets,
    report,
  }: {
    cwd: string
    createTarget: boolean
    secrets: readonly Secret[]
    report: (event: RotationEvent) => void
  },
): TargetDeps {
  return {
    cwd,
    env,
    createTarget,
    insecureHttp,
    clock: systemClock,
    program: import.meta.filename,
    secrets: () => secrets,
    showSecret: undefined,
    debug: (line) => debug(redact(line, secrets)),
    warn: (message) => report({ event: 'warning', code: 'target', message }),
  }
}

/** Hands events on, redacted; `end`, of a rotation that is done, throws what the listener threw first. */
function listenerOf(onEvent: RotateOptions['onEvent'], clean: (text: string) => string) {
  const thrown: unknown[] = []
  return {
    thrown,
    report: (event: RotationEvent): void => {
      try {
        onEvent?.(mapStrings(event, clean))
      } catch (error) {
        thrown.push(error)
      }
    },
    end: (): void => {
      if (thrown.length > 0) throw thrown[0]
    },
  }
}

function usage(message: string, hint: string): KeysError {
  return new KeysError('usage', message, { hint })
}
