// Whose receipts are listed, exported and filed, where a machine has rotated for several accounts.
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createJournals } from '../../src/rotation/journal.ts'
import { errorOf } from './account.ts'
import { openRotating, quick, type Rotating } from './rotating.ts'

let account: Rotating
/** Rotations: two of this account, the first one's keys all gone; of another at the same API; of another API. */
let own: string[]
const sameApi = 'aaaaaa'
const otherApi = 'bbbbbb'

const at = (name: string) => path.join(account.home.directory, name)
const rotations = (...args: string[]) => account.run(['rotations', ...args])
const exportTo = async (file: string, ...args: string[]) => {
  const ran = await rotations('export', '--sign-key', 'sign-key.pem', '--out', file, '--json', ...args)
  expect(ran.exit, ran.stderr).toBe(0)
  const { export: said } = JSON.parse(ran.stdout) as { export: object }
  const lines = (await readFile(at(file), 'utf8')).trimEnd().split('\n')
  const payloads = lines.map(
    (line) =>
      JSON.parse(Buffer.from((JSON.parse(line) as { payload: string }).payload, 'base64').toString()) as {
        receipt?: { id: string }
        head?: object
      },
  )
  return { said, ids: payloads.flatMap(({ receipt }) => receipt?.id ?? []), head: payloads.at(-1)?.head }
}

beforeAll(async () => {
  account = await openRotating()
  own = []
  for (let round = 0; round < 2; round += 1) {
    const args = ['rotate', 'Production Server', '--to', 'env:.env', '--delete', ...quick]
    const ran = await account.run(args)
    expect(ran.exit, ran.stderr).toBe(0)
    own.push((JSON.parse(ran.stdout) as { rotation: { id: string } }).rotation.id)
  }
  const journals = createJournals(account.home.env['PICTIFY_KEYS_STATE_DIR'] ?? '')
  const [mine] = (await journals.list()).flatMap((entry) => ('journal' in entry ? [entry.journal] : []))
  if (mine === undefined) throw new Error('there is no journal')
  for (const [id, apiUrl] of [
    [sameApi, mine.apiUrl],
    [otherApi, 'https://api.pictify.test'],
  ] as const) {
    const oldKey = { ...mine.oldKey, id: `key_${id}`, name: `Their server ${id}` }
    await journals.save({
      ...mine,
      id,
      apiUrl,
      oldKey,
      newKey: { ...oldKey, createdAt: mine.startedAt, id: `key_${id}2` },
    })
  }
  expect((await rotations('keygen', 'sign-key.pem')).exit).toBe(0)
}, 60_000)
afterAll(() => account.end())

describe('receipts of several accounts', () => {
  it('are listed with the API they are of', async () => {
    const { stdout } = await rotations()
    expect(stdout.split('\n')[0]).toMatch(/ API +/)
    expect(stdout).toMatch(new RegExp(`^${otherApi} .*api\\.pictify\\.test`, 'm'))
    expect(stdout).toMatch(new RegExp(`^${own[0]} .*127\\.0\\.0\\.1:\\d+`, 'm'))
  })

  it('are exported of the API in use alone, which the head says, and what is left out is counted', async () => {
    const { said, ids, head } = await exportTo('api.ndjson')
    expect(ids.toSorted()).toEqual([...own, sameApi].toSorted())
    const apiUrl = account.sandbox.url
    expect(said).toMatchObject({ receipts: 3, others: 1, apiUrl, account: false })
    expect(head).toMatchObject({ apiUrl, account: false })
    const read = await rotations('verify', 'api.ndjson', '--public-key', 'sign-key.pub.pem')
    expect(read.stdout).toContain(`3 receipts of ${apiUrl}, until `)
  })

  it("are exported of the account's keys alone with --account, gone ones too", async () => {
    const { said, ids } = await exportTo('account.ndjson', '--account')
    expect(ids.toSorted()).toEqual(own.toSorted())
    expect(said).toMatchObject({ receipts: 2, others: 2, account: true })
  })

  it('are all exported with --all; an export that goes on has those that the one before left out', async () => {
    const all = await exportTo('all.ndjson', '--all')
    expect(all.ids).toHaveLength(4)
    expect(all.said).toMatchObject({ others: 0, apiUrl: null })
    await exportTo('first.ndjson')
    const on = await exportTo('on.ndjson', '--all', '--after', 'first.ndjson')
    expect(on.ids).toEqual([otherApi])
    const both = await rotations(
      'export',
      '--all',
      '--account',
      '--sign-key',
      'sign-key.pem',
      '--out',
      'x',
      '--json',
    )
    expect([both.exit, errorOf(both).code]).toEqual([2, 'usage'])
  })

  it("are not those of another account's keys in the page of an audit", async () => {
    const ran = await account.run(['audit', '--rule', 'key-age', '--fail-on', 'never', '--format', 'html'])
    for (const id of own) expect(ran.stdout).toContain(`receipt ${id}`)
    expect(ran.stdout).not.toContain('Their server')
    expect(ran.stdout).toMatch(/<span class="figure">2<\/span> <span class="what">rotations done/)
  })
})
