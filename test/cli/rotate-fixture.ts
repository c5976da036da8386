import { chmod, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, expect } from 'vitest'
import type { Ran } from './program.ts'
import { openRotating, waits, type Rotating } from './rotating.ts'

interface RotatingInFile extends Rotating {
  envFile: string
  /** What `.env` held at first: more than the key. */
  envBefore: () => string
  /** Rotates the key by its name, with short waits. */
  rotate: (...args: string[]) => Promise<Ran>
  /** Every key but the admin's. */
  ordinary: () => Rotating['old'][]
  active: () => Rotating['old'][]
  expectUndone: () => Promise<void>
  expectNothingChanged: (ran: Ran, exit: number) => Promise<void>
}

/** For the suite it is called in: an account for each test, with a key to rotate in a `.env` that has a mode and more lines. */
export function useRotating(): RotatingInFile {
  const account = {
    envBefore: () => `# ours\nPICTIFY_API_KEY='${account.old.secret.reveal()}'\r\nPORT=80`,
    rotate: (...args) => account.run(['rotate', 'Production Server', ...waits, ...args]),
    ordinary: () => account.sandbox.keys().filter(({ access }) => access !== 'admin'),
    active: () => account.ordinary().filter(({ status }) => status === 'active'),
    async expectUndone() {
      const { id, name } = account.old
      expect(account.keys()).toEqual([{ id, name, status: 'active' }])
      expect(await readFile(account.envFile, 'utf8')).toBe(account.envBefore())
    },
    async expectNothingChanged(ran, exit) {
      expect(ran.exit, ran.stderr).toBe(exit)
      await account.expectUndone()
      expect(account.sandbox.requests.filter(({ method }) => method !== 'GET')).toEqual([])
    },
  } as RotatingInFile
  beforeEach(async () => {
    Object.assign(account, await openRotating({ propagationMs: 100, plan: 'business' }))
    account.envFile = path.join(account.home.directory, '.env')
    await writeFile(account.envFile, account.envBefore())
    await chmod(account.envFile, 0o640)
  })
  afterEach(() => account.end())
  return account
}
