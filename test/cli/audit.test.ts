import { execFile } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, describe, expect, test } from 'vitest'
import type { AuditReport } from '../../src/audit/report.ts'
import type { SandboxOptions } from '../../src/sandbox/server.ts'
import { errorOf, openAccount, type Account } from './account.ts'
import type { Ran } from './program.ts'

const bin = fileURLToPath(new URL('../../bin/pictify-keys.js', import.meta.url))
const dayMs = 86_400_000

let account: Account
afterEach(() => account.end())

/** An account with a live key of so many days, just used. */
async function withKey(days: number, options: SandboxOptions = {}) {
  account = await openAccount(options)
  const at = Date.now()
  return account.sandbox.dashboard.create({
    name: 'Production Server',
    type: 'live',
    createdAt: at - days * dayMs,
    lastUsedAt: at - 60_000,
  })
}

/** Writes into the home, in which the program runs. */
async function put(file: string, text: string): Promise<string> {
  const full = path.join(account.home.directory, file)
  await mkdir(path.dirname(full), { recursive: true })
  await writeFile(full, text)
  return full
}

const audit = (...args: string[]) => account.run(['audit', '--json', ...args])
const reportOf = ({ stdout }: Ran) => JSON.parse(stdout) as AuditReport
const found = (ran: Ran) => reportOf(ran).findings.map(({ rule, severity, key }) => [rule, severity, key?.id])

describe('the exit says whether there is something to mend', () => {
  test.each([
    [400, [], 10, 'the audit found 1 error'],
    [400, ['--fail-on', 'never'], 0, undefined],
    [100, [], 0, undefined],
    [100, ['--fail-on', 'warning'], 10, 'the audit found 1 warning'],
    [100, ['--fail-on', 'note'], 10, 'the audit found 1 warning'],
    [1, ['--fail-on', 'note'], 0, undefined],
  ])('a key of %i days, %j: %i', async (days, flags, exit, message) => {
    const key = await withKey(days)
    const ran = await audit('--rule', 'key-age', ...flags)
    expect(ran.exit).toBe(exit)
    // the report is there whatever the exit
    expect(found(ran)).toEqual(days > 90 ? [['key-age', days > 365 ? 'error' : 'warning', key.id]] : [])
    if (message !== undefined) expect(errorOf(ran)).toMatchObject({ code: 'audit-findings', message })
  })
})

describe('pictify-keys.yaml', () => {
  const file = (maxAge: string, more = '') =>
    `version: 1\nkeys:\n  Team admin:\n  Production Server:\n    maxAge: ${maxAge}\n    to: env:.env#PICTIFY_API_KEY\n    verify: test -n "$PICTIFY_API_KEY"\n${more}`

  test('is found above the working directory in its repository, and its maxAge is held', async () => {
    const key = await withKey(40)
    await put('team/.git/HEAD', '')
    await put('team/pictify-keys.yaml', file('30d'))
    const cwd = path.join(account.home.directory, 'team/services/api')
    await mkdir(cwd, { recursive: true })
    const ran = await account.run(['audit', '--json', '--rule', 'key-age'], { cwd })
    expect(ran.exit).toBe(10)
    expect(found(ran)).toEqual([['key-age', 'error', key.id]])
    expect(reportOf(ran).findings[0]?.place).toEqual({ file: '../../pictify-keys.yaml', line: 4 })
  })

  test('the line that mends works as it is pasted', async () => {
    const key = await withKey(40)
    await put('pictify-keys.yaml', file('30d'))
    const env = await put('.env', `PICTIFY_API_KEY=${key.secret.reveal()}\n`)
    const mend = reportOf(await audit('--rule', 'key-age')).findings[0]?.mend ?? ''
    expect(mend).toContain(`pictify-keys rotate ${key.id} --to 'env:.env#PICTIFY_API_KEY' --verify`)
    // as a shell finds it that has the package
    await put('bin/pictify-keys', `#!/bin/sh\nexec '${process.execPath}' '${bin}' "$@"\n`)
    const { env: own, directory } = account.home
    await promisify(execFile)('sh', ['-c', `chmod +x bin/pictify-keys; ${mend} --no-evidence --settle 0s`], {
      cwd: directory,
      env: { ...own, PATH: `${directory}/bin:${own['PATH']}` },
    })
    expect(await readFile(env, 'utf8')).not.toContain(key.secret.reveal())
    const after = await audit('--rule', 'key-age', '--rule', 'missing-key', '--rule', 'unknown-key')
    expect([after.exit, found(after)]).toEqual([0, []])
  })

  test('and the account are held against each other', async () => {
    const key = await withKey(1)
    await put('pictify-keys.yaml', 'version: 1\nkeys:\n  Team admin:\n  Worker: { type: live }\n')
    const ran = await audit('--rule', 'missing-key', '--rule', 'unknown-key')
    expect(reportOf(ran).findings.map(({ rule, key: of, message }) => [rule, of?.id, message])).toEqual([
      ['missing-key', undefined, '"Worker" is not in the account'],
      ['unknown-key', key.id, 'is not in pictify-keys.yaml: name it there under keys, or revoke it'],
    ])
  })

  test('turns rules off, sets their severity, and accepts what is meant', async () => {
    const key = await withKey(400)
    await put('pictify-keys.yaml', file('700d', 'audit: { rules: { key-age: off, unused: note } }\n'))
    const off = await audit()
    expect(reportOf(off).rules.map(({ id }) => id)).not.toContain('key-age')
    // by name it is held all the same
    expect(reportOf(await audit('--rule', 'key-age')).rules.map(({ id }) => id)).toEqual(['key-age'])
    const accept = `audit: { accept: [{ rule: key-age, key: ${key.id}, reason: its service ends in May }] }\n`
    await put('pictify-keys.yaml', file('30d', accept))
    const accepted = await audit('--rule', 'key-age')
    expect(accepted.exit).toBe(0)
    expect(reportOf(accepted)).toMatchObject({
      summary: { accepted: 1, findings: { error: 0 } },
      accepted: [{ rule: 'key-age', key: { id: key.id }, reason: 'its service ends in May' }],
    })
  })

  test('under another ending is not read, and that is said', async () => {
    await withKey(1)
    await put('pictify-keys.yml', file('30d'))
    const ran = await audit('--rule', 'unknown-key')
    expect(ran.stderr).toContain('pictify-keys.yml is not read: name it pictify-keys.yaml')
    expect(reportOf(ran).skipped).toMatchObject([{ rule: 'unknown-key', source: 'fleet' }])
  })

  test('with a mistake is refused before anything is asked', async () => {
    await withKey(1)
    await put('keys.yaml', file('90', 'audti: {}\n'))
    const before = account.sandbox.requests.length
    const ran = await account.run(['audit', '--json'], { env: { PICTIFY_KEYS_CONFIG: 'keys.yaml' } })
    expect([ran.exit, ran.stdout]).toEqual([2, ''])
    expect(errorOf(ran)).toMatchObject({
      code: 'keys-file',
      message:
        'keys.yaml:5:13: maxAge 90 is no duration: write 90d\nkeys.yaml:8:1: there is no field audti; did you mean audit?',
    })
    expect(account.sandbox.requests).toHaveLength(before)
  })
})

