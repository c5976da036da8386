// Signed receipts, by the real program.
import { readFile, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { errorOf } from './account.ts'
import type { Ran } from './program.ts'
import { openRotating, quick, type Rotating } from './rotating.ts'

let account: Rotating
const at = (name: string) => path.join(account.home.directory, name)
const rotations = (...args: string[]) => account.run(['rotations', ...args])
const rotate = async () => {
  const ran = await account.run(['rotate', 'Production Server', '--to', 'env:.env', ...quick])
  expect(ran.exit, ran.stderr).toBe(0)
  return (JSON.parse(ran.stdout) as { rotation: { id: string } }).rotation.id
}
const done: string[] = []

beforeAll(async () => {
  account = await openRotating()
  done.push(await rotate(), await rotate())
  const made = await rotations('keygen', 'sign-key.pem')
  expect(made.exit, made.stderr).toBe(0)
  const exported = await rotations('export', '--sign-key', 'sign-key.pem', '--out', 'first.ndjson')
  expect(exported.exit, exported.stderr).toBe(0)
})
afterAll(() => account.end())

const verify = (...args: string[]) => rotations('verify', ...args, '--public-key', 'sign-key.pub.pem')
const said = ({ stdout }: Ran) =>
  (
    JSON.parse(stdout) as {
      verification: { valid: boolean; receipts: number; problems: object[]; heads: { digest: string }[] }
    }
  ).verification

describe('rotations keygen', () => {
  it('writes a key for its owner alone, and the public half beside it, and replaces neither', async () => {
    expect((await stat(at('sign-key.pem'))).mode & 0o777).toBe(0o600)
    expect(await readFile(at('sign-key.pub.pem'), 'utf8')).toMatch(/^-----BEGIN PUBLIC KEY-----/)
    const before = await readFile(at('sign-key.pem'), 'utf8')
    const again = await rotations('keygen', 'sign-key.pem', '--json')
    expect(again.exit).toBe(1)
    expect(errorOf(again)).toMatchObject({ code: 'output-file' })
    expect(await readFile(at('sign-key.pem'), 'utf8')).toBe(before)
  })
})

describe('rotations export and verify', () => {
  it('prove what was rotated', async () => {
    const ran = await verify('first.ndjson', '--json')
    expect(ran.exit, ran.stderr).toBe(0)
    expect(said(ran)).toMatchObject({ valid: true, receipts: 2, problems: [], continues: null })
    const lines = (await readFile(at('first.ndjson'), 'utf8')).trimEnd().split('\n')
    const payloads = lines.map(
      (line) =>
        JSON.parse(Buffer.from((JSON.parse(line) as { payload: string }).payload, 'base64').toString()) as {
          receipt?: object
        },
    )
    expect(payloads).toMatchObject([
      { sequence: 1, previous: null, receipt: { id: done[0], state: 'done' } },
      { sequence: 2, receipt: { id: done[1], state: 'done' } },
      { sequence: 3, head: { receipts: 2, first: 1, after: null } },
    ])
    const [
      {
        rotations: [shown],
      },
    ] = [JSON.parse((await rotations(done[0] ?? '', '--json')).stdout) as { rotations: object[] }]
    expect(payloads[0]?.receipt).toEqual(shown)
    expect((await stat(at('first.ndjson'))).mode & 0o777).toBe(0o600)
  })

  it('find a byte that was changed, and name the line and the receipt', async () => {
    const text = await readFile(at('first.ndjson'), 'utf8')
    const place = text.split('\n')[0]?.length ?? 0
    const spoilt =
      text.slice(0, place + 100) + (text[place + 100] === 'A' ? 'B' : 'A') + text.slice(place + 101)
    await writeFile(at('spoilt.ndjson'), spoilt)
    const ran = await verify('spoilt.ndjson', '--json')
    expect(ran.exit).toBe(1)
    expect(errorOf(ran)).toMatchObject({ code: 'receipts-altered' })
    expect(said(ran)).toMatchObject({ valid: false, problems: [{ file: 'spoilt.ndjson', line: 2 }] })
    const [first = ''] = text.split('\n')
    await writeFile(at('short.ndjson'), text.slice(first.length + 1))
    const short = await verify('short.ndjson')
    expect(short.exit).toBe(1)
    expect(short.stdout).toContain(
      'wrong  short.ndjson, line 2: a line is missing at the beginning of the export that ends here',
    )
    await writeFile(at('open.ndjson'), `${first}\n`)
    expect((await verify('open.ndjson')).stdout).toContain(
      'wrong  open.ndjson, line 1: it does not end with a head',
    )
  })

  it('go on from an earlier export, and a year is proved whole', async () => {
    const later = await rotate()
    const args = ['--sign-key', 'sign-key.pem', '--after', 'first.ndjson', '--out', 'second.ndjson', '--json']
    const ran = await rotations('export', ...args)
    expect(ran.exit, ran.stderr).toBe(0)
    const head = said(await verify('first.ndjson', '--json')).heads[0]?.digest
    expect(JSON.parse(ran.stdout)).toMatchObject({ export: { receipts: 1, after: head, sequence: 5 } })
    expect(said(await verify('first.ndjson', 'second.ndjson', '--json'))).toMatchObject({
      valid: true,
      receipts: 3,
      continues: null,
    })
    const alone = await verify('second.ndjson', '--head', head ?? '', '--json')
    expect(alone.exit).toBe(1)
    expect(said(alone)).toMatchObject({ valid: false, headFound: false, problems: [], continues: head })
    expect((await verify('first.ndjson', '--head', head ?? '')).exit).toBe(0)
    expect((await verify('second.ndjson', 'first.ndjson')).exit).toBe(1)
    const both = (await readFile(at('first.ndjson'), 'utf8')) + (await readFile(at('second.ndjson'), 'utf8'))
    const piped = await account.run(['rotations', 'verify', '-', '--public-key', 'sign-key.pub.pem'], {
      input: both,
    })
    expect(piped.stdout).toMatch(/^proved {2}3 receipts in 2 exports/)
    expect(both).not.toContain(later)
  })

  it('do not go on from what is not proved', async () => {
    const text = await readFile(at('first.ndjson'), 'utf8')
    await writeFile(at('cut.ndjson'), text.slice(0, -10))
    const ran = await rotations(
      'export',
      '--sign-key',
      'sign-key.pem',
      '--after',
      'cut.ndjson',
      '--json',
      '--out',
      'y',
    )
    expect(ran.exit).toBe(1)
    expect(errorOf(ran)).toMatchObject({
      code: 'receipts-altered',
      message: expect.stringContaining('cut.ndjson, line 3') as string,
    })
    await expect(stat(at('y'))).rejects.toThrow()
  })

  it('take the receipts of the period alone', async () => {
    const key = ['--sign-key', 'sign-key.pem']
    const none = await rotations('export', ...key, '--until', '1h')
    expect(none.stdout.trimEnd().split('\n')).toHaveLength(1)
    const all = await rotations('export', ...key, '--since', '1d')
    expect(all.stdout.trimEnd().split('\n').length).toBeGreaterThan(2)
    const never = await rotations('export', ...key, '--since', '1h', '--until', '2h', '--json', '--out', 'z')
    expect(errorOf(never)).toMatchObject({ code: 'usage', message: 'the period ends before it begins' })
  })

  it('say what a command line lacks or has too much', async () => {
    const hints = async (...args: string[]) => {
      const ran = await rotations(...args, '--json')
      expect(ran.exit).toBe(2)
      return errorOf(ran).message
    }
    expect(await hints('export', '--out', 'x')).toBe('an export is signed, and there is no key to sign with')
    expect(await hints('export', '--sign-key', 'sign-key.pem')).toContain('--json is one document')
    expect(await hints('verify', 'first.ndjson')).toBe('there is no key to verify with')
    expect(await hints('verify', '--public-key', 'sign-key.pub.pem')).toBe('there is no export to verify')
    expect(await hints('verify', 'first.ndjson', '--since', '1d')).toBe('rotations verify takes no --since')
    expect(await hints('--since', '1d')).toBe('a list of rotations takes no --since')
    expect(await hints('export', 'first.ndjson')).toBe('rotations export takes no file')
    expect(await hints('verify', 'nowhere', '--public-key', 'sign-key.pub.pem')).toContain(
      'nowhere cannot be read',
    )
    expect(await hints('verify', 'first.ndjson', '--public-key', 'sign-key.pem')).toContain(
      'is a private key',
    )
  })
})
