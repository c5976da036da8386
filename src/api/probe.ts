// Rules of this file:
// - only a 401 says that a key is refused; whatever is no clear answer is unknown;
// - one probe is at most one request, and none leaves while the API asks its key to wait.
import { hasCode, KeysError } from '../errors.ts'
import type { HttpAnswer } from '../http.ts'
import type { Secret } from '../secret.ts'
import { readJson } from './answer.ts'
import type { ProbeAnswer } from './contract.ts'
import { refusal } from './problem.ts'
import { type Call, createSender, type SenderOptions, unsaidWaitMs } from './sender.ts'

/** Until when the API asked a key to wait. Our own clock, Unix ms. */
export interface Limits {
  until(secret: Secret): number
  set(secret: Secret, until: number): void
}

export function createLimits(): Limits {
  let limits: { secret: Secret; until: number }[] = []
  return {
    until: (secret) => limits.find((limit) => limit.secret.equals(secret))?.until ?? 0,
    set(secret, until) {
      limits = [...limits.filter((limit) => !limit.secret.equals(secret)), { secret, until }]
    },
  }
}

const probeTimeoutMs = 10_000
const call: Call = { what: 'probing a key', method: 'GET', path: '/templates?limit=1' }

/** Whether the API takes a secret. Waits first where the API asked this key to; throws the signal's reason alone. */
export async function probeOnce(
  options: Omit<SenderOptions, 'credential'>,
  limits: Limits,
  secret: Secret,
  signal?: AbortSignal,
): Promise<ProbeAnswer> {
  const { clock, maxWaitMs, timeoutMs, apiNow } = options
  const waitMs = limits.until(secret) - clock.now()
  if (waitMs > 0) {
    const ms = Math.min(waitMs, maxWaitMs)
    options.onWait({ reason: 'rate-limit', what: call.what, ms })
    await clock.sleep(ms, signal)
  }
  if (waitMs > maxWaitMs) return 'unknown'
  const prober = createSender({ ...options, credential: secret })
  try {
    const answer = await prober.sendOnce(call, Math.min(probeTimeoutMs, timeoutMs), signal)
    if (answer.status === 401) return 'refused'
    // A web page of a network that wants a login is a 200 too.
    if (answer.status === 200 && isJson(answer)) return 'accepted'
    if (answer.status === 429) limits.set(secret, clock.now() + askedToWaitMs(answer, apiNow()))
    return 'unknown'
  } catch (error) {
    signal?.throwIfAborted()
    if (error instanceof KeysError) return 'unknown'
    throw error
  }
}

function askedToWaitMs(answer: HttpAnswer, now: number): number {
  const { what, method, path } = call
  const error = refusal({ what, call: `${method} ${path}`, namesKey: false, answer, now, secrets: [] })
  // A quota is no rate limit: it says nothing of when.
  return hasCode(error, 'rate-limit') ? (error.retryAfterMs ?? unsaidWaitMs) : 0
}

function isJson(answer: HttpAnswer): boolean {
  try {
    readJson(call.what, answer)
    return true
  } catch (error) {
    if (error instanceof KeysError) return false
    throw error
  }
}
