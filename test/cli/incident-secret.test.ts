import { readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import type { IncidentReport } from '../../src/audit/incident-report.ts'
import type { SandboxKey, SandboxOptions } from '../../src/sandbox/server.ts'
import { errorOf, openAccount, type Account } from './account.ts'
import type { Ran } from './program.ts'
import { quick } from './rotating.ts'
import { keyboard, openScreen } from './screen.ts'

let account: Account
afterEach(() => account.end())

/** An account with three keys, of which the second one leaked. */
async function open(options: SandboxOptions = {}): Promise<SandboxKey> {
  account = await openAccount(options)
  const createdAt = Date.now() - 5 * 86_400_000
  const [, leaked] = ['First', 'Second', 'Third'].map((name) =>
    account.sandbox.dashboard.create({ name, createdAt }),
  )
  return leaked as SandboxKey
}
const ask = (secret: string, ...args: string[]) =>
  account.run(['incident', '--secret-stdin', ...args], { input: `${secret}\n` })
const reportOf = ({ stdout }: Ran) => JSON.parse(stdout) as IncidentReport
const eventsOf = ({ stderr }: Ran) =>
  stderr
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { event?: string; by?: string; keyId?: string })

/** The secret, and every part of it that would help to guess the rest. */
const expectNowhere = (secret: SandboxKey['secret'], ...texts: string[]) => {
  const body = secret.reveal().replace(/^pk_(live|test)_/, '')
  for (const text of texts)
    for (let at = 0; at + 8 <= body.length; at++) expect(text).not.toContain(body.slice(at, at + 8))
}