describe('an API without audit log and usage', () => {
  test('is said, on both streams, and passes nothing', async () => {
    await withKey(1, { without: ['audit-log', 'usage'] })
    const ran = await audit()
    expect(ran.exit).toBe(0)
    const { skipped, checklist, summary } = reportOf(ran)
    const bySource = (source: string) =>
      skipped.filter((each) => each.source === source).map(({ rule }) => rule)
    expect(bySource('log')).toEqual(
      expect.arrayContaining(['new-network', 'shared-key', 'live-key-in-development']),
    )
    expect(bySource('usage')).toEqual(expect.arrayContaining(['error-rate', 'latency', 'request-spike']))
    expect(summary.skipped).toBe(skipped.length)
    const item = checklist.find((each) => each.item === 'API usage monitored for anomalies')
    expect(item).toMatchObject({ state: 'unknown' })
    const warnings = ran.stderr.split('\n').filter((line) => line.includes('"warning"'))
    expect(warnings.join('\n')).toMatch(/no audit log: .*new-network/)
    expect(warnings.join('\n')).toMatch(/no usage: .*error-rate/)
  })

  test('fails an audit that must not skip', async () => {
    await withKey(1, { without: ['audit-log', 'usage'] })
    const ran = await audit('--rule', 'error-rate', '--fail-on-skipped')
    expect(ran.exit).toBe(10)
    expect(errorOf(ran)).toMatchObject({
      code: 'audit-skipped',
      message: '1 rule could not be held against the account',
    })
    expect((await audit('--rule', 'key-age', '--fail-on-skipped')).exit).toBe(0)
  })

  test('is said to a person as well', async () => {
    await withKey(1, { without: ['audit-log'] })
    const ran = await account.run(['audit', '--rule', 'shared-key'])
    expect(ran.stdout).toMatch(/shared-key: the API keeps no audit log/)
    expect(ran.stderr).toContain('warning: the API keeps no audit log: nothing is known by shared-key')
  })
})

describe('a rule', () => {
  test('that there is not is refused, with the nearest', async () => {
    await withKey(1)
    const ran = await audit('--rule', 'keyage')
    expect([ran.exit, errorOf(ran).message, errorOf(ran).hint]).toEqual([
      2,
      'there is no rule keyage',
      'did you mean key-age?',
    ])
  })

  test('is explained without an account', async () => {
    await withKey(1)
    const ran = await account.run(['audit', 'rules', '--json'], { env: { PICTIFY_ADMIN_KEY: undefined } })
    const { rules } = JSON.parse(ran.stdout) as Pick<AuditReport, 'rules'>
    expect(rules.find(({ id }) => id === 'key-age')).toMatchObject({ severity: 'error' })
    const one = await account.run(['audit', 'rules', '--rule', 'key-age'])
    expect(one.stdout).toMatch(/^key-age \(error\)/)
    expect(one.stdout).not.toContain('vague-name')
    expect(account.sandbox.requests).toEqual([])
  })

  test('that needs no usage and no log asks for neither', async () => {
    await withKey(1)
    const ran = await account.run(['audit', '--rule', 'key-age', '--debug'])
    expect(ran.stderr).toContain('/api-keys?')
    expect(ran.stderr).not.toMatch(/\/usage|\/audit-logs/)
  })
})
