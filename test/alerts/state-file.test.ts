import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createStateFile, type AlertScope } from '../../src/alerts/state-file.ts'
import { incidentOf } from './fixture.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'alerts-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const scope: AlertScope = {
  apiUrl: 'https://api.pictify.test',
  profile: undefined,
  file: '/srv/pictify-keys.yaml',
}
const state = {
  checkedAt: '2026-03-01T12:00:00.000Z',
  incidents: [incidentOf()],
  warned: ['the API gives no usage: nothing is known by busy'],
  reaches: [{ rule: 'busy', keys: 'Web*', count: 3, meant: null }],
}

it('what was saved is read again; nothing was, at first', async () => {
  const file = createStateFile(folder, scope)
  expect(await file.read()).toEqual({ checkedAt: undefined, incidents: [], warned: [], reaches: [] })
  await file.save(state)
  expect(await createStateFile(folder, scope).read()).toEqual(state)
})

it('one of a version that kept less is read', async () => {
  const file = createStateFile(folder, scope)
  const { warned: _, reaches: __, ...before } = state
  await file.save(before as typeof state)
  expect(await file.read()).toEqual({ ...before, warned: [], reaches: [] })
})

it('is for its owner alone, whatever the umask', async () => {
  const before = process.umask(0)
  try {
    await createStateFile(folder, scope).save(state)
  } finally {
    process.umask(before)
  }
  const [name = ''] = await readdir(folder)
  expect((await stat(path.join(folder, name))).mode & 0o777).toBe(0o600)
})

it.each([
  ['API', { apiUrl: 'https://other.test' }],
  ['profile', { profile: 'acme' }],
  ['keys file', { file: '/srv/other.yaml' }],
])('another %s has a file of its own', async (_, fields) => {
  await createStateFile(folder, scope).save(state)
  expect((await createStateFile(folder, { ...scope, ...fields }).read()).incidents).toEqual([])
})

it.each([
  ['torn', (text: string) => text.slice(0, -20), 'is torn'],
  ['edited', (text: string) => text.replace('"firing"', '"recovered"'), 'was edited'],
  [
    'of a later version',
    (text: string) => text.replace('"version":1', '"version":2'),
    'is of version 2; this program knows 1',
  ],
  ['something else', () => '[]', 'is no file of alerts'],
  ['null', () => 'null', 'is no file of alerts'],
])('a file that is %s is refused, and left as it is', async (_, change, message) => {
  const file = createStateFile(folder, scope)
  await file.save(state)
  const spoilt = change(await readFile(file.path, 'utf8'))
  await writeFile(file.path, spoilt)
  await expect(file.read()).rejects.toMatchObject({
    code: 'alerts-state',
    message: expect.stringContaining(message) as string,
  })
  expect(await readFile(file.path, 'utf8')).toBe(spoilt)
})

it.skipIf(process.getuid?.() === 0)('a folder that cannot be written is said to be', async () => {
  await chmod(folder, 0o500)
  await expect(createStateFile(folder, scope).save(state)).rejects.toMatchObject({ code: 'state-directory' })
})
