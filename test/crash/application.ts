import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

/** An application that runs all the while: it reads its key from where it finds it, calls the API with it, and again. */
export interface Application {
  /** How many answers it got. */
  calls(): number
  /** What it was refused, by the key it called with: there must be none. */
  refusals(): readonly string[]
  stop(): Promise<void>
}

/**
 * Starts one. Reading its key and sending the request are one turn of the loop, so that a key it read is a key the API
 * is asked about before anything that happens later; a store that answers later is read in its own time. `keysInUse` are read in turn, one for each place.
 */
export function startApplication(
  url: string,
  keysInUse: readonly (() => string | Promise<string>)[],
  everyMs: number,
): Application {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const refusals: string[] = []
  let calls = 0
  let stopped = false

  async function call(key: string): Promise<void> {
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const headers = { authorization: `Bearer ${key}`, 'user-agent': 'application' }
      request(`${url}/templates?limit=1`, { agent, headers }, (response) => {
        response.resume().once('end', () => resolve(response.statusCode))
      })
        .once('error', reject)
        .end()
    })
    calls += 1
    if (status !== 200) refusals.push(`${status} for ${key}`)
  }

  async function live(): Promise<void> {
    for (let turn = 0; !stopped; turn++) {
      await call((await keysInUse[turn % keysInUse.length]?.()) ?? '')
      await sleep(everyMs)
    }
  }

  const living = live().catch((error: unknown) => {
    if (!stopped) refusals.push(String(error))
  })
  return {
    calls: () => calls,
    refusals: () => refusals,
    async stop() {
      stopped = true
      await living
      agent.destroy()
    },
  }
}
