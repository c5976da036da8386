// Rules of this file:
// - only what is safe to repeat is repeated: a create with the same Idempotency-Key and body, everything else as it is;
// - a refusal (4xx) is never repeated, but for 429, which waits as long as it is told to;
// - no credential is in a debug line or an error.
import type { Clock } from '../clock.ts'
import { RequestFailure } from '../connection-failure.ts'
import { formatDuration } from '../duration.ts'
import { KeysError } from '../errors.ts'
import { attempt, type Fetch, type HttpAnswer } from '../http.ts'
import { redact, type Secret } from '../secret.ts'
import type { RateLimit, Wait } from './contract.ts'
import { patienceMs, paceMs } from './pace.ts'
import { refusal } from './problem.ts'

export interface Call {
  /** What is being done, for people: `listing keys`. */
  what: string
  method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** After the base URL; starts with a slash. */
  path: string
  body?: unknown
  /** Makes a create safe to repeat. */
  idempotencyKey?: string
  /** Whether the path names a key, so that 404 is about it. */
  namesKey?: boolean
  /** As `CallOptions` has it. */
  patient?: boolean | number | undefined
}

export interface SenderOptions {
  fetch: Fetch
  baseUrl: string
  credential: Secret
  userAgent: string
  clock: Clock
  /** 0 up to 1, as Math.random. */
  random: () => number
  debug: (line: string) => void
  /** Told of every wait before it begins. */
  onWait: (wait: Wait) => void
  /** How long one attempt may take. */
  timeoutMs: number
  /** How often a call is repeated after 5xx and broken connections. */
  retries: number
  /** How long one call may wait for the rate limit, all waits together. */
  maxWaitMs: number
  /** Sees every answer before it is judged. */
  onAnswer: (answer: HttpAnswer) => void
  /** Now by the API's clock. */
  apiNow: () => number
  /** What the last answer said of the credential's limit. */
  rateLimit?: () => RateLimit | undefined
}

export interface Sender {
  /** The call's 2xx answer, however many attempts it takes. Throws KeysError, or the signal's reason. */
  send: (call: Call, signal?: AbortSignal) => Promise<HttpAnswer>
  /** One attempt, whatever it answers. */
  sendOnce: (call: Call, timeoutMs: number, signal?: AbortSignal) => Promise<HttpAnswer>
}

const backoff = { firstMs: 250, mostMs: 4_000 } as const
const mostRateLimitWaits = 10
/** A server that lets two attempts run out of time would do so with more. */
const mostTimeouts = 1
/** What a 429 that does not say how long is taken to mean. */
export const unsaidWaitMs = 1_000

