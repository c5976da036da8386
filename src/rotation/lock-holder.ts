import { readRegularFile } from '../durable-file.ts'
import { KeysError } from '../errors.ts'
import { systemCode } from '../system-error.ts'

/** Whose a lock is, as its file says it. Instants are ISO 8601, by that host's clock. */
export interface Holder {
  pid: number
  start: string | undefined
  host: string
  nonce: string
  since: string
  /** Until when it stands by itself; only a lock with a lease has it. ISO 8601. */
  until?: string
}

/** Of a lock of earlier versions, which had none. */
const unsaidLeaseMs = 24 * 3_600_000

/** Undefined where there is no lock. */
export async function readHolder(file: string): Promise<Holder | undefined> {
  try {
    const holder = JSON.parse((await readRegularFile(file, { sizeLimit })).toString()) as unknown
    if (!isHolder(holder)) throw new Error('it names no process')
    return holder
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return undefined
    if (systemCode(cause) !== undefined && !notOurs.has(systemCode(cause) ?? '')) throw cause
    throw new KeysError('state-directory', `${file} is not a lock of ours`, {
      hint: 'when no other run is under way, remove that file',
      cause,
    })
  }
}

function isHolder(lock: unknown): lock is Holder {
  const { pid, host, nonce } = (lock ?? {}) as Partial<Holder>
  return Number.isInteger(pid) && typeof host === 'string' && /^[0-9a-f]{16}$/.test(nonce ?? '')
}

/** A lock holds a few words. */
const sizeLimit = 16 * 1024
const notOurs = new Set(['EFTYPE', 'EFBIG'])

/** When a lock of another host stands no longer by itself. */
export function leaseEndOf({ until, since }: Holder): string {
  if (until !== undefined) return until
  const begin = new Date(since)
  return Number.isNaN(begin.getTime()) ? '' : laterBy(unsaidLeaseMs, begin)
}

export function laterBy(ms: number, than: Date): string {
  return new Date(than.getTime() + ms).toISOString()
}
