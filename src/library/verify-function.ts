import type { Clock } from '../clock.ts'
import { formatDuration } from '../duration.ts'
import { hasCode, KeysError } from '../errors.ts'
import type { Verify } from '../rotation/run.ts'
import { redact, type Secret } from '../secret.ts'
import { limitTime } from '../targets/time-limit.ts'

/**
 * The caller's own check. In the journal it has a name that no shell finds, so that `rotate --resume` of the command line
 * refuses to go on without it.
 */
export function createVerifyFunction(
  verify: (secret: Secret, signal: AbortSignal) => void | Promise<void>,
  timeoutMs: number,
  clock: Clock,
): Verify {
  const late = () =>
    new KeysError('verify-failed', `the verify function took longer than ${formatDuration(timeoutMs)}`, {
      hint: 'see what it waits for; verifyTimeoutMs says how long it may take',
    })
  return {
    command: 'function:verify',
    timeoutMs,
    exists: async () => true,
    async run(secret, signal) {
      try {
        await limitTime(clock, timeoutMs, signal, late, async (inner) => verify(secret, inner))
      } catch (error) {
        if (signal.aborted || hasCode(error, 'verify-failed')) throw error
        const message = error instanceof Error ? error.message : String(error)
        throw new KeysError('verify-failed', redact(`the verify function failed: ${message}`, [secret]), {
          hint: 'mend what it found, then make the same call again',
          cause: error,
        })
      }
    },
  }
}
