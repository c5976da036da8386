// What people read of signed receipts: the rotations that are proved, and what is wrong with what was given.
import { parse } from 'csv-parse/sync'
import { chmod, copyFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { errorOf, untimed } from './account.ts'
import { openRotating, quick, type Rotating } from './rotating.ts'

let account: Rotating
let rotated: {
  id: string
  oldKey: { id: string }
  newKey: { id: string; createdAt: string }
  startedAt: string
  finishedAt: string
}
const at = (name: string) => path.join(account.home.directory, name)
const rotations = (...args: string[]) => account.run(['rotations', ...args])
const verify = (...args: string[]) => rotations('verify', ...args, '--public-key', 'sign-key.pub.pem')
const exporting = ['export', '--sign-key', 'sign-key.pem', '--out', 'later.ndjson', '--json']

beforeAll(async () => {
  account = await openRotating()
  const ran = await account.run(['rotate', 'Production Server', '--to', 'env:.env', ...quick])
  rotated = (JSON.parse(ran.stdout) as { rotation: typeof rotated }).rotation
  for (const name of ['sign-key.pem', 'other.pem']) expect((await rotations('keygen', name)).exit).toBe(0)
  const made = await rotations('export', '--sign-key', 'sign-key.pem', '--out', 'first.ndjson')
  expect(made.exit, made.stderr).toBe(0)
}, 60_000)
afterAll(() => account.end())

it('rotations <id> says when its steps were', async () => {
  const { stdout } = await rotations(rotated.id)
  const times = / {2}started {3}(\S+)\n {2}minted {4}(\S+)\n {2}checked {3}(\S+)\n {2}ended {5}(\S+)\n$/.exec(
    stdout,
  )
  expect(times?.[1]).toBe(rotated.startedAt)
  expect(times?.[2]).toBe(rotated.newKey.createdAt)
  expect(times?.[4]).toBe(rotated.finishedAt)
})

describe('rotations verify --show', () => {
  it('lists the rotations that are proved, for people', async () => {
    const { stdout } = await verify('first.ndjson', '--show')
    const [head, row] = stdout.split('\n')
    expect(head?.split(/ {2,}/)).toEqual(['ROTATION', 'KEY', 'FROM', 'TO', 'STARTED', 'ENDED', 'OUTCOME'])
    const { id, oldKey, newKey, startedAt, finishedAt } = rotated
    const when = [startedAt, finishedAt].map((each) => `${each.slice(0, 10)} ${each.slice(11, 16)} UTC`)
    expect(row?.split(/ {2,}/)).toEqual([id, 'Production Server', oldKey.id, newKey.id, ...when, 'done'])
    expect(stdout).toContain('\nproved  1 receipt in 1 export')
  })

  it('as CSV alone on stdout, and as JSON', async () => {
    const csv = await verify('first.ndjson', '--format', 'csv')
    const { id, oldKey, newKey, startedAt, finishedAt } = rotated
    expect(parse(csv.stdout, { columns: true })).toEqual([
      {
        rotation: id,
        keyName: 'Production Server',
        oldKeyId: oldKey.id,
        newKeyId: newKey.id,
        startedAt,
        finishedAt,
        outcome: 'done',
      },
    ])
    expect(csv.stderr).toContain('proved  1 receipt')
    const json = await verify('first.ndjson', '--show', '--json')
    expect(JSON.parse(json.stdout)).toMatchObject({
      verification: { receipts: 1, rotations: [{ id, newKeyId: newKey.id, compromised: false }] },
    })
  })
})

describe('what is wrong is said as it is', () => {
  it('of a file without end: that it is none', async () => {
    const ran = await verify('/dev/urandom', '--json')
    expect(ran.exit).toBe(2)
    expect(errorOf(ran).message).toBe('/dev/urandom cannot be read: it is not a regular file')
  })

  it('of what is no export: that, once', async () => {
    await writeFile(at('notes.txt'), 'a note\n'.repeat(5_000))
    const ran = await verify('notes.txt')
    expect(ran.exit).toBe(1)
    expect(ran.stdout).toBe('wrong  notes.txt: it is no export of receipts\n')
    expect(ran.stderr).toContain('error: notes.txt is no export of receipts')
  })

  it('of a line without end on stdin: the same, and it is not read on', async () => {
    const input = 'x'.repeat(40 * 1024 * 1024)
    const ran = await account.run(['rotations', 'verify', '-', '--public-key', 'sign-key.pub.pem'], { input })
    expect(ran.stdout).toBe('wrong  stdin: it is no export of receipts\n')
  })

  it('of what another key signed: that it is probably the wrong one', async () => {
    const ran = await rotations('verify', 'first.ndjson', '--public-key', 'other.pub.pem')
    expect(ran.exit).toBe(1)
    expect(ran.stdout).toMatch(
      /^wrong {2}first\.ndjson, line 1: it is signed with another key, [0-9a-f]{64}\n {7}and so is one more line\n$/,
    )
    expect(untimed(ran.stderr)).toContain(
      'error: nothing of it is signed with the public key that was given\n  it is probably the wrong one',
    )
  })

  it('of a period that is not over: that nobody knows it yet', async () => {
    const day = new Date(Date.now() + 9 * 86_400_000).toISOString().slice(0, 10)
    const ran = await rotations(...exporting, '--until', day)
    expect([ran.exit, errorOf(ran).message]).toEqual([
      2,
      `--until: ${day} is yet to come, and so may rotations be until then`,
    ])
  })

  it('of a public key to sign with: that it is one, whoever can read it', async () => {
    await copyFile(at('sign-key.pub.pem'), at('open.pub.pem'))
    await chmod(at('open.pub.pem'), 0o644)
    const ran = await rotations('export', '--sign-key', 'open.pub.pem')
    expect(untimed(ran.stderr)).toMatch(/^error: open\.pub\.pem is a public key, and signs nothing\n/)
  })
})
