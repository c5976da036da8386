// Rules of this file:
// - for stores that are spoken to over plain HTTP: a call is repeated only where that is safe and may help;
// - no error of it holds a header or a body.
import { RequestFailure } from '../connection-failure.ts'
import { KeysError } from '../errors.ts'
import { attempt, createTransport, type HttpAnswer, type TransportOptions } from '../http.ts'
import type { TargetDeps } from './target.ts'

const attempts = 4
const attemptMs = 10_000
const firstPauseMs = 500
/** Longer than this nobody waits for a store: the target's own time is over. */
const longestPauseMs = 20_000

export interface StoreRequest {
  method: 'GET' | 'LIST' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** From the store's base URL, with a leading slash, its segments encoded. */
  path: string
  headers: Record<string, string>
  /** Sent as JSON. */
  body?: unknown
  /** In place of `body`: JSON that is sent as it is written. */
  json?: string
  /** Whether it may be sent again when its answer was lost: it then does no more than once would. */
  repeatable: boolean
}

export interface StoreAnswer extends HttpAnswer {
  /** Whether an earlier attempt, whose own answer did not come through, may have done it, whatever this answer says. */
  readonly maybeDone: boolean
}

export type StoreRequests = (request: StoreRequest, signal: AbortSignal) => Promise<StoreAnswer>

/**
 * Speaks to one store: what is throttled (429), out of order for now (502, 503, 504) or not reached is asked again after
 * a pause, the store's own `Retry-After` before ours. Any other answer is for the caller. Throws `target-failed` where
 * nothing was done, and `target-unclear` where something may have been.
 */
export function createStoreRequests({
  name,
  baseUrl,
  deps,
  tls,
  throttledMs,
}: {
  name: string
  baseUrl: string
  deps: Pick<TargetDeps, 'env' | 'clock' | 'debug'>
  tls?: TransportOptions
  /**
   * How long the store asks to wait, where it says so in a way of its own; undefined: this answer does not. For more
   * than a target's own time nobody waits: the answer is given to the caller at once.
   */
  throttledMs?: ((answer: HttpAnswer, now: number) => number | undefined) | undefined
}): StoreRequests {
  const { clock, debug, env } = deps
  let transport: ReturnType<typeof createTransport> | undefined

  async function once(request: StoreRequest, signal: AbortSignal): Promise<HttpAnswer | RequestFailure> {
    const { fetch } = await (transport ??= createTransport(env, tls))
    const body = request.json ?? (request.body === undefined ? undefined : JSON.stringify(request.body))
    const headers =
      body === undefined ? request.headers : { 'content-type': 'application/json', ...request.headers }
    const { method, path } = request
    try {
      const answer = await attempt(fetch, { method, url: baseUrl + path, headers, body }, attemptMs, signal)
      debug(`${name}: ${method} ${path} ${answer.status}`)
      return answer
    } catch (error) {
      if (!(error instanceof RequestFailure)) throw error
      debug(`${name}: ${method} ${path} ${error.message}`)
      return error
    }
  }

  return async (request, signal) => {
    let maybeDone = false
    const isLook = request.method === 'GET' || request.method === 'LIST'
    for (let count = 1; ; count++) {
      const result = await once(request, signal)
      const isFailure = result instanceof RequestFailure
      const ownMs = isFailure ? undefined : throttledMs?.(result, clock.now())
      const mayHelp = isFailure
        ? result.transient && (request.repeatable || !result.maybeDone)
        : ownMs === undefined
          ? [429, 502, 503, 504].includes(result.status)
          : ownMs <= longestPauseMs
      if (count === attempts || !mayHelp) {
        if (isFailure) throw unreached(name, result, !isLook && (maybeDone || result.maybeDone))
        return { ...result, maybeDone }
      }
      // what answers in a store's stead does not know how far it came
      maybeDone ||= isFailure ? result.maybeDone : result.status > 500
      const asked = isFailure
        ? undefined
        : (ownMs ?? retryAfterMs(result.headers.get('retry-after'), clock.now()))
      await clock.sleep(Math.min(asked ?? firstPauseMs * 2 ** (count - 1), longestPauseMs), signal)
    }
  }
}

function unreached(name: string, failure: RequestFailure, maybeDone: boolean): KeysError {
  return new KeysError(maybeDone ? 'target-unclear' : 'target-failed', `${name}: ${failure.message}`, {
    hint: failure.hint ?? 'try again',
    cause: failure,
  })
}

/** Of a `Retry-After` header: seconds, or a date. */
export function retryAfterMs(text: string | null, now: number): number | undefined {
  if (text === null) return undefined
  if (/^\d+$/.test(text.trim())) return Number(text) * 1_000
  const at = Date.parse(text)
  return Number.isNaN(at) ? undefined : Math.max(0, at - now)
}
