import { execFileSync } from 'node:child_process'
import { chmod, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { lookIntoFile } from '../../src/audit/tree-file.ts'
import { has } from '../cli/programs.ts'

const real = 'pk_live_' + 'T7qWz3LmN9' + 'xR2vBc8KpYd4Hs'
const other = 'pk_test_' + 'Zc5VnB1xQ8' + 'wE3rT6yU0iOp2a'
let folder: string

beforeEach(async () => void (folder = await mkdtemp(path.join(tmpdir(), 'pictify-keys-file-'))))
afterEach(() => rm(folder, { recursive: true }))

async function found(content: string | Buffer, most = 100): Promise<[number, string][]> {
  const file = path.join(folder, 'file')
  await writeFile(file, content)
  const looked = await lookIntoFile(file, most)
  return (looked?.secrets ?? []).map(({ line, secret }) => [line, secret.reveal()])
}

const text = `# of production\r\n\r\nKEY=${real}\r\nOTHER=${other}\r\n`
const both = [
  [3, real],
  [4, other],
]

describe('a secret is found with its line', () => {
  test.each<[string, string | Buffer]>([
    ['in lines that end as on Windows', text],
    ['in lines that end as elsewhere', text.replaceAll('\r', '')],
    ['without a newline at the end', text.trimEnd()],
    ['in UTF-8 with a mark', `\ufeff${text}`],
    ['in UTF-16', Buffer.from(`\ufeff${text}`, 'utf16le')],
    ['in UTF-16, the other way round', Buffer.from(`\ufeff${text}`, 'utf16le').swap16()],
    [
      'in UTF-16 of an odd length',
      Buffer.concat([Buffer.from(`\ufeff${text}`, 'utf16le'), Buffer.from('x')]),
    ],
    [
      'among bytes that are no text',
      Buffer.concat([Buffer.from('\n\n'), Buffer.from([0, 0xff, 0x80]), Buffer.from(text.slice(19))]),
    ],
  ])('%s', async (_, content) => {
    expect(await found(content)).toEqual(both)
  })

  test('in characters that are not ASCII, and have the byte of a newline in them', async () => {
    expect(await found(Buffer.from(`\ufeff${'\u0a0a\u010a'.repeat(9)}\n${real}\n`, 'utf16le'))).toEqual([
      [2, real],
    ])
  })
})

test('twice in a line is once, and again on the next', async () => {
  expect(await found(`${real} ${real} ${other}\n${real}\n`)).toEqual([
    [1, real],
    [1, other],
    [2, real],
  ])
})

test('of one line of 5 MB the beginning, the middle and the end are looked at', async () => {
  const half = 'var a=1;'.repeat(330_000)
  expect(await found(`${real};${half}${other};${half}${real}`)).toEqual([
    [1, real],
    [1, other],
  ])
})

test('wherever a secret lies across the parts that are read', async () => {
  const size = 64 * 1024
  const before = [size - 40, size - 20, size - 1_700, size - 1_601, size - 1_600, size, 2 * size - 10]
  for (const length of before) {
    expect(await found(`${'-\n'.repeat(length / 2)}${real}\n`)).toEqual([[Math.floor(length / 2) + 1, real]])
  }
})

test('a marker at the end of its line is seen across them too', async () => {
  for (const length of [65_480, 65_500, 65_536, 63_900]) {
    const line = `${real} ${' '.repeat(900)} // pictify-keys:ignore\n`
    expect(await found(`${'-'.repeat(length)}\n${line}${other}\n`)).toEqual([[3, other]])
  }
})

test('a file of many megabytes is read in little memory', async () => {
  const file = path.join(folder, 'large')
  const source = `
    const { lookIntoFile } = await import(${JSON.stringify(path.resolve('src/audit/tree-file.ts'))})
    const before = process.memoryUsage().rss
    let peak = 0
    const timer = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss)), 5)
    const { secrets: found } = await lookIntoFile(${JSON.stringify(file)}, 100)
    clearInterval(timer)
    console.log(JSON.stringify({ lines: found.map(({ line }) => line), grown: Math.max(peak, process.memoryUsage().rss) - before }))`
  const block = Buffer.alloc(1024 * 1024, 'abcdefghi;')
  await writeFile(
    file,
    Buffer.concat([...Array.from({ length: 200 }, () => block), Buffer.from(`\n${real}`)]),
  )
  const bundled = await bundle(source)
  const { lines, grown } = JSON.parse(execFileSync(process.execPath, [bundled], { encoding: 'utf8' })) as {
    lines: number[]
    grown: number
  }
  expect(lines).toEqual([2])
  expect(grown).toBeLessThan(60 * 1024 * 1024)
})

async function bundle(source: string): Promise<string> {
  const { build } = await import('esbuild')
  const outfile = path.join(folder, 'run.mjs')
  await build({
    stdin: { contents: source, resolveDir: path.resolve('.') },
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile,
    logLevel: 'silent',
  })
  return outfile
}

test('no more than are asked for', async () => {
  expect(await found(`${real}\n`.repeat(50), 7)).toHaveLength(7)
})

test('a link is not followed, a folder is nothing, and nobody waits for a pipe', async () => {
  await writeFile(path.join(folder, 'file'), real)
  await symlink('file', path.join(folder, 'link'))
  await expect(lookIntoFile(path.join(folder, 'link'), 9)).rejects.toMatchObject({ code: 'ELOOP' })
  expect(await lookIntoFile(folder, 9)).toBeUndefined()
  execFileSync('mkfifo', [path.join(folder, 'pipe')])
  expect(await lookIntoFile(path.join(folder, 'pipe'), 9)).toBeUndefined()
})

test('ends when it is to', async () => {
  await writeFile(path.join(folder, 'file'), real)
  const signal = AbortSignal.abort(new Error('enough'))
  await expect(lookIntoFile(path.join(folder, 'file'), 9, { signal })).rejects.toThrow('enough')
})

test('whether others may read it is told, and by what id git knows its content', async () => {
  const file = path.join(folder, 'file')
  await writeFile(file, `${`KEY=${real}\n`.repeat(20)}${'of no secret\n'.repeat(20_000)}`)
  for (const [mode, isOpen] of [
    [0o600, false],
    [0o640, true],
    [0o604, true],
  ] as const) {
    await chmod(file, mode)
    expect(await lookIntoFile(file, 100)).toMatchObject({ isOpen })
  }
  if (has('git')) {
    const id = execFileSync('git', ['hash-object', '--no-filters', file], { cwd: folder, encoding: 'utf8' })
    expect((await lookIntoFile(file, 100))?.blobId).toBe(id.trim())
  }
  expect((await lookIntoFile(file, 100, { idLength: 64 }))?.blobId).toMatch(/^[0-9a-f]{64}$/)
  // what was not read to its end is not known by any
  expect((await lookIntoFile(file, 9))?.blobId).toBeUndefined()
})
