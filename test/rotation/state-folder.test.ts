import { chmod, chown, lstat, mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createProcesses } from '../../src/processes.ts'
import { createJournals } from '../../src/rotation/journal.ts'
import { acquireLock } from '../../src/rotation/lock.ts'
import { findStateFolder, openStateFolder } from '../../src/rotation/state-folder.ts'

let home: string
let stateDir: string
beforeEach(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'state-'))
  stateDir = path.join(home, 'state')
})
afterEach(() => rm(home, { recursive: true, force: true }))

const lock = () =>
  acquireLock(
    stateDir,
    'key_a',
    createProcesses(process.pid, process.platform, (pid) => process.kill(pid, 0)),
    true,
  )

it('a folder that is missing is made for its owner alone, and left alone where it is', async () => {
  const folder = await openStateFolder(stateDir, 'rotations')
  expect((await stat(folder)).mode & 0o777).toBe(0o700)
  await chmod(folder, 0o755)
  await openStateFolder(stateDir, 'rotations')
  expect((await stat(folder)).mode & 0o777).toBe(0o755)
})

it.each(['locks', 'rotations'] as const)('%s that others can write in is not believed', async (name) => {
  const folder = await openStateFolder(stateDir, name)
  for (const mode of [0o770, 0o702]) {
    await chmod(folder, mode)
    await expect(openStateFolder(stateDir, name)).rejects.toMatchObject({
      code: 'state-directory',
      hint: `see whether what lies there is yours, then: chmod go-w ${folder}`,
    })
  }
})

it('one that is a link is not followed', async () => {
  await mkdir(stateDir)
  await mkdir(path.join(home, 'elsewhere'))
  for (const name of ['locks', 'rotations']) await symlink('../elsewhere', path.join(stateDir, name))
  await expect(lock()).rejects.toThrow('is a symbolic link')
  const journals = createJournals(stateDir)
  await expect(journals.list()).rejects.toThrow('is a symbolic link')
  await expect(journals.prove('key_a')).rejects.toThrow('is a symbolic link')
  expect(await readdir(path.join(home, 'elsewhere'))).toEqual([])
})

it('a state directory in which everybody may put another folder is not believed; a sticky one is', async () => {
  await openStateFolder(stateDir, 'rotations')
  await chmod(stateDir, 0o777)
  await expect(createJournals(stateDir).list()).rejects.toMatchObject({
    code: 'state-directory',
    message: `${stateDir} can be written by everyone, and what it says cannot be believed`,
  })
  await chmod(stateDir, 0o1777)
  expect(await createJournals(stateDir).list()).toEqual([])
})

it('the state directory may be a link: the user named it', async () => {
  await mkdir(path.join(home, 'real'), { mode: 0o700 })
  await symlink('real', stateDir)
  await openStateFolder(stateDir, 'locks')
  expect((await lstat(path.join(home, 'real', 'locks'))).isDirectory()).toBe(true)
})

it('that is missing is no failure where it is only looked for', async () => {
  expect(await findStateFolder(stateDir, 'rotations')).toBeUndefined()
  await mkdir(stateDir)
  expect(await findStateFolder(stateDir, 'rotations')).toBeUndefined()
})

it.each([
  ['locks', 'locks'],
  ['rotations', 'rotation journals'],
] as const)('that is a file is named, be it made or looked for (%s)', async (name, what) => {
  await writeFile(stateDir, '')
  const named = {
    code: 'state-directory',
    message: expect.stringContaining(`cannot keep ${what} in ${path.join(stateDir, name)}`) as string,
  }
  await expect(openStateFolder(stateDir, name)).rejects.toMatchObject(named)
  await expect(findStateFolder(stateDir, name)).rejects.toMatchObject(named)
})

it('is not taken for made where it cannot be', async () => {
  await symlink('nowhere', stateDir)
  await expect(openStateFolder(stateDir, 'locks')).rejects.toMatchObject({ code: 'state-directory' })
})

it.skipIf(process.getuid?.() !== 0)('that belongs to another user is not believed', async () => {
  const folder = await openStateFolder(stateDir, 'rotations')
  await chown(folder, 65_534, 65_534)
  await expect(findStateFolder(stateDir, 'rotations')).rejects.toThrow('belongs to another user')
})
