// Rules of this file:
// - a target that the caller wrote is held to the rules of target.ts as far as that can be seen from outside: it answers
//   in time, it gives a Secret, and what it throws says what became of the place;
// - what is not known is not taken for "nothing happened".
import type { Clock } from '../clock.ts'
import { formatDuration } from '../duration.ts'
import { type ErrorCode, KeysError } from '../errors.ts'
import { redact, Secret } from '../secret.ts'
import { schemes } from '../targets/index.ts'
import type { Held, Target } from '../targets/target.ts'
import { limitTime } from '../targets/time-limit.ts'

/** For one call of a target that names no time of its own. */
const callLimitMs = 30_000

export interface Surroundings {
  clock: Clock
  secrets: () => Iterable<Secret>
}

/** A target of the caller's own as rotation may rely on it. Throws `invalid-target` for what is none. */
export function guardTarget(own: Target, { clock, secrets }: Surroundings): Target {
  refuseMisshapen(own, secrets())
  const { name, place, readback } = own
  const timeoutMs = own.timeoutMs ?? callLimitMs
  const clean = (text: string) => redact(text, secrets())

  /** Runs one call in time; what it throws besides a KeysError becomes one of this code. */
  async function call<T>(
    what: string,
    code: ErrorCode,
    signal: AbortSignal | undefined,
    run: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const late = () =>
      new KeysError(code, `${name}: ${what} took longer than ${formatDuration(timeoutMs)}`, {
        hint: 'see what it waits for; its timeoutMs says how long one call may take',
      })
    try {
      // a target may not be async, and throw at once
      return await limitTime(clock, timeoutMs, signal, late, async (inner) => run(inner))
    } catch (error) {
      if (signal?.aborted) throw error
      if (error instanceof KeysError) throw cleaned(error, clean)
      const message = error instanceof Error ? error.message : String(error)
      throw new KeysError(code, clean(`${name}: ${what} failed: ${message}`), {
        hint: 'see what its own code says; it may throw a KeysError with a hint',
        cause: error,
      })
    }
  }

  async function read(signal: AbortSignal | undefined): Promise<Held | undefined> {
    const held: unknown = await call('reading', 'target-failed', signal, (inner) => own.read(inner))
    if (held === undefined || isHeld(held)) return held
    throw new KeysError('target-failed', `${name}: read() gave neither undefined nor a value`, {
      hint: 'resolve to { value: new Secret(text) }, or to undefined where the place is proved to hold nothing',
    })
  }

  // The methods are called on the object itself: it may be an instance of a class.
  return {
    name,
    place,
    readback,
    timeoutMs: own.timeoutMs,
    check: (signal) => call('checking', 'target-refused', signal, (inner) => own.check(inner)),
    read,
    write: (secret, expected, signal) =>
      call('writing', 'target-unclear', signal, (inner) => own.write(secret, expected, inner)),
    restore: (held, written, signal) =>
      call('restoring', 'target-unclear', signal, (inner) => own.restore(held, written, inner)),
    ...(own.identify && {
      identify: (signal) =>
        call('identifying', 'target-failed', signal, async (inner) => own.identify?.(inner)),
    }),
    ...(own.stage && {
      stage: (secret, expected, signal) =>
        call('staging', 'target-unclear', signal, async (inner) => {
          const staged = await own.stage?.(secret, expected, inner)
          if (staged instanceof Secret) return staged
          throw new KeysError('target-unclear', `${name}: stage() gave no Secret`)
        }),
    }),
  }
}

function isHeld(held: unknown): held is Held {
  return typeof held === 'object' && held !== null && 'value' in held && held.value instanceof Secret
}

function refuseMisshapen(own: Target, secrets: Iterable<Secret>): void {
  const given = (typeof own === 'object' ? (own ?? {}) : {}) as Partial<Record<keyof Target, unknown>>
  const wrong = (message: string, hint: string) => new KeysError('invalid-target', message, { hint })
  for (const text of ['name', 'place'] as const) {
    const value = given[text]
    if (typeof value !== 'string' || value.trim() === '' || /\p{Cc}/u.test(value))
      throw wrong(`a target of your own has no ${text}`, `give it a ${text}: one line of text`)
    if (redact(value, secrets) !== value)
      throw wrong(
        'a target has a secret written in it',
        'a target says where the key goes, never the key itself',
      )
  }
  const name = given.name as string
  const word = name.slice(0, Math.max(0, name.indexOf(':')))
  if (Object.hasOwn(schemes, word) || word === 'credential') {
    // its journal would send `rotate --resume` of the command line to another place
    throw wrong(`${name} is named as if it were an ${word}: target`, 'begin its name with a word of your own')
  }
  if (given.readback !== 'value' && given.readback !== 'none')
    throw wrong(`${name} does not say whether it can be read back`, "set readback to 'value' or 'none'")
  for (const method of ['check', 'read', 'write', 'restore'] as const) {
    if (typeof given[method] !== 'function') throw wrong(`${name} has no ${method}()`, 'see docs/library.md')
  }
}

/** As deep as causes are told: they may lead back to themselves. */
const mostCauses = 8

/** The same error without a secret in it, or in what caused it. */
export function cleaned(error: KeysError, clean: (text: string) => string, causes = mostCauses): KeysError {
  const { code, message, hint, status, retryAfterMs, exit, maybeDone, cause } = error
  const told = new KeysError(code, clean(message), {
    hint: hint === undefined ? undefined : clean(hint),
    status,
    retryAfterMs,
    exit,
    maybeDone,
    cause: toldCause(cause, clean, causes),
  })
  return withStackOf(error, told, clean)
}

/** Of an error that others made its name, message and stack: what else it has may be a request, with what signs that in. */
function toldCause(cause: unknown, clean: (text: string) => string, causes: number): unknown {
  if (!(cause instanceof Error) || causes === 0) return undefined
  if (cause instanceof KeysError) return cleaned(cause, clean, causes - 1)
  const told = new Error(clean(cause.message), { cause: toldCause(cause.cause, clean, causes - 1) })
  Object.defineProperty(told, 'name', { value: clean(cause.name), configurable: true, writable: true })
  return withStackOf(cause, told, clean)
}

function withStackOf<E extends Error>(given: Error, told: E, clean: (text: string) => string): E {
  if (given.stack !== undefined) told.stack = clean(given.stack)
  return told
}
