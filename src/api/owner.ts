import { randomBytes } from 'node:crypto'
import type { Clock } from '../clock.ts'
import { KeysError } from '../errors.ts'
import type { AuditEvent, CallOptions, ProbeAnswer } from './contract.ts'

const calls = 3
const looks = 3
const pauseMs = 200
/** Events read at one look: what a busy account adds in the time a look takes, many times over. */
const eventsRead = 500

interface OwnerOptions {
  clock: Clock
  /** Now by the API's clock. */
  apiNow: () => number
  /** One request with the secret under test, whose user agent ends with this mark. */
  call: (mark: string) => Promise<ProbeAnswer>
  auditLogs: (filter: { since: string }, options: CallOptions) => AsyncIterable<AuditEvent>
  signal?: AbortSignal | undefined
}

/**
 * The id of the key a secret belongs to: a request is made with it that nobody else could have made, and the audit log
 * says under which key it came in. Undefined where the API keeps no such log, or shows it too late.
 */
export async function findOwner({
  clock,
  apiNow,
  call,
  auditLogs,
  signal,
}: OwnerOptions): Promise<string | undefined> {
  const mark = randomBytes(8).toString('hex')
  // One that got lost on its way is in no log, and says nothing of whose the secret is.
  for (let attempt = 1; (await call(mark)) === 'unknown' && attempt < calls; attempt++) {
    await clock.sleep(pauseMs, signal)
  }
  // The API's clock is known to the second, and its log may cut instants to one.
  const since = new Date(apiNow() - 5_000).toISOString()
  for (let look = 0; look < looks; look++) {
    if (look > 0) await clock.sleep(pauseMs, signal)
    let seen = 0
    try {
      for await (const { userAgent, keyId } of auditLogs({ since }, { signal })) {
        if (userAgent.includes(mark)) return keyId
        if (++seen === eventsRead) break
      }
    } catch (error) {
      if (error instanceof KeysError) return undefined
      throw error
    }
  }
  return undefined
}
