// Rules of this file:
// - notifiers are told side by side, each within a time of its own: one that stalls or is dead holds up nobody;
// - what happened to a message is handed on at once, so that little is sent twice after a crash;
// - no URL and no secret is in a problem.
import { formatDuration } from '../duration.ts'
import { KeysError, type ErrorDetails } from '../errors.ts'
import type { Clock } from '../clock.ts'

/** What is sent: the same thing in every form that a notifier may take. */
export interface Letter {
  /** The same for every attempt, so that a receiver can tell what it had already. */
  id: string
  /** Of the message that this one follows. */
  follows: string | undefined
  /** Unix ms: when it was written. */
  at: number
  /** Of mail. */
  subject: string
  text: string
  html: string
  /** For programs. */
  data: object
  /** Slack's Block Kit. */
  slack: object
}

/** A notifier's answer: it does not take this message. */
export class NotifierRefusal extends KeysError {
  constructor(message: string, details: ErrorDetails) {
    super('notifier-failed', message, details)
  }
}

export interface Notifier {
  readonly name: string
  readonly kind: 'slack' | 'webhook' | 'email'
  /** What is to be said although it was sent. Throws a KeysError without a secret, NotifierRefusal where only this message is not taken. */
  send(letter: Letter, signal: AbortSignal): Promise<string | void>
  /** Drops connections. */
  close(): Promise<void>
}

/** A notifier of the file; one whose variables are not set is dead already. */
export type OpenNotifier = Notifier | { name: string; kind: Notifier['kind']; problem: string }

/** Sent, perhaps not to all; or not sent, and why. */
export type Outcome = { sentAt: string; problem: string | null } | { sentAt: null; problem: string }

export interface Posting {
  letters: readonly Letter[]
  notifier: OpenNotifier
}

/** Sends each notifier its letters, one after the other; `onOutcome` is told of each, one at a time. */
export async function deliver(
  postings: readonly Posting[],
  { clock, limitMs, signal }: { clock: Clock; limitMs: number; signal: AbortSignal },
  onOutcome: (notifier: OpenNotifier, letter: Letter, outcome: Outcome) => Promise<void>,
): Promise<void> {
  let told: Promise<void> = Promise.resolve()
  const tell = (notifier: OpenNotifier, letter: Letter, outcome: Outcome) =>
    (told = told.then(() => onOutcome(notifier, letter, outcome)))
  const one = async ({ notifier, letters }: Posting) => {
    const limit = limited(clock, limitMs, signal)
    try {
      let dead = 'problem' in notifier ? notifier.problem : undefined
      for (const letter of letters) {
        const outcome =
          dead === undefined && !('problem' in notifier)
            ? await attempt(notifier, letter, limit.signal, limitMs, clock)
            : { sentAt: null, problem: dead ?? '', isDead: true }
        signal.throwIfAborted()
        const { isDead, ...told } = outcome
        if (isDead) dead = told.problem ?? ''
        await tell(notifier, letter, told)
      }
    } finally {
      limit.end()
      // what was to be told is told, or said not to be: how the connection ends changes nothing of it
      if ('close' in notifier) await notifier.close().catch(() => undefined)
    }
  }
  const settled = await Promise.allSettled(postings.map(one))
  for (const each of settled) if (each.status === 'rejected') throw each.reason
}

async function attempt(
  notifier: Notifier,
  letter: Letter,
  signal: AbortSignal,
  limitMs: number,
  clock: Clock,
): Promise<Outcome & { isDead: boolean }> {
  try {
    const warning = await bounded(notifier.send(letter, signal), signal)
    return { sentAt: new Date(clock.now()).toISOString(), problem: warning ?? null, isDead: false }
  } catch (error) {
    if (signal.aborted) {
      const problem = `it did not take the message within ${formatDuration(limitMs)}`
      return { sentAt: null, problem, isDead: true }
    }
    if (!(error instanceof KeysError)) throw error
    // what one message was refused for need not hold of the next
    return { sentAt: null, problem: error.message, isDead: !(error instanceof NotifierRefusal) }
  }
}

/** What does not heed the signal is not waited for either. */
async function bounded<T>(sending: Promise<T>, signal: AbortSignal): Promise<T> {
  let onAbort = () => {}
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason as Error)
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
  })
  // where the limit comes first, what becomes of the sending is nobody's error
  sending.catch(() => undefined)
  try {
    return await Promise.race([sending, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

function limited(
  clock: Clock,
  limitMs: number,
  outer: AbortSignal,
): { signal: AbortSignal; end: () => void } {
  const limit = new AbortController()
  const over = new AbortController()
  const onAbort = () => limit.abort(outer.reason)
  outer.addEventListener('abort', onAbort, { once: true })
  if (outer.aborted) onAbort()
  clock.sleep(limitMs, over.signal).then(
    () => limit.abort(new Error('the time of a notifier is over')),
    () => undefined,
  )
  return {
    signal: limit.signal,
    end() {
      over.abort(new Error('it is done'))
      outer.removeEventListener('abort', onAbort)
    },
  }
}
