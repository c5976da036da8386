import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { SandboxKey, SandboxOptions } from '../../src/sandbox/server.ts'
import { openAccount, type Account } from './account.ts'

/** The waits of a rotation, short. */
export const waits = ['--settle', '200ms', '--idle', '0s', '--usage-lag', '0s', '--wait', '20s']

/** The same, with --json. */
export const quick = [...waits, '--json']

/** What leaves a rotation open, with both keys, at once. */
export const leftOpen = [...quick, '--overlap', '24h', '--wait', '0s']

export interface Rotating extends Account {
  /** The key "Production Server", in the home's `.env`. */
  old: SandboxKey
  /** What the application in the home does with a secret. */
  call(secret: SandboxKey['secret']): Promise<unknown>
  /** The text of a file in the home. */
  read(name: string): Promise<string>
}

/** An account with a key to rotate. */
export async function openRotating(options: SandboxOptions = {}): Promise<Rotating> {
  const account = await openAccount(options)
  const { sandbox, home } = account
  // a day and an hour old: the API's clock is known to the second, and on the edge of a day it would tell 23h or 1d
  const old = sandbox.dashboard.create({ name: 'Production Server', createdAt: Date.now() - 25 * 3_600_000 })
  await writeFile(path.join(home.directory, '.env'), `PICTIFY_API_KEY=${old.secret.reveal()}\n`)
  return {
    ...account,
    old,
    call: (secret) =>
      fetch(`${sandbox.url}/templates?limit=1`, { headers: { authorization: `Bearer ${secret.reveal()}` } }),
    read: (name) => readFile(path.join(home.directory, name), 'utf8'),
  }
}
