import path from 'node:path'
import type { StateFile } from '../alerts/state-file.ts'
import type { Context } from '../context.ts'
import { acquireAlertsLock, alertsLeaseMs } from '../rotation/lock.ts'

/**
 * Does what only one check may do at a time. Its lock is renewed all the while, and before anything is saved: who lost it, to a
 * host that took him for dead, writes nothing more. Throws `alerts-locked`.
 */
export async function withAlertsLock<T>(
  { stateDir, processes, clock }: Pick<Context, 'stateDir' | 'processes' | 'clock'>,
  file: StateFile,
  work: (file: StateFile) => Promise<T>,
): Promise<T> {
  const lock = await acquireAlertsLock(stateDir, path.basename(file.path, '.json'), processes)
  const ended = new AbortController()
  // what does not succeed now may the next time, and is told where it matters: when something is saved
  const renewing = keepOn(() => lock.renew().catch(() => {})).catch(() => {})
  try {
    return await work({
      ...file,
      async save(state) {
        await lock.renew()
        await file.save(state)
      },
    })
  } finally {
    ended.abort()
    await renewing
    await lock.release()
  }

  async function keepOn(renew: () => Promise<void>): Promise<never> {
    for (;;) {
      await clock.sleep(alertsLeaseMs / 4, ended.signal)
      await renew()
    }
  }
}
