import { setTimeout as sleep } from 'node:timers/promises'
import {
  createSandbox,
  type Sandbox,
  type SandboxKey,
  type SandboxOptions,
} from '../../src/sandbox/server.ts'
import { createHome, type Home, type Ran } from './program.ts'

/** The program in a home of its own, signed in by its environment to a sandbox of its own. */
export interface Account {
  sandbox: Sandbox
  home: Home
  run: (args: readonly string[], options?: Parameters<Home['run']>[1]) => Promise<Ran>
  /** The ids and names of every key but the admin's. */
  keys(): { id: string; name: string; status: string }[]
  end(): Promise<void>
}

export async function openAccount(options: SandboxOptions = {}): Promise<Account> {
  const sandbox = await createSandbox({ propagationMs: 0, seed: 3, ...options })
  const home = await createHome({
    PICTIFY_API_URL: sandbox.url,
    PICTIFY_ADMIN_KEY: sandbox.adminKey.reveal(),
  })
  return {
    sandbox,
    home,
    run: (args, runOptions) => home.run(args, runOptions),
    keys: () =>
      sandbox
        .keys()
        .filter(({ access }) => access !== 'admin')
        .map(({ id, name, status }) => ({ id, name, status })),
    async end() {
      await sandbox.close()
      await home.remove()
    },
  }
}

/** A live key of 90 days, last used then; never, where that is not said. */
export function agedKey({ sandbox }: Account, name: string, lastUsedAt?: number): SandboxKey {
  const createdAt = Date.now() - 90 * 86_400_000
  return sandbox.dashboard.create({ name, type: 'live', createdAt, ...(lastUsedAt && { lastUsedAt }) })
}

interface ErrorDocument {
  error: { code: string; message: string; hint?: string; status?: number }
}

/** Resolves once all that was done before is past by the API's clock too, which is known to the second. */
export async function secondOver(): Promise<void> {
  await sleep(1_000 - (Date.now() % 1_000) + 10)
}

/** A log without the times of its lines. */
export function untimed(log: string): string {
  return log.replaceAll(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ {2}/gm, '')
}

/** The error of a run with --json: the one object that stderr ends with. */
export function errorOf({ stderr }: Ran): ErrorDocument['error'] {
  const last = stderr.trimEnd().split('\n').at(-1) ?? ''
  return (JSON.parse(last) as ErrorDocument).error
}
