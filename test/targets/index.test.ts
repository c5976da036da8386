import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Secret } from '../../src/secret.ts'
import { findSamePlace, parseTarget, parseTargets, schemes } from '../../src/targets/index.ts'
import { failure, old, successor } from './contract.ts'
import { testDeps } from './deps.ts'
import { temporaryFolder } from './file-contract.ts'

const folder = temporaryFolder()
const parse = (spec: string) =>
  parseTarget(spec, testDeps(folder(), { secrets: () => [new Secret('odd-secret-1')] }))
const refusal = (spec: string) => failure(Promise.resolve().then(() => parse(spec)))

describe('parseTarget', () => {
  test.each([
    ['env:', 'env: names no file'],
    ['env:#X', 'env:#X names no file'],
    ['env:.env#', 'env:.env#: "" is not the name of a variable'],
    ['env:.env#MY-KEY', 'env:.env#MY-KEY: "MY-KEY" is not the name of a variable'],
    ['env:a#b/.env', 'env:a#b/.env: "b/.env" is not the name of a variable'],
    ['file:', 'file: names no file'],
    ['exec:  ', 'exec:   names no command'],
    ['manual:', 'manual: names no place'],
    ['', 'a target is empty'],
    ['file:a\nb', 'a target has control characters in it'],
    ['.env', '".env" does not say what kind of place it is'],
    ['consul:secret/x', 'there is no target of the kind "consul"'],
    ['constructor:x', 'there is no target of the kind "constructor"'],
  ])('%j', async (spec, message) => {
    expect(await refusal(spec)).toMatchObject({ code: 'invalid-target', exit: 2, message })
  })

  test.each([
    ['.env', 'did you mean env:.env? '],
    ['config/.env#KEY', 'did you mean env:config/.env#KEY? '],
    ['evn:.env', 'did you mean env:.env? '],
    ['ENV:.env', 'did you mean env:.env? '],
    ['flie:x', 'did you mean file:x? '],
    ['exe:cat', 'did you mean exec:cat? '],
    ['consul:x', ''],
  ])('%j: %s', async (spec, suggestion) => {
    const { hint } = await refusal(spec)
    expect(hint?.startsWith(`${suggestion}targets are env:<file>#<variable>, file:<path>, `)).toBe(true)
    for (const { usage } of Object.values(schemes)) expect(hint).toContain(usage)
  })

  test('a secret in a target is refused, and not shown', async () => {
    for (const spec of [`exec:put ${successor.reveal()}`, `env:${old.reveal()}`, 'manual:odd-secret-1']) {
      const { message, hint } = await refusal(spec)
      expect(message).toBe('a target has a secret written in it')
      expect(`${message}${hint}`).not.toContain('odd-secret-1')
    }
  })

  test('paths are relative to the working directory; ~/ is the home; the variable has a default', async () => {
    await mkdir(join(folder(), 'home'))
    const deps = testDeps(folder(), { env: { HOME: join(folder(), 'home') } })
    await writeFile(join(folder(), '.env'), 'PICTIFY_API_KEY=here\nA=other')
    await writeFile(join(folder(), 'home/.env'), 'PICTIFY_API_KEY=home')
    const read = async (spec: string) => (await parseTarget(spec, deps).read())?.value.reveal()
    expect(await read('env:.env')).toBe('here')
    expect(await read('env:./home/../.env#A')).toBe('other')
    expect(await read('env:~/.env')).toBe('home')
    expect(await read(`env:${folder()}/home/.env#PICTIFY_API_KEY`)).toBe('home')
  })

  test('a path may have a # in it when the variable is named', async () => {
    await mkdir(join(folder(), 'a#b'))
    await writeFile(join(folder(), 'a#b/.env'), 'X=1')
    expect((await parse('env:a#b/.env#X').read())?.value.reveal()).toBe('1')
  })

  test('every scheme is listed by what the user types', () => {
    for (const [word, { usage, summary }] of Object.entries(schemes)) {
      expect(usage.startsWith(`${word}:`)).toBe(true)
      expect(summary).not.toBe('')
    }
  })
})

describe('findSamePlace', () => {
  const same = async (...specs: string[]) =>
    (await findSamePlace(specs.map(parse)))?.map((target) => target.name)

  test('the same file by another way', async () => {
    await writeFile(join(folder(), '.env'), '')
    await mkdir(join(folder(), 'sub'))
    await symlink('../.env', join(folder(), 'sub/link'))
    await symlink('sub', join(folder(), 'also'))
    expect(await same('env:.env', 'env:./sub/../.env#PICTIFY_API_KEY')).toEqual([
      'env:.env',
      'env:./sub/../.env#PICTIFY_API_KEY',
    ])
    expect(await same('exec:x', 'env:.env#A', 'env:sub/link#A')).toEqual(['env:.env#A', 'env:sub/link#A'])
    expect(await same('file:sub/new', 'file:also/new')).toEqual(['file:sub/new', 'file:also/new'])
    expect(await same('env:.env#A', 'file:also/link')).toEqual(['env:.env#A', 'file:also/link'])
    expect(await same('file:no/such', 'file:./no/such')).toEqual(['file:no/such', 'file:./no/such'])
  })

  test('other variables of one file, other files, other commands are other places', async () => {
    await writeFile(join(folder(), '.env'), '')
    expect(
      await same('env:.env#A', 'env:.env#B', 'file:x', 'file:y', 'exec:x', 'exec:y', 'manual:x', 'manual:y'),
    ).toBe(undefined)
  })

  test('the same command in another folder is another place', () => {
    const at = (cwd: string) => parseTarget('exec:./put.sh', testDeps(cwd)).place
    expect(at('/srv/a')).not.toBe(at('/srv/b'))
  })

  test('the same command, the same label', async () => {
    expect(await same('exec:put', 'exec: put')).toEqual(['exec:put', 'exec: put'])
    expect(await same('manual:x', 'manual:x')).toEqual(['manual:x', 'manual:x'])
  })
})

describe('parseTargets', () => {
  const parseAll = (...specs: string[]) => parseTargets(specs, testDeps(folder()))

  test('gives the targets in their order', async () => {
    const targets = await parseAll('env:.env#A', 'env:.env#B', 'exec:x')
    expect(targets.map(({ name }) => name)).toEqual(['env:.env#A', 'env:.env#B', 'exec:x'])
    expect(await parseAll()).toEqual([])
  })

  test('refuses one place twice, by whichever name', async () => {
    expect(await failure(parseAll('exec:x', 'exec:x'))).toMatchObject({
      code: 'usage',
      message: 'exec:x is named twice',
    })
    expect(await failure(parseAll('env:.env#A', 'exec:x', 'env:./.env#A'))).toMatchObject({
      message: 'env:.env#A and env:./.env#A are one place',
    })
    for (const specs of [
      ['file:.env', 'env:.env#A'],
      ['env:.env#A', 'file:.env'],
    ])
      expect(await failure(parseAll(...specs))).toMatchObject({
        message: `${specs.join(' and ')} are one place`,
      })
  })
})
