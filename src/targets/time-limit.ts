import type { Clock } from '../clock.ts'

/**
 * Runs `call` for `ms` at most; then its signal aborts, and what `late` makes of that is thrown, whether the call heeds
 * the signal or not. `outer` ends it at any time, with its own reason.
 */
export async function limitTime<T>(
  clock: Clock,
  ms: number,
  outer: AbortSignal | undefined,
  late: () => Error,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  outer?.throwIfAborted()
  const inner = new AbortController()
  const over = new AbortController()
  let lateness: Error | undefined
  const signal = outer ? AbortSignal.any([outer, inner.signal]) : inner.signal
  const limit = clock.sleep(ms, AbortSignal.any(outer ? [outer, over.signal] : [over.signal]))
  try {
    return await Promise.race([
      call(signal),
      limit.then(() => {
        lateness = late()
        inner.abort(lateness)
        throw lateness
      }),
    ])
  } catch (error) {
    outer?.throwIfAborted()
    throw lateness ?? error
  } finally {
    over.abort()
    limit.catch(() => undefined)
  }
}
