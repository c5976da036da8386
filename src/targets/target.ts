// Rules of this file:
// - a target is a place where an application finds its key; it knows nothing of the API and of rotation;
// - bytes out are bytes in: no newline added or trimmed;
// - `read` tells "proved absent" (undefined) from "could not look" (throws); the two are never mixed;
// - `write` never overwrites what somebody else put there.
import type { Clock } from '../clock.ts'
import type { Secret } from '../secret.ts'

/** What a target held when it was read. `version` is the target's own note, enough to put it back byte for byte. */
export interface Held {
  readonly value: Secret
  readonly version?: string | undefined
}

/**
 * A place where an application finds its key. What a method throws tells what became of the place: a KeysError as each says;
 * anything else counts as not known.
 */
export interface Target {
  /** As the user wrote it, for example `env:.env#PICTIFY_API_KEY`. */
  readonly name: string
  /** The place itself, whatever folder it was named from: an absolute path, a command line. */
  readonly place: string
  /** `none`: what it holds cannot be read back; it is written last and needs the successor's own use as evidence. */
  readonly readback: 'value' | 'none'
  /** How long one call may take at most, where that is more than a moment. Milliseconds. */
  readonly timeoutMs?: number | undefined
  /** May we write here? Changes nothing. Throws `target-refused` with what to do. */
  check(signal?: AbortSignal): Promise<void>
  /**
   * Which of several places of that name it is as things are here and now (an account, a cluster), where the name alone
   * does not say; undefined where that is not known. Throws as `read` does.
   */
  identify?: (signal?: AbortSignal) => Promise<string | undefined>
  /** What it holds; undefined = proved absent; throws `target-failed` when it could not look. A `none` target always throws. */
  read(signal?: AbortSignal): Promise<Held | undefined>
  /**
   * Puts `secret` there. Safe to repeat. Where it can be read, refuses with `target-changed` if what it
   * holds is neither `expected` (undefined: absent) nor `secret`. Its error tells what came of it: `target-failed`, it
   * was not put there; `target-unclear`, it may have been. Any other of a `none` target says that it was not, and that
   * is `target-changed` where it can tell that somebody else changed it since `check`.
   */
  write(secret: Secret, expected: Held | undefined, signal?: AbortSignal): Promise<void>
  /**
   * Where the place keeps a value beside the one that applications read: puts `secret` there, and gives back what lies
   * there by now, to be proved before `write` makes it the one they read. Safe to repeat; refuses as `write` does.
   */
  stage?: (secret: Secret, expected: Held | undefined, signal?: AbortSignal) => Promise<Secret>
  /**
   * Undoes `stage` and `write`: where it still holds `written`, puts back `held` byte for byte (undefined: removes it).
   * Already undone is done. Refuses with `target-changed` if it holds something else by now.
   */
  restore(held: Held | undefined, written: Secret, signal?: AbortSignal): Promise<void>
}

/** What targets need of the world. */
export interface TargetDeps {
  /** Absolute; paths are relative to it, commands run in it. */
  cwd: string
  env: Readonly<Record<string, string | undefined>>
  /**
   * Shows a person the secret and resolves when they have put it where the label says (`restore`: put it back).
   * Undefined where nobody can be asked.
   */
  showSecret: ((label: string, secret: Secret, action: 'write' | 'restore') => Promise<void>) | undefined
  debug: (text: string) => void
  /** Tells a person something to look at that is no reason to stop. */
  warn: (text: string) => void
  clock: Clock
  /** A place in a store that is not there is made (`--create-target`); else it is refused, for it may be mistyped. */
  createTarget: boolean
  /** Plain http to another machine is meant (`--insecure-http`). */
  insecureHttp?: boolean
  /** The path this program was started from, beside which its optional libraries lie. */
  program: string
  /** Every secret known so far, to be masked and kept out of the environment of children. */
  secrets: () => Iterable<Secret>
}