export function createSender(options: SenderOptions): Sender {
  const { fetch, baseUrl, credential, clock, random } = options

  /** Until when the API asked us to wait, whatever the next call is. Our own clock. */
  let limitedUntil = 0
  /** Until when a patient call waits already, which is told once for all of them. Our own clock. */
  let pacedUntil = 0

  function debug(call: Call, number: number, outcome: string, startedAt: number): void {
    const ms = clock.now() - startedAt
    options.debug(redact(`${call.method} ${call.path} ${outcome} ${ms}ms attempt ${number}`, [credential]))
  }

  async function once(
    call: Call,
    number: number,
    timeoutMs: number,
    signal?: AbortSignal,
  ): Promise<HttpAnswer> {
    const startedAt = clock.now()
    const headers: Record<string, string> = {
      accept: 'application/json',
      authorization: `Bearer ${credential.reveal()}`,
      'user-agent': options.userAgent,
      ...(call.body !== undefined && { 'content-type': 'application/json' }),
      ...(call.idempotencyKey !== undefined && { 'idempotency-key': call.idempotencyKey }),
    }
    const body = call.body === undefined ? undefined : JSON.stringify(call.body)
    const request = { method: call.method, url: baseUrl + call.path, headers, body }
    try {
      const answer = await attempt(fetch, request, timeoutMs, signal)
      debug(call, number, String(answer.status), startedAt)
      options.onAnswer(answer)
      return answer
    } catch (error) {
      debug(call, number, error instanceof KeysError ? error.code : 'stopped', startedAt)
      throw error
    }
  }

  /** The answer, or why there is none. */
  async function outcomeOf(
    call: Call,
    number: number,
    signal?: AbortSignal,
  ): Promise<HttpAnswer | KeysError> {
    try {
      const answer = await once(call, number, options.timeoutMs, signal)
      if (answer.status >= 200 && answer.status < 300) return answer
      const { what, method, path, namesKey = false } = call
      // the API's own clock says what a date in Retry-After means
      const now = options.apiNow()
      return refusal({ what, call: `${method} ${path}`, namesKey, answer, now, secrets: [credential] })
    } catch (error) {
      if (error instanceof RequestFailure) return error
      throw error
    }
  }

  /** Waits while little is left of the rate limit. */
  async function keepPace({ what }: Call, tally: Tally, signal?: AbortSignal): Promise<void> {
    const ms = paceMs(options.rateLimit?.(), options.apiNow())
    if (ms === 0) return
    if (affordable(ms, tally) === undefined) {
      throw new KeysError(
        'rate-limit',
        `${what}: what is left of the rate limit is for others, for ${formatDuration(ms)}`,
        { hint: 'run it again after that; the limit is per key and goes with the plan', retryAfterMs: ms },
      )
    }
    if (clock.now() >= pacedUntil) {
      pacedUntil = clock.now() + ms
      options.onWait({ reason: 'rate-limit', what, ms })
    }
    await clock.sleep(ms, signal)
  }

  /** How long to wait before the next attempt; undefined when there is to be none. */
  function pauseAfter(error: KeysError, tally: Tally): number | undefined {
    const asked = error.retryAfterMs
    if (error.code === 'rate-limit') {
      tally.rateLimited += 1
      limitedUntil = clock.now() + (asked ?? unsaidWaitMs)
      return tally.rateLimited > tally.mostRateLimitWaits
        ? undefined
        : affordable(asked ?? unsaidWaitMs, tally)
    }
    const passes = error instanceof RequestFailure ? error.transient : (error.status ?? 0) >= 500
    if (!passes) return undefined
    if (error.code === 'timed-out') tally.timedOut += 1
    tally.failures += 1
    if (tally.failures > options.retries || tally.timedOut > mostTimeouts) return undefined
    const jitter = random() * Math.min(backoff.mostMs, backoff.firstMs * 2 ** (tally.failures - 1))
    return asked === undefined ? jitter : affordable(Math.max(asked, jitter), tally)
  }

  function affordable(pauseMs: number, tally: Tally): number | undefined {
    if (tally.waitedMs + pauseMs > tally.maxWaitMs) return undefined
    tally.waitedMs += pauseMs
    return pauseMs
  }

  const boundsOf = ({ patient }: Call): Pick<Tally, 'maxWaitMs' | 'mostRateLimitWaits'> =>
    patient === undefined || patient === false
      ? { maxWaitMs: options.maxWaitMs, mostRateLimitWaits }
      : { maxWaitMs: patient === true ? patienceMs : patient, mostRateLimitWaits: Infinity }

  return {
    sendOnce: (call, timeoutMs, signal) => once(call, 1, timeoutMs, signal),

    async send(call, signal) {
      const tally: Tally = { failures: 0, timedOut: 0, rateLimited: 0, waitedMs: 0, ...boundsOf(call) }
      let maybeDone = false
      // A call before this one may have given up waiting. Where that is too long for this one too, it asks, once.
      const leftMs = affordable(Math.max(0, limitedUntil - clock.now()), tally) ?? 0
      if (leftMs > 0) {
        options.onWait({ reason: 'rate-limit', what: call.what, ms: leftMs })
        await clock.sleep(leftMs, signal)
      }
      if (call.patient) await keepPace(call, tally, signal)
      for (let number = 1; ; number += 1) {
        const outcome = await outcomeOf(call, number, signal)
        if (!(outcome instanceof KeysError)) return outcome
        if (maybeDone && call.method === 'DELETE' && outcome.code === 'api-key-not-found') return gone
        maybeDone ||= outcome instanceof RequestFailure ? outcome.maybeDone : (outcome.status ?? 0) >= 500
        const pauseMs = pauseAfter(outcome, tally)
        if (pauseMs === undefined) throw final(call, outcome, maybeDone)
        options.debug(`waiting ${formatDuration(pauseMs)} before attempt ${number + 1}`)
        options.onWait(waitFor(call, outcome, pauseMs))
        await clock.sleep(pauseMs, signal)
      }
    },
  }
}

function waitFor({ what }: Call, { code, message }: KeysError, ms: number): Wait {
  return code === 'rate-limit' ? { reason: code, what, ms } : { reason: 'failure', what, message, ms }
}

/** What was deleted by an attempt whose answer was lost. */
const gone: HttpAnswer = { status: 204, headers: { get: () => null }, text: '' }

interface Tally {
  failures: number
  timedOut: number
  rateLimited: number
  /** What the API asked us to wait, so far. */
  waitedMs: number
  maxWaitMs: number
  mostRateLimitWaits: number
}

/** A create that nobody answered is neither done nor failed, and says so. */
function final(call: Call, error: KeysError, maybeDone: boolean): KeysError {
  if (!(error instanceof RequestFailure)) {
    return maybeDone ? new KeysError(error.code, error.message, { ...error, maybeDone, cause: error }) : error
  }
  if (call.idempotencyKey !== undefined && maybeDone) {
    return new KeysError('timed-out', `${call.what}: ${error.message}, so whether it was done is not known`, {
      hint: 'pictify-keys list shows whether the key is there; its secret was not received',
      maybeDone,
      cause: error,
    })
  }
  return new KeysError(error.code, `${call.what}: ${error.message}`, { hint: error.hint, cause: error })
}
