import {
  mkdir,
  lstat,
  readdir,
  readFile,
  readlink,
  rename,
  stat,
  symlink,
  writeFile,
  chmod,
  chown,
} from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { errorOf } from '../cli/account.ts'
import { at, expectRotated, expectSafe, line, openAttempt, type Attempt } from './broken-disk.ts'

// What somebody else put in the place of a file of ours is not followed out of it, and a folder of others not believed.

let attempt: Attempt
let victim: string
const precious = 'not yours to write'
beforeEach(async () => {
  attempt = await openAttempt()
  victim = path.join(attempt.home.directory, 'victim')
  await writeFile(victim, precious, { mode: 0o644 })
})
afterEach(() => attempt.end())

const inState = (...names: string[]) => path.join(attempt.home.stateDir, ...names)

async function expectUntouched(): Promise<void> {
  expect(await readFile(victim, 'utf8')).toBe(precious)
  expect((await stat(victim)).mode & 0o777).toBe(0o644)
}

describe('a link in the place of', () => {
  it('the lock is not followed, and named', async () => {
    await mkdir(inState('locks'), { recursive: true, mode: 0o700 })
    // One that leads nowhere, too: it must not be waited for.
    for (const target of [victim, 'nowhere']) {
      const lock = inState('locks', `${attempt.old.id}.lock`)
      await symlink(target, lock)
      const ran = await attempt.attempt()
      expect(ran.exit).toBe(1)
      expect(errorOf(ran)).toMatchObject({
        code: 'state-directory',
        message: `${lock} is not a lock of ours`,
        hint: 'when no other run is under way, remove that file',
      })
      expect(await readlink(lock)).toBe(target)
      await rename(lock, `${lock}.gone`)
    }
    await expectUntouched()
    await expectSafe(attempt, 'planted')
  })

  it.each(['locks', 'rotations'])('the folder %s is not followed, and named', async (name) => {
    const elsewhere = path.join(attempt.home.directory, 'elsewhere')
    await mkdir(elsewhere, { mode: 0o700 })
    await mkdir(attempt.home.stateDir, { mode: 0o700 })
    await symlink(elsewhere, inState(name))
    const ran = await attempt.attempt()
    expect(ran.exit).toBe(1)
    expect(errorOf(ran)).toMatchObject({ code: 'state-directory' })
    expect(errorOf(ran).message).toContain(`${inState(name)} is a symbolic link`)
    expect(await readdir(elsewhere)).toEqual([])
    await expectSafe(attempt, 'planted')
  })

  it('the whole state directory is the user’s choice', async () => {
    const elsewhere = path.join(attempt.home.directory, 'elsewhere')
    await mkdir(elsewhere, { mode: 0o700 })
    await symlink(elsewhere, attempt.home.stateDir)
    const ran = await attempt.attempt()
    expect(ran.exit, ran.stderr).toBe(0)
    await expectRotated(attempt, 'linked')
    expect(await readdir(path.join(elsewhere, 'rotations'))).toHaveLength(1)
  })

  it('.env is followed to the file behind it, which changes, and stays a link', async () => {
    const link = path.join(attempt.home.directory, '.env')
    const real = path.join(attempt.home.directory, 'config.env')
    await rename(link, real)
    await symlink('config.env', link)
    const ran = await attempt.attempt()
    expect(ran.exit, ran.stderr).toBe(0)
    await expectRotated(attempt, 'linked')
    expect(await readlink(link)).toBe('config.env')
    expect((await lstat(real)).isFile()).toBe(true)
  })
})

describe('a link that appears at the very name, right before the file is made', () => {
  it.each([
    ['the temporary file of .env', 'open ~/.env.tmp', 0],
    ['the temporary file of the journal', 'open ~/state/rotations/:id.json.tmp', 7],
    ['the lock that is to be', 'open ~/state/locks/:id.lock.*.new', 1],
    ['what the state directory is tried with', 'open ~/state/rotations/:id.writable.tmp', 1],
  ])('as %s is not followed', async (_what, words, exit) => {
    const ran = await attempt.attempt({
      ...at({ point: `before ${words}`, nth: 1 }, { what: 'plant' }),
      plant: victim,
    })
    await expectUntouched()
    expect(ran.exit, ran.stderr).toBe(exit)
    expect(ran.stderr).not.toContain('internal')
    await expectSafe(attempt, 'planted')
    const again = exit === 0 ? ran : await attempt.attempt()
    expect(again.exit, again.stderr).toBe(0)
  })

  it.each([1, 12])('as the journal is replaced, not followed (entry %d)', async (nth) => {
    const words = 'before rename ~/state/rotations/:id.json'
    const ran = await attempt.attempt({
      ...at({ point: words, nth }, { what: 'plant' }),
      plant: victim,
    })
    expect(ran.exit, ran.stderr).toBe(0)
    await expectUntouched()
    await expectRotated(attempt, 'planted')
  })
})

describe('a state directory that others can write in', () => {
  const open = ['rotate', '--resume', '--json']

  it.each(['locks', 'rotations'])('by its folder %s is not believed', async (name) => {
    await mkdir(inState('locks'), { recursive: true, mode: 0o700 })
    await mkdir(inState('rotations'), { mode: 0o700 })
    await chmod(inState(name), 0o770)
    const ran = await attempt.attempt()
    expect(ran.exit).toBe(1)
    expect(errorOf(ran)).toMatchObject({
      code: 'state-directory',
      hint: `see whether what lies there is yours, then: chmod go-w ${inState(name)}`,
    })
    await chmod(inState(name), 0o700)
    expect((await attempt.attempt()).exit).toBe(0)
  })

  it('itself is not believed, but where only owners may move what is in it', async () => {
    await mkdir(inState('rotations'), { recursive: true, mode: 0o700 })
    await chmod(attempt.home.stateDir, 0o777)
    for (const args of [line, open, ['rotations', '--json']]) {
      const ran = await attempt.attempt(undefined, args)
      expect(ran.exit).toBe(1)
      expect(errorOf(ran).message).toContain(`${attempt.home.stateDir} can be written by everyone`)
    }
    await chmod(attempt.home.stateDir, 0o1777)
    expect((await attempt.attempt()).exit).toBe(0)
  })

  it.skipIf(process.getuid?.() !== 0)(
    'because it is theirs is not believed (needs root, to give it away)',
    async () => {
      await mkdir(inState('rotations'), { recursive: true, mode: 0o700 })
      await chown(inState('rotations'), 65_534, 65_534)
      const ran = await attempt.attempt()
      expect(ran.exit).toBe(1)
      expect(errorOf(ran).message).toContain(`${inState('rotations')} belongs to another user`)
    },
  )
})
