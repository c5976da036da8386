// Rules of this file:
// - every change of a store is made on the condition that nobody made another since it was looked at;
// - what the store holds by then is neither the expected nor ours: it is left alone;
// - every call ends by itself, whatever the other end does.
import { hasCode, KeysError } from '../errors.ts'
import type { Secret } from '../secret.ts'
import { refusal } from './refusal.ts'
import type { Held, Target, TargetDeps } from './target.ts'
import { limitTime } from './time-limit.ts'

/** How long one call of a target in a store may take, with all that is asked again. Milliseconds. */
export const storeTimeoutMs = 30_000

/** How often a change is tried again that somebody else's change, of another field, came before. */
const conflicts = 8

/** Somebody changed what was looked at, so that nothing was written. */
export class Conflict extends Error {}

/** What was found at one look, and whatever the store needs to make a change on that condition. */
export interface Seen {
  /** Undefined: proved absent. */
  readonly held: Held | undefined
}

/** One place of a store that can be read, and be changed on the condition that nobody did meanwhile. */
export interface Cell<S extends Seen> {
  /** Throws `target-failed`, or `target-refused` where asking again is of no use. */
  look(signal: AbortSignal): Promise<S>
  /**
   * Proves the right to do all that `put` and `putBack` do, and changes nothing. Throws `target-refused`. Returns what it
   * could not prove: a sentence each, with what to look at.
   */
  prove(seen: S, signal: AbortSignal): Promise<string[]>
  /** What is not there, for a person: `there is no field KEY in secret/app`, and what is there that may have been meant. */
  absence(seen: S): { message: string; hint?: string }
  /**
   * Which of several places of that name it is that was looked at (an account, a cluster), where the name alone does not
   * say; undefined where that is not known, as of what is not there yet.
   */
  identity?: (seen: S) => string | undefined
  /** Leaves all else as it is. Throws Conflict. */
  put(secret: Secret, seen: S, signal: AbortSignal): Promise<void>
  /** Puts back byte for byte what it held when it was first looked at; undefined: nothing was there. Throws Conflict. */
  putBack(held: Held | undefined, seen: S, signal: AbortSignal): Promise<void>
  /**
   * For a store whose writes know only afterwards who came before: it holds the secret by now, and the `put` that wrote
   * it may have been cut off before it knew. Throws Conflict.
   */
  settle?(secret: Secret, expected: Held | undefined, seen: S, signal: AbortSignal): Promise<void>
  /** As `Target.stage`. Throws Conflict. */
  stage?: (secret: Secret, seen: S, signal: AbortSignal) => Promise<Secret>
  /** Removes what `stage` left, where it never came to `put`. Safe to repeat. */
  unstage?(staged: Secret, seen: S, signal: AbortSignal): Promise<void>
}

