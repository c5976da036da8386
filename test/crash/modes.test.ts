import { chmod, readdir } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { at, expectRotated, line, openAttempt, type Attempt } from './broken-disk.ts'
import { modeOf } from './files.ts'

// Whatever the umask: what is ours is for our eyes only, and what was there keeps its mode.

let attempt: Attempt
beforeEach(async () => {
  attempt = await openAttempt()
})
afterEach(() => attempt.end())

/** The mode of every file and folder below, by kind. */
async function modesIn(folder: string): Promise<Record<'files' | 'folders', string[]>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const modes = { files: new Set<string>(), folders: new Set([await modeOf(folder)]) }
  for (const entry of entries) {
    modes[entry.isDirectory() ? 'folders' : 'files'].add(
      await modeOf(path.join(entry.parentPath, entry.name)),
    )
  }
  return { files: [...modes.files], folders: [...modes.folders] }
}

it.each(['000', '077', '777'])('umask %s', async (umask) => {
  const { home } = attempt
  const ours = { files: ['600'], folders: ['700'] }
  const first = `umask ${umask}`
  const inHome = (name: string) => path.join(home.directory, name)

  const signedIn = await home.run(['login', '--store', 'file', '--json'], {
    first,
    input: attempt.sandbox.adminKey.reveal(),
    env: { PICTIFY_ADMIN_KEY: undefined },
  })
  expect(signedIn.exit, signedIn.stderr).toBe(0)
  expect(await modesIn(inHome('config'))).toEqual(ours)

  await chmod(inHome('.env'), 0o640)
  const args = [...line, '--to', 'file:made', '--no-evidence']
  const whole = at({ point: 'after rename ~/.env', nth: 1 }, { what: 'SIGKILL', reads: false })
  const killed = await attempt.attempt(whole, args, { first })
  expect(killed.signal, killed.stderr).toBe('SIGKILL')
  // The journal and the lock of the dead are both there.
  expect(await readdir(home.stateDir)).toEqual(['locks', 'rotations'])
  expect(await readdir(path.join(home.stateDir, 'locks'))).toHaveLength(1)
  expect(await modesIn(home.stateDir)).toEqual(ours)

  const ran = await home.run(args, { first })
  expect(ran.exit, ran.stderr).toBe(0)
  await expectRotated(attempt, umask)
  expect(await modesIn(home.stateDir)).toEqual(ours)
  expect([await modeOf(inHome('.env')), await modeOf(inHome('made'))]).toEqual(['640', '600'])
})
