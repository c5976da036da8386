import { execFile, spawn } from 'node:child_process'
import {
  copyFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createJournals } from '../../src/rotation/journal.ts'
import type { Journal } from '../../src/rotation/state.ts'

let stateDir: string
const folder = () => path.join(stateDir, 'rotations')
beforeEach(async () => {
  stateDir = await mkdtemp(path.join(tmpdir(), 'journals-'))
})
afterEach(() => rm(stateDir, { recursive: true, force: true }))

const journal: Journal = {
  id: '7f3a9c',
  apiUrl: 'https://api.pictify.io',
  state: 'minted',
  startedAt: '2026-01-01T00:00:00.000Z',
  updatedAt: '2026-01-01T00:00:00.000Z',
  oldKey: { id: 'key_a/../b', name: 'Production Server', type: 'live' },
  lease: { until: 0, holder: '' },
  holders: [],
  fingerprint: 'none',
  targets: [],
  cwd: '/srv',
  waits: {
    settleMs: 0,
    probes: 1,
    overlapMs: 0,
    idleMs: 0,
    usageLagMs: 0,
    waitMs: 0,
    verifyTimeoutMs: 0,
  },
  strays: [],
  unheld: false,
  self: false,
  deleteOld: false,
  notes: ['ünïcode'],
  escrow: [{ salt: 'a', iv: 'b', tag: 'c', data: 'd' }],
}

async function onlyFile(): Promise<string> {
  const [name, ...others] = await readdir(folder())
  expect(others).toEqual([])
  return path.join(folder(), name ?? '')
}

