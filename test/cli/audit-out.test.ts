import { execFileSync, spawnSync } from 'node:child_process'
import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { errorOf, openAccount, untimed, type Account } from './account.ts'

// Where an audit and its rules are written to, and what is refused before anything is read, by the real program.

let account: Account
beforeAll(async () => {
  account = await openAccount()
})
afterAll(() => account.end())

const inHome = (file: string) => path.join(account.home.directory, file)
const audit = (...args: string[]) =>
  account.run(['audit', '--rule', 'key-age', '--fail-on', 'never', ...args])

/** Runs it, and says whether anything was asked of the API. */
async function refused(...args: string[]) {
  const asked = account.sandbox.requests.length
  const ran = await account.run(['audit', ...args, '--json'])
  const { code, message, hint } = errorOf(ran)
  return { exit: ran.exit, code, message, hint, asked: account.sandbox.requests.length > asked }
}

describe('what cannot be written is said before anything is read', () => {
  test.each([
    ['a folder', '.', 'it is a directory'],
    ['in a folder that is missing', 'missing/audit.html', 'its folder does not exist'],
    ['in what is no folder', 'package.txt/audit.html', 'a part of the path is not a directory'],
  ])('%s', async (_, file, why) => {
    await writeFile(inHome('package.txt'), '')
    expect(await refused('--out', file)).toMatchObject({
      exit: 1,
      code: 'output-file',
      message: `cannot write ${file}: ${why}`,
      asked: false,
    })
  })

  test('and so of an incident', async () => {
    const asked = account.sandbox.requests.length
    const ran = await account.run(['incident', 'Production', '--out', 'missing/x.html', '--json'])
    expect(errorOf(ran)).toMatchObject({ code: 'output-file' })
    expect(account.sandbox.requests).toHaveLength(asked)
  })
})

describe('a file', () => {
  test('is for its owner alone, and nothing is left beside it', async () => {
    await mkdir(inHome('reports'))
    expect((await audit('--out', 'reports/audit.csv')).exit).toBe(0)
    expect((await stat(inHome('reports/audit.csv'))).mode & 0o777).toBe(0o600)
    expect(await readdir(inHome('reports'))).toEqual(['audit.csv'])
  })

  test('that is there is another one afterwards, with its mode, also behind a link', async () => {
    await writeFile(inHome('filed.csv'), 'the last one\n')
    await chmod(inHome('filed.csv'), 0o644)
    await symlink('filed.csv', inHome('link.csv'))
    const before = await stat(inHome('filed.csv'))
    await audit('--out', 'link.csv')
    const after = await stat(inHome('filed.csv'))
    // whoever reads the old one reads it to its end
    expect(after.ino).not.toBe(before.ino)
    expect(after.mode & 0o777).toBe(0o644)
    expect(await readFile(inHome('link.csv'), 'utf8')).toMatch(/^status,/)
  })

  test('that is a pipe is written to as it is', async () => {
    execFileSync('mkfifo', [inHome('pipe')])
    const reader = new Promise<string>((resolve) => void readFile(inHome('pipe'), 'utf8').then(resolve))
    await audit('--format', 'csv', '--out', 'pipe')
    expect(await reader).toMatch(/^status,/)
    expect((await stat(inHome('pipe'))).isFIFO()).toBe(true)
  })

  test('that is stdout is as well, whatever the shell made of it', async () => {
    const line = [
      'audit',
      '--rule',
      'key-age',
      '--fail-on',
      'never',
      '--format',
      'csv',
      '--out',
      '/dev/stdout',
    ]
    await account.run(line, { first: 'exec >>log.csv' })
    await account.run(line, { first: 'exec >>log.csv' })
    expect((await readFile(inHome('log.csv'), 'utf8')).match(/^status,/gm)).toHaveLength(2)
  })

  test.each([
    ['a.html', /^<!doctype html>/],
    ['a.md', /^## Audit/],
    ['a.csv', /^status,/],
    ['a.JSON', /^\{\n/],
    ['a.sarif', /"\$schema": ".*sarif/],
    ['a.sarif.json', /"\$schema": ".*sarif/],
    ['a.txt', /^nothing found/],
  ])('has the format of its end: %s', async (file, begins) => {
    await audit('--out', file)
    expect(await readFile(inHome(file), 'utf8')).toMatch(begins)
  })

  test('has the format that --format says, whatever its end', async () => {
    await audit('--out', 'b.html', '--format', 'csv')
    expect(await readFile(inHome('b.html'), 'utf8')).toMatch(/^status,/)
  })
})

describe('audit rules', () => {
  test('goes by --format and --out', async () => {
    const csv = await account.run(['audit', 'rules', '--rule', 'key-age', '--format', 'csv'])
    expect(csv.stdout).toMatch(/^id,severity,summary,help\nkey-age,error,a key is older/)
    const ran = await account.run(['audit', 'rules', '--out', 'rules.md'])
    expect([ran.stdout, untimed(ran.stderr)]).toEqual(['', 'the rules are in rules.md\n'])
    expect(await readFile(inHome('rules.md'), 'utf8')).toMatch(/^\| Rule \| Severity \|.*\n.*\n\| `admin-key/)
    const json = await account.run(['audit', 'rules', '--rule', 'key-age', '--format', 'json'])
    expect(JSON.parse(json.stdout)).toMatchObject({ rules: [{ id: 'key-age' }] })
  })

  test.each([
    ['--format', 'sarif'],
    ['--out', 'rules.html'],
  ])('are no report: %s %s', async (...flags) => {
    const ran = await account.run(['audit', 'rules', ...flags])
    expect([ran.exit, ran.stdout]).toEqual([2, ''])
    expect(ran.stderr).toContain('give --format table, json, csv, markdown')
  })
})

describe('what is read of the log', () => {
  test.each([
    [['--since', '0s'], '--since is nothing', 'write how far back: 30d'],
    [['--since', '2099-01-01'], '--since: 2099-01-01 has not come yet', 'write how far back: 30d'],
    [['--recent', '0s'], '--recent is nothing', 'write how much of it is recent: 7d'],
    [
      ['--recent', '20d'],
      '--recent 20d leaves less before it than it is itself, since 30d',
      'give --since 40d or longer ago, or less of --recent',
    ],
  ])('%j is refused', async (flags, message, hint) => {
    expect(await refused(...flags)).toMatchObject({ exit: 2, code: 'usage', message, hint, asked: false })
  })

  test('begins at a day or an instant too, of which a short one is half recent', async () => {
    const day = new Date(Date.now() - 3 * 86_400_000).toISOString()
    for (const since of [day.slice(0, 10), day, '24h']) {
      const asked = account.sandbox.requests.length
      const ran = await account.run([
        'audit',
        '--rule',
        'new-network',
        '--since',
        since,
        '--fail-on',
        'never',
      ])
      expect([ran.exit, account.sandbox.requests.length > asked]).toEqual([0, true])
    }
  })
})

test('explain has a rule of audit as audit rules has it', () => {
  const home = { cwd: account.home.directory, encoding: 'utf8' as const }
  const bin = path.resolve(import.meta.dirname, '../../bin/pictify-keys.js')
  const run = (...args: string[]) => spawnSync(process.execPath, [bin, ...args], home).stdout
  expect(run('explain', 'key-age')).toBe(run('audit', 'rules', '--rule', 'key-age'))
})