/** A target in a store that can be read. */
export function createStoreTarget<S extends Seen>({
  name,
  place,
  cell,
  deps,
}: {
  name: string
  place: string
  cell: Cell<S>
  deps: TargetDeps
}): Target {
  /** Whether the change under way has been asked for by now: a look alone leaves nothing behind. */
  let mayBeDone = false

  /** Makes a change on what was looked at, and looks again when another change came before. */
  async function change<T>(make: (seen: S) => Promise<T>, signal: AbortSignal): Promise<T> {
    mayBeDone = false
    for (let attempt = 1; ; attempt++) {
      try {
        const seen = await cell.look(signal)
        // A look that came too late, or does not heed its signal, is followed by nothing.
        signal.throwIfAborted()
        // An answer that was lost may look like a Conflict: from here on a failure no longer says that nothing was done.
        mayBeDone = true
        return await make(seen)
      } catch (error) {
        if (mayBeDone && hasCode(error, 'target-failed')) throw unclear(error)
        if (!(error instanceof Conflict)) throw error
        if (attempt < conflicts) continue
        throw new KeysError('target-unclear', `${name}: others keep changing it`, {
          hint: 'find out who else writes there, then run the same command again',
          cause: error,
        })
      }
    }
  }

  function refuseChanged({ held }: S, expected: Held | undefined): void {
    if (expected === undefined ? held === undefined : held?.value.equals(expected.value)) return
    throw changed(name, held)
  }

  const target: Target = {
    name,
    place,
    readback: 'value',

    async check(signal = never) {
      const seen = await cell.look(signal)
      if (seen.held === undefined && !deps.createTarget) {
        const { message, hint } = cell.absence(seen)
        const create = 'check how it is spelt; --create-target makes it'
        throw refusal(`${name}: ${message}`, hint === undefined ? create : `${hint}; ${create}`)
      }
      for (const sentence of await cell.prove(seen, signal)) deps.warn(`${name}: ${sentence}`)
    },

    async read(signal = never) {
      return (await cell.look(signal)).held
    },

    async write(secret, expected, signal = never) {
      await change(async (seen) => {
        if (seen.held?.value.equals(secret)) return cell.settle?.(secret, expected, seen, signal)
        refuseChanged(seen, expected)
        await cell.put(secret, seen, signal)
      }, signal)
    },

    async restore(held, written, signal = never) {
      await change(async (seen) => {
        const isBack = held === undefined ? seen.held === undefined : seen.held?.value.equals(held.value)
        if (!isBack && !seen.held?.value.equals(written)) throw changed(name, seen.held)
        if (!isBack) await cell.putBack(held, seen, signal)
        await cell.unstage?.(written, seen, signal)
      }, signal)
    },
  }
  const { identity, stage } = cell
  if (identity) target.identify = async (signal = never) => identity(await cell.look(signal))
  if (stage) {
    target.stage = (secret, expected, signal = never) =>
      change(async (seen) => {
        if (seen.held?.value.equals(secret)) return secret
        refuseChanged(seen, expected)
        return stage(secret, seen, signal)
      }, signal)
  }
  return bounded(target, deps, () => mayBeDone)
}

const never = new AbortController().signal

/**
 * The same target, none of whose calls outlasts `storeTimeoutMs`. `maybeDone`: whether the change of the call under way
 * has been asked for by now; a target that cannot be read must know, for nobody else can look.
 */
export function bounded(
  target: Target,
  { clock }: Pick<TargetDeps, 'clock'>,
  maybeDone: () => boolean = () => true,
): Target {
  const { name } = target

  /** `isChange`: without an answer nobody knows whether it was done. */
  async function within<T>(
    isChange: boolean,
    outer: AbortSignal | undefined,
    call: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const late = () =>
      new KeysError(
        isChange && maybeDone() ? 'target-unclear' : 'target-failed',
        `${name}: no answer within ${storeTimeoutMs / 1_000}s`,
        { hint: 'see whether the store and the network are in order, then run the same command again' },
      )
    return limitTime(clock, storeTimeoutMs, outer, late, call)
  }

  const { identify, stage } = target
  return {
    ...target,
    timeoutMs: storeTimeoutMs,
    check: (signal) => within(false, signal, (inner) => target.check(inner)),
    read: (signal) => within(false, signal, (inner) => target.read(inner)),
    write: (secret, expected, signal) =>
      within(true, signal, (inner) => target.write(secret, expected, inner)),
    restore: (held, written, signal) => within(true, signal, (inner) => target.restore(held, written, inner)),
    ...(identify && {
      identify: (signal?: AbortSignal) => within(false, signal, (inner) => identify(inner)),
    }),
    ...(stage && {
      stage: (secret: Secret, expected: Held | undefined, signal?: AbortSignal) =>
        within(true, signal, (inner) => stage(secret, expected, inner)),
    }),
  }
}

/** A change may be several calls, some of which were made. */
function unclear({ message, hint, cause }: KeysError): KeysError {
  return new KeysError('target-unclear', message, { hint, cause })
}

/** Somebody else's value is there by now. */
function changed(name: string, held: Held | undefined): KeysError {
  const what = held === undefined ? 'it is gone' : `it holds another value by now (${held.value.hint})`
  return new KeysError('target-changed', `${name}: ${what}`, {
    hint: 'find out who else writes there, then run the same command again',
  })
}
