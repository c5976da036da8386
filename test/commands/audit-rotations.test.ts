import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readOpenRotations } from '../../src/commands/audit-rotations.ts'
import { createJournals } from '../../src/rotation/journal.ts'
import { formatMark } from '../../src/rotation/marked-name.ts'
import { defaultWaits, type Journal } from '../../src/rotation/state.ts'
import { surveyed } from '../audit/survey-fixture.ts'

const api = { baseUrl: 'https://api.pictify.test', clockSkewMs: 5_000 }
const leaseUntil = Date.UTC(2026, 2, 1, 12, 30)

const journal: Journal = {
  id: '7f3a9c',
  apiUrl: api.baseUrl,
  state: 'overlapping',
  startedAt: '2026-03-01T11:00:00.000Z',
  updatedAt: '2026-03-01T11:30:00.000Z',
  oldKey: { id: 'key_abc123', name: 'Production Server', type: 'live' },
  newKey: { id: 'key_new456', createdAt: '2026-03-01T11:01:00.000Z' },
  lease: { until: leaseUntil, holder: 'ab12' },
  holders: [],
  fingerprint: 'none',
  targets: [],
  cwd: '/srv',
  waits: defaultWaits,
  strays: [],
  unheld: false,
  self: false,
  deleteOld: false,
  notes: [],
}
const mark = { plain: 'Production Server', oldId: 'key_abc123', fingerprint: 'none', holder: 'ab12' }
const marked = (id: string, rotationId: string, until = leaseUntil) =>
  surveyed({ id, name: formatMark({ ...mark, rotationId, leaseUntil: until }) })
const both = [surveyed(), marked('key_new456', '7f3a9c')]

let stateDir: string
beforeEach(async () => void (stateDir = await mkdtemp(path.join(tmpdir(), 'audit-rotations-'))))
afterEach(() => rm(stateDir, { recursive: true }))

/** What is open, after these journals were written. */
async function open(keys = both, ...journals: Journal[]) {
  for (const each of journals) await createJournals(stateDir).save(each)
  const warnings: string[] = []
  const out = { warn: (text: string) => void warnings.push(text) }
  const rotations = await readOpenRotations({ stateDir, out: out as never }, api, keys)
  return { rotations, warnings }
}

test('a journal says what it is about, its instants by the API’s clock', async () => {
  expect(await open(both, journal)).toEqual({
    warnings: [],
    rotations: {
      known: true,
      value: [
        {
          id: '7f3a9c',
          oldKeyId: 'key_abc123',
          replaces: expect.any(Function) as () => boolean,
          newKeyId: 'key_new456',
          startedAt: Date.UTC(2026, 2, 1, 11, 0, 5),
          leaseUntil,
          here: true,
        },
      ],
    },
  })
})

test.each<[string, Partial<Journal>]>([
  ['is done', { state: 'done' }],
  ['was undone', { state: 'aborted' }],
  ['is about another API', { apiUrl: 'https://other.test' }],
  ['is about keys of another account', { oldKey: { ...journal.oldKey, id: 'key_x' }, newKey: undefined }],
])('a rotation that %s is none', async (_, fields) => {
  expect((await open([surveyed()], { ...journal, id: 'aaaaaa', ...fields })).rotations).toEqual({
    known: true,
    value: [],
  })
})

test('the key that is replaced is known by its id and its name, where that is cut as well', async () => {
  const long = `${'Production Server of the newsletter '.repeat(2)}and more`
  const name = formatMark({ ...mark, plain: long, rotationId: 'bbbbbb', leaseUntil })
  const far = surveyed({ id: 'key_far789', name })
  expect(name).not.toContain(long)
  const { rotations } = await open([...both, far], journal)
  const [here, elsewhere] = rotations.known ? rotations.value : []
  expect(['key_abc123', 'Production Server', long, 'key_new456'].map((each) => here?.replaces(each))).toEqual(
    [true, true, false, false],
  )
  expect(['key_abc123', 'Production Server', long].map((each) => elsewhere?.replaces(each))).toEqual([
    ...[true, false, true],
  ])
})

test('a lease that was given up is nobody’s, in a journal and in a name', async () => {
  const keys = [...both, marked('key_far789', 'bbbbbb', 0)]
  const { rotations } = await open(keys, { ...journal, lease: { until: 0, holder: '' } })
  expect(rotations).toMatchObject({
    value: [
      { id: '7f3a9c', leaseUntil: undefined, here: true },
      { id: 'bbbbbb', newKeyId: 'key_far789', leaseUntil: undefined, here: false },
    ],
  })
})

test('a successor that its journal does not know yet is its own all the same', async () => {
  const { rotations } = await open(both, { ...journal, state: 'planned', newKey: undefined })
  expect(rotations).toMatchObject({ value: [{ id: '7f3a9c', newKeyId: 'key_new456', here: true }] })
})

test('a marked name without a journal is a rotation elsewhere, unless its key is revoked', async () => {
  const [old, successor] = both
  expect((await open()).rotations).toMatchObject({
    value: [
      {
        id: '7f3a9c',
        oldKeyId: 'key_abc123',
        newKeyId: 'key_new456',
        startedAt: Date.parse('2026-02-01T00:00:00Z'),
        leaseUntil,
        here: false,
      },
    ],
  })
  expect((await open([old!, { ...successor!, status: 'revoked' }])).rotations).toEqual({
    known: true,
    value: [],
  })
})

test('a journal that cannot be read is said, and its rotation is known to be here', async () => {
  await open(both, journal)
  const [file = ''] = await readdir(path.join(stateDir, 'rotations'))
  await writeFile(path.join(stateDir, 'rotations', file), 'torn')
  const { rotations, warnings } = await open()
  expect(rotations).toMatchObject({ value: [{ id: '7f3a9c', here: true }] })
  expect(warnings).toEqual([expect.stringContaining('is torn or not a journal')])
})

test('where the folder cannot be read, nothing is known', async () => {
  await writeFile(path.join(stateDir, 'rotations'), '')
  expect((await open()).rotations).toMatchObject({
    known: false,
    why: expect.stringContaining('rotation journals') as string,
  })
})
