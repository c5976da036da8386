import { execFileSync, spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemCode } from '../../src/system-error.ts'
import { errorOf } from '../cli/account.ts'
import { printFigures } from '../figures.ts'
import {
  expectRotated,
  expectSafe,
  expectToldWell,
  line,
  openAttempt,
  tally,
  type Attempt,
} from './broken-disk.ts'

// Disks of a few pages that are really full or really read-only. Only root may mount them: elsewhere these tests are
// skipped, by name.

const canMount = await tryMount()
const mounted = canMount ? describe : describe.skip

async function tryMount(): Promise<boolean> {
  const folder = await mkdtemp(path.join(tmpdir(), 'pictify-keys-mount-'))
  const isDone = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder]).status === 0
  if (isDone) execFileSync('umount', [folder])
  await rm(folder, { recursive: true })
  return isDone
}

let attempt: Attempt
let mounts: string[]
const counts = tally()
beforeEach(async () => {
  attempt = await openAttempt()
  mounts = []
})
afterEach(async () => {
  for (const folder of mounts) execFileSync('umount', [folder])
  await attempt.end()
})
afterAll(() => {
  const title = 'disks that are really full or read-only'
  printFigures(title, canMount ? counts.totals() : { skipped: 'only root may mount one' })
})

async function mount(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k,mode=700', 'tmpfs', folder])
  mounts.push(folder)
}

const remount = (folder: string, how: 'ro' | 'rw') => execFileSync('mount', ['-o', `remount,${how}`, folder])

/** Fills the disk but for some pages of 4 KB; what is returned frees it again. */
async function fill(folder: string, pages: number): Promise<() => Promise<void>> {
  const filler = path.join(folder, 'filler')
  await writeFile(filler, Buffer.alloc(64 * 1024)).catch((error: unknown) => {
    if (systemCode(error) !== 'ENOSPC') throw error
  })
  const { size } = await readFile(filler).then((bytes) => ({ size: bytes.length }))
  await writeFile(filler, Buffer.alloc(size - pages * 4_096))
  return () => rm(filler)
}

/** The application's file on a disk of its own: the name it is known by leads there. */
async function mountEnv(): Promise<string> {
  const folder = path.join(attempt.home.directory, 'app')
  await mount(folder)
  const link = path.join(attempt.home.directory, '.env')
  await writeFile(path.join(folder, '.env'), await readFile(link))
  await rm(link)
  await symlink(path.join(folder, '.env'), link)
  return folder
}

async function run(where: string, args: readonly string[] = line) {
  const ran = await attempt.attempt(undefined, args)
  expectToldWell(ran, where)
  await expectSafe(attempt, where)
  counts.add(ran.exit, attempt.looks())
  return ran
}

async function runWell(args: readonly string[] = line): Promise<void> {
  const again = await attempt.attempt(undefined, args)
  expect(again.exit, again.stderr).toBe(0)
  await expectRotated(attempt, 'the disk is well')
  expect(attempt.looks().refused).toBe(0)
}

const posts = () => attempt.sandbox.requests.filter(({ method }) => method === 'POST')

mounted(canMount ? 'a real disk' : 'a real disk (SKIPPED: only root may mount one)', () => {
  it.each([0, 1, 2, 3, 4, 5, 6, 8])('of the state directory with %d pages left', async (pages) => {
    const { stateDir } = attempt.home
    await mount(stateDir)
    const free = await fill(stateDir, pages)
    const ran = await run(`${pages} pages`)
    if (pages < 4) {
      expect(ran.exit).toBe(1)
      expect(errorOf(ran).message).toContain('the disk is full')
      expect(posts()).toEqual([])
    }
    await free()
    if (ran.exit !== 0) await runWell()
  })

  it('of the state directory that fills up in the middle of the rotation', async () => {
    const { stateDir, directory } = attempt.home
    await mount(stateDir)
    const filler = path.join(stateDir, 'filler')
    const script = path.join(directory, 'fill.sh')
    await writeFile(script, `test -e '${directory}/well' || cat /dev/zero > '${filler}' 2> /dev/null; true\n`)
    const args = [...line, '--verify', `sh ${script}`]
    const ran = await run('filled by the verify command', args)
    expect(ran.exit).toBe(7)
    expect(errorOf(ran).message).toMatch(
      /stopped at delivered: cannot keep rotation journals in .*: the disk is full/,
    )
    // Still full: nothing is made worse.
    const still = await run('still full', args)
    expect(still.exit).toBe(1)
    await rm(filler)
    await writeFile(path.join(directory, 'well'), '')
    await runWell(args)
    expect(posts().filter(({ path: at }) => at === '/api-keys')).toHaveLength(1)
  })

  it('of the application that is full is found out before anything is minted', async () => {
    const folder = await mountEnv()
    const free = await fill(folder, 0)
    const ran = await run('full')
    expect(ran.exit).toBe(1)
    expect(errorOf(ran)).toMatchObject({ code: 'target-refused', hint: 'free some space' })
    expect(posts()).toEqual([])
    await free()
    await runWell()
  })

  it('that is read-only, of the application', async () => {
    const folder = await mountEnv()
    remount(folder, 'ro')
    const ran = await run('read-only')
    expect(ran.exit).toBe(1)
    expect(errorOf(ran)).toMatchObject({ code: 'target-refused' })
    expect(errorOf(ran).message).toContain('the file system is read-only')
    remount(folder, 'rw')
    await runWell()
  })

  it('that is read-only, of the state directory, before a rotation and in it', async () => {
    const { stateDir, directory } = attempt.home
    await mount(stateDir)
    remount(stateDir, 'ro')
    const ran = await run('read-only')
    expect(ran.exit).toBe(1)
    expect(errorOf(ran).message).toContain('the file system is read-only')
    remount(stateDir, 'rw')
    const script = path.join(directory, 'remount.sh')
    await writeFile(script, `test -e '${directory}/well' || mount -o remount,ro '${stateDir}'\n`)
    const args = [...line, '--verify', `sh ${script}`]
    const midway = await run('read-only from the verify command on', args)
    expect(midway.exit).toBe(7)
    remount(stateDir, 'rw')
    await writeFile(path.join(directory, 'well'), '')
    await runWell(args)
  })

  it('of the profile that is full: the admin key is not rotated away from it', async () => {
    const folder = path.join(attempt.home.directory, 'config')
    await mount(folder)
    const env = { PICTIFY_ADMIN_KEY: undefined }
    const input = attempt.sandbox.adminKey.reveal()
    const signedIn = await attempt.home.run(['login', '--store', 'file', '--json'], { env, input })
    expect(signedIn.exit, signedIn.stderr).toBe(0)
    const free = await fill(folder, 0)
    const own = attempt.sandbox.keys().find(({ access }) => access === 'admin')
    const args = ['rotate', own?.id ?? '', '--self', ...line.slice(4)]
    const ran = await attempt.home.run(args, { env })
    expect(ran.exit, ran.stderr).toBe(1)
    expect(errorOf(ran).message).toContain('the disk is full')
    await free()
    const again = await attempt.home.run(args, { env })
    expect(again.exit, again.stderr).toBe(0)
    const admins = attempt.sandbox.keys().filter(({ access }) => access === 'admin')
    expect(admins.map(({ status }) => status).sort()).toEqual(['active', 'revoked'])
    const listed = await attempt.home.run(['list', '--json'], { env })
    expect(listed.exit, listed.stderr).toBe(0)
  })
})