describe('a journal', () => {
  it('is read as it was written, from a file of mode 0600 in a folder of mode 0700', async () => {
    const journals = createJournals(stateDir)
    await journals.save(journal)
    expect(await journals.list()).toMatchObject([{ oldKeyId: 'key_a/../b', journal }])
    expect((await stat(await onlyFile())).mode & 0o777).toBe(0o600)
    expect((await stat(folder())).mode & 0o777).toBe(0o700)
  })

  it('keeps no sealed secret once it is over', async () => {
    const journals = createJournals(stateDir)
    await journals.save(journal)
    await journals.save({ ...journal, state: 'done' })
    expect(await readFile(await onlyFile(), 'utf8')).not.toContain('escrow')
  })

  it('lists the newest first, and nothing where there is nothing', async () => {
    const journals = createJournals(stateDir)
    expect(await journals.list()).toEqual([])
    await journals.save(journal)
    await journals.save({ ...journal, id: 'bbbbbb', startedAt: '2026-02-01T00:00:00.000Z' })
    const ids = (await journals.list()).map((entry) => ('journal' in entry ? entry.journal.id : ''))
    expect(ids).toEqual(['bbbbbb', '7f3a9c'])
  })

  it.each([
    ['cut short', (text: string) => text.slice(0, -20), /torn/],
    ['empty', () => '', /torn/],
    ['edited by hand', (text: string) => text.replace('"minted"', '"retired"'), /changed since/],
    ['of a newer version', (text: string) => text.replace('"version":1', '"version":2'), /version 2/],
    ['something else', () => '[1]', /not a journal/],
    ['null', () => 'null', /not a journal/],
  ])('that is %s is refused, not guessed at', async (_what, spoil, message) => {
    const journals = createJournals(stateDir)
    await journals.save(journal)
    const file = await onlyFile()
    await writeFile(file, spoil(await readFile(file, 'utf8')))
    const [entry] = await journals.list()
    expect(entry).toMatchObject({ oldKeyId: 'key_a/../b', problem: { code: 'journal-unreadable' } })
    expect(entry !== undefined && 'problem' in entry && entry.problem.message).toMatch(message)
  })

  it.each([
    ['a folder', (file: string) => mkdir(file), /not a regular file/],
    ['a pipe', (file: string) => promisify(execFile)('mkfifo', [file]), /not a regular file/],
    [
      'of 100 MB',
      async (file: string) => {
        await writeFile(file, '')
        await truncate(file, 100 * 1024 * 1024)
      },
      /larger than it may be/,
    ],
  ])('that is %s is refused, and can be set aside as it is', async (_what, make, message) => {
    const journals = createJournals(stateDir)
    await journals.save(journal)
    const file = await onlyFile()
    await rm(file)
    await make(file)
    const [entry] = await journals.list()
    expect(entry).toMatchObject({ oldKeyId: 'key_a/../b', rotationId: '7f3a9c' })
    expect(entry !== undefined && 'problem' in entry && entry.problem.message).toMatch(message)
    const before = await stat(file)
    const aside = await journals.setAside(entry ?? expect.fail())
    expect((await stat(aside)).ino).toBe(before.ino)
    expect(await journals.list()).toEqual([])
  })

  it('that lies under another rotation’s name, or another key’s, is refused', async () => {
    const journals = createJournals(stateDir)
    await journals.save(journal)
    const file = await onlyFile()
    for (const name of ['key_other.7f3a9c.json', 'key_a%2F..%2Fb.0abc12.json']) {
      await copyFile(file, path.join(folder(), name))
    }
    const entries = await journals.list()
    expect(entries.filter((entry) => 'journal' in entry)).toHaveLength(1)
    const problems = entries.flatMap((entry) => ('problem' in entry ? [entry.problem.message] : []))
    expect(problems).toHaveLength(2)
    for (const message of problems) expect(message).toMatch(/is of another rotation/)
  })

  it('is not read through a link, and a link in its place is replaced, not followed', async () => {
    const journals = createJournals(stateDir)
    await journals.save(journal)
    const file = await onlyFile()
    const outside = path.join(stateDir, 'outside')
    await writeFile(outside, await readFile(file))
    await rm(file)
    await symlink(outside, file)
    expect(await journals.list()).toMatchObject([{ problem: { code: 'journal-unreadable' } }])
    const before = await readFile(outside, 'utf8')
    await journals.save({ ...journal, state: 'accepted' })
    expect(await readFile(outside, 'utf8')).toBe(before)
    expect(await journals.list()).toMatchObject([{ journal: { state: 'accepted' } }])
  })

  it('that is not to be followed is set aside with its bytes', async () => {
    const journals = createJournals(stateDir)
    await journals.save(journal)
    const bytes = await readFile(await onlyFile())
    const [entry] = await journals.list()
    const aside = await journals.setAside(entry ?? expect.fail())
    expect(await readFile(aside)).toEqual(bytes)
    expect(await journals.list()).toEqual([])
  })

  it('says before anything is changed that there is no place for it', async () => {
    await writeFile(path.join(stateDir, 'file'), '')
    const journals = createJournals(path.join(stateDir, 'file'))
    await expect(journals.prove('key_a')).rejects.toMatchObject({ code: 'state-directory' })
    await expect(journals.save(journal)).rejects.toMatchObject({ code: 'state-directory' })
    await mkdir(path.join(stateDir, 'fine'))
    await createJournals(path.join(stateDir, 'fine')).prove('key_a')
    expect(await readdir(path.join(stateDir, 'fine', 'rotations'))).toEqual([])
  })

  it('is not joined by what a run left that was killed in its first write', async () => {
    const journals = createJournals(stateDir)
    await journals.prove('key_a')
    const ended = spawn(process.execPath, ['-e', ''])
    await new Promise((resolve) => ended.once('exit', resolve))
    const tail = `${ended.pid}-${'0'.repeat(24)}.tmp`
    const others = [`key_a.0abc12.json.${process.ppid}-${'0'.repeat(24)}.tmp`, `key_b.0abc12.json.${tail}`]
    for (const name of [...others, `key_a.0abc12.json.${tail}`])
      await writeFile(path.join(folder(), name), '')
    await journals.prove('key_a')
    expect((await readdir(folder())).sort()).toEqual(others.sort())
  })
})