describe('incident --secret-stdin', () => {
  test('finds the key by the audit log, and the secret is shown nowhere', async () => {
    const leaked = await open()
    const ran = await ask(leaked.secret.reveal(), '--json', '--debug')
    expect(ran.exit, ran.stderr).toBe(0)
    expect(reportOf(ran)).toMatchObject({ matchedBy: 'audit-log', incident: { keyId: leaked.id } })
    expect(eventsOf(ran)).toContainEqual(
      expect.objectContaining({ event: 'secret-matched', keyId: leaked.id }),
    )
    const text = await ask(leaked.secret.reveal(), '--format', 'html', '--out', 'report.html')
    expect(text.stderr).toContain(`the secret is of Second (${leaked.id})`)
    expectNowhere(leaked.secret, ran.stdout, ran.stderr, text.stderr)
    const { directory } = account.home
    const files = (await readdir(directory, { recursive: true, withFileTypes: true })).filter((each) =>
      each.isFile(),
    )
    expect(files.map(({ name }) => name)).toContain('report.html')
    for (const file of files)
      expectNowhere(leaked.secret, await readFile(path.join(file.parentPath, file.name), 'utf8'))
    expect(account.sandbox.requests.map((request) => request.path).join('\n')).not.toContain(
      leaked.secret.reveal(),
    )
  })

  test('without an audit log, by the last use that moves with it', async () => {
    const leaked = await open({ without: ['audit-log'], usageLagMs: 0 })
    const ran = await ask(leaked.secret.reveal(), '--json')
    expect(ran.exit, ran.stderr).toBe(0)
    expect(reportOf(ran)).toMatchObject({
      matchedBy: 'last-use',
      incident: { keyId: leaked.id, audit: null },
    })
    expectNowhere(leaked.secret, ran.stdout, ran.stderr)
  })

  const keepUsing = (...names: string[]) => {
    const use = () => {
      for (const { name, secret } of account.sandbox.keys()) {
        const headers = { authorization: `Bearer ${secret.reveal()}` }
        if (names.includes(name))
          void fetch(`${account.sandbox.url}/templates?limit=1`, { headers }).catch(() => {})
      }
    }
    const timer = setInterval(use, 50)
    return () => clearInterval(timer)
  }

  test('others that are in use anyhow are told from it', async () => {
    const leaked = await open({ without: ['audit-log'], usageLagMs: 0 })
    const stop = keepUsing('Third')
    const ran = await ask(leaked.secret.reveal(), '--json')
    stop()
    expect(ran.exit, ran.stderr).toBe(0)
    expect(reportOf(ran)).toMatchObject({ matchedBy: 'last-use', incident: { keyId: leaked.id } })
  })

  test('says nothing where it is in use as others are, but names them', async () => {
    const leaked = await open({ without: ['audit-log'], usageLagMs: 0 })
    const other = account.sandbox.keys().find(({ name }) => name === 'Third')
    const stop = keepUsing('Second', 'Third')
    const ran = await ask(leaked.secret.reveal(), '--json')
    stop()
    expect(ran.exit).toBe(3)
    const { code, hint } = errorOf(ran)
    expect(code).toBe('secret-unmatched')
    expect(hint).toContain(leaked.id)
    expect(hint).toContain(other?.id)
    expect(hint).not.toContain('Team admin')
    expectNowhere(leaked.secret, ran.stderr)
  })

  test('of a key that was rotated away, by the fingerprint that this machine has of it', async () => {
    const leaked = await open()
    const { directory } = account.home
    await account.run(['create', 'x', '--type', 'test', '--to', 'env:.env', '--create-target'])
    await writeFile(path.join(directory, '.env'), `PICTIFY_API_KEY=${leaked.secret.reveal()}\n`)
    const rotated = await account.run(['rotate', leaked.id, '--to', 'env:.env', '--compromised', ...quick])
    expect(rotated.exit, rotated.stderr).toBe(0)
    const ran = await ask(leaked.secret.reveal(), '--json')
    expect(ran.exit, ran.stderr).toBe(0)
    expect(reportOf(ran)).toMatchObject({
      matchedBy: 'rotation',
      incident: { keyId: leaked.id, key: { status: 'revoked' } },
    })
  })

  test('of one that is refused nothing is claimed: it may not be whole, and keys that still work are named too', async () => {
    const leaked = await open()
    const cut = await ask(leaked.secret.reveal().slice(0, -2), '--json')
    expect(cut.exit).toBe(3)
    const { code, message, hint } = errorOf(cut)
    expect(code).toBe('secret-unmatched')
    expect(message).toContain('is it whole?')
    expect(`${message}; ${hint}`).not.toMatch(/no active key|no harm/)
    expect(hint).toContain(leaked.id)
    expectNowhere(leaked.secret, cut.stderr)
    account.sandbox.dashboard.revoke(leaked.id)
    const { hint: revoked } = errorOf(await ask(leaked.secret.reveal(), '--json'))
    expect(revoked).toContain(`revoked live keys: ${leaked.id}`)
  })

  test('is taken out of the line that it stands in; of several none is', async () => {
    const leaked = await open()
    const other = account.sandbox.keys().find(({ name }) => name === 'Third')
    const secret = leaked.secret.reveal()
    await fetch(`${account.sandbox.url}/templates?limit=1`, {
      headers: { authorization: `Bearer ${secret}` },
    })
    const line = await ask(`# app\nPICTIFY_API_KEY=${secret}\nPORT=80`, '--json')
    // the application's request alone: ours is none of what was spent
    expect(reportOf(line)).toMatchObject({ incident: { keyId: leaked.id, spent: { requests: 1 } } })
    const quoted = await ask(`  "apiKey": "${secret}",`, '--json')
    expect(reportOf(quoted)).toMatchObject({ incident: { keyId: leaked.id } })
    expectNowhere(leaked.secret, line.stdout, line.stderr, quoted.stdout, quoted.stderr)
    const both = await ask(`A=${secret}\nB=${other?.secret.reveal()}`, '--json')
    expect(errorOf(both)).toMatchObject({
      code: 'invalid-secret',
      message: expect.stringContaining('2 different secrets') as string,
    })
    expectNowhere(leaked.secret, both.stderr)
    if (other) expectNowhere(other.secret, both.stderr)
  })

  test('one of another account is not taken for one of this', async () => {
    await open()
    const other = await openAccount({ seed: 77 })
    const stranger = other.sandbox.dashboard.create({ name: 'Elsewhere' })
    await other.end()
    const ran = await ask(stranger.secret.reveal(), '--json')
    expect(ran.exit).toBe(3)
    expect(errorOf(ran).hint).toContain('there is no revoked live key in this account')
    expectNowhere(stranger.secret, ran.stderr)
  })

  test('where the API gives no clear answer, it is not called refused', async () => {
    const leaked = await open()
    account.sandbox.addFault('status-503:GET /templates')
    const ran = await ask(leaked.secret.reveal(), '--json')
    expect(errorOf(ran)).toMatchObject({
      code: 'secret-unmatched',
      message: expect.stringContaining('did not say') as string,
    })
  })

  test('what is no secret is refused without a request', async () => {
    await open()
    const before = account.sandbox.requests.length
    expect(errorOf(await ask('hunter2', '--json'))).toMatchObject({ code: 'invalid-secret' })
    expect(account.sandbox.requests.length).toBe(before)
  })

  test('at a terminal it is asked for, and what is typed is not shown', async () => {
    const leaked = await open()
    const screen = openScreen(account.home, ['incident', '--secret-stdin'], { columns: 100, rows: 60 })
    await screen.until('Leaked secret (hidden)')
    screen.paste(leaked.secret.reveal())
    screen.type(keyboard.enter)
    expect(await screen.ended).toMatchObject({ exit: 0 })
    expect(screen.scrollback()).toContain(`what Second (${leaked.id}) did`)
    expect(screen.scrollback()).toContain('what to do next')
    expectNowhere(leaked.secret, screen.raw())
  })
})
