import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createDigestFile, type DigestFile } from '../../src/alerts/digest-file.ts'
import type { KeptLog } from '../../src/alerts/log-reading.ts'

let folder: string
let file: DigestFile
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'alerts-'))
  const scope = { apiUrl: 'https://api.pictify.test', profile: undefined, file: '/srv/pictify-keys.yaml' }
  file = createDigestFile({ path: path.join(folder, '0123456789abcdef.json'), scope })
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const kept: KeptLog = {
  settings: { sinceMs: 604_800_000, recentMs: 86_400_000, workingHours: null },
  account: ['key_abc123'],
  since: 1_772_280_000_000,
  until: 1_772_884_800_000,
  digest: [['key_abc123', [[0, '8.8.8.0/24', [492_300, 2, 0, 59_999]]]]],
}

it('lies beside the state of the alerts, for its owner alone, whatever the umask', async () => {
  expect(await file.read()).toEqual({
    kept: undefined,
    why: 'no earlier check kept any of it',
    isSpoilt: false,
  })
  const before = process.umask(0)
  try {
    await file.save(kept)
  } finally {
    process.umask(before)
  }
  expect(file.path).toBe(path.join(folder, '0123456789abcdef.log.json'))
  expect((await stat(file.path)).mode & 0o777).toBe(0o600)
  expect(await file.read()).toEqual({ kept, isSpoilt: false })
})

it('goes where there is nothing to keep, there or not', async () => {
  await file.save(kept)
  await file.save(undefined)
  await file.save(undefined)
  expect(await file.read()).toMatchObject({ kept: undefined, isSpoilt: false })
})

it.each([
  ['torn', (text: string) => text.slice(0, -20), 'is torn, or was edited', true],
  ['empty', () => '', 'is torn, or was edited', true],
  ['edited', (text: string) => text.replace('59999', '59998'), 'is torn, or was edited', true],
  ['something else', () => '[]', 'is torn, or was edited', true],
  ['of a later version', (text: string) => text.replace('"version":1', '"version":2'), 'of version 2', false],
])('a file that is %s is read as none, and written anew', async (_, change, why, isSpoilt) => {
  await file.save(kept)
  await writeFile(file.path, change(await readFile(file.path, 'utf8')))
  expect(await file.read()).toEqual({
    kept: undefined,
    why: expect.stringContaining(why) as string,
    isSpoilt,
  })
  await file.save(kept)
  expect(await file.read()).toEqual({ kept, isSpoilt: false })
})

it('what is no file is said to be, and cannot be written over', async () => {
  await mkdir(file.path)
  expect(await file.read()).toMatchObject({ kept: undefined, isSpoilt: true })
  await expect(file.save(kept)).rejects.toMatchObject({ code: 'state-directory' })
})
