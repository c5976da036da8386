import { parse } from 'csv-parse/sync'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AuditEvent } from '../../src/api/contract.ts'
import { errorOf, openAccount, type Account } from './account.ts'
import { createLogApi, eventsOf, type LogApi } from './log-api.ts'
import { createHome, type Home } from './program.ts'
import { openScreen } from './screen.ts'

const events = eventsOf(2_345)
let api: LogApi
let home: Home
beforeAll(async () => {
  api = await createLogApi(events)
  home = await createHome(api.env)
})
afterAll(async () => {
  await home.remove()
  await api.close()
})

const logs = (...args: string[]) => home.run(['logs', ...args])
const lines = (text: string) =>
  text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as AuditEvent)
async function ndjson(...args: string[]): Promise<AuditEvent[]> {
  const ran = await logs('--format', 'ndjson', ...args)
  expect(ran.exit, ran.stderr).toBe(0)
  return lines(ran.stdout)
}

describe('logs', () => {
  it('prints every event once, newest first, in each format', async () => {
    expect(await ndjson()).toEqual(events)
    const json = await logs('--json')
    expect(JSON.parse(json.stdout)).toEqual({ auditLogs: events })
    const csv = await logs('--format', 'csv')
    const rows: string[][] = parse(csv.stdout)
    expect(rows[0]).toEqual([
      'timestamp',
      'keyId',
      'method',
      'endpoint',
      'status',
      'ip',
      'userAgent',
      'action',
    ])
    expect(rows).toHaveLength(events.length + 1)
    expect(rows.slice(1).map((row) => row[3])).toEqual(events.map(({ endpoint }) => endpoint))
  })

  it('shows a person the newest hundred, and nothing that a terminal acts on', async () => {
    const ran = await logs()
    expect(ran.stdout.trimEnd().split('\n')).toHaveLength(101)
    expect(ran.stderr).toContain('the newest 100; --limit shows more')
    expect(ran.stdout).not.toContain('\u001b')
    expect((await logs('--limit', '3')).stdout.trimEnd().split('\n')).toHaveLength(4)
    expect((await logs('--since', '2030-01-01', '--until', '2030-01-02')).stderr).toContain('no requests')
    expect(JSON.parse((await logs('--limit', '0', '--json')).stdout)).toEqual({ auditLogs: [] })
  })

  it('takes what fits alone: one of each kind that is named', async () => {
    const where = async (args: string[], fits: (event: AuditEvent) => boolean) => {
      const found = await ndjson(...args)
      expect(found.length).toBeGreaterThan(0)
      expect(found.length).toBeLessThan(events.length)
      expect(found).toEqual(events.filter(fits))
    }
    await where(['--status', '4xx,500'], ({ status }) => status === 404 || status === 500)
    await where(['--status', '404'], ({ status }) => status === 404)
    await where(['--ip', '203.0.1.0/25'], ({ ip }) => ip.startsWith('203.0.1.') && Number(ip.slice(8)) < 128)
    await where(['--ip', '203.0.2.1', '--ip', '*.7'], ({ ip }) => ip === '203.0.2.1' || ip.endsWith('.7'))
    await where(['--endpoint', '/templates/*'], ({ endpoint }) => endpoint.startsWith('/templates/'))
    await where(['--endpoint', 'POST *'], ({ method }) => method === 'POST')
    await where(
      ['--user-agent', 'curl*', '--status', '2xx'],
      ({ userAgent, status }) => userAgent.startsWith('curl') && status === 200,
    )
    await where(['key_odd'], ({ keyId }) => keyId === 'key_odd')
    const [from, to] = ['2026-02-28T23:58:00Z', '2026-02-28T23:59:00Z']
    await where(['--since', from, '--until', to], ({ timestamp }) => {
      const at = Date.parse(timestamp)
      return at >= Date.parse(from) && at < Date.parse(to)
    })
    expect(await ndjson('--status', '404', '--limit', '7')).toEqual(
      events.filter(({ status }) => status === 404).slice(0, 7),
    )
  })

  it('reads no more pages than a limit needs', async () => {
    const before = api.pages()
    await ndjson('--limit', '5')
    // the first tells the clock, the second has them; those in flight are stopped
    expect(api.pages() - before).toBeLessThan(10)
  })

  it('refuses what cannot be', async () => {
    const refused = async (...args: string[]) => {
      const ran = await logs(...args)
      expect(ran.exit).toBe(2)
      return ran.stderr
    }
    expect(await refused('--status', '9xx')).toContain('"9xx" is no status')
    expect(await refused('--ip', '203.0.1.0/99')).toContain('is no network')
    expect(await refused('--ip', '203.0.1.300')).toContain('"203.0.1.300" is no address')
    expect(await refused('--out', '-')).toContain('--out takes a file')
    expect(await refused('--since', 'yesterday')).toContain('--since: "yesterday" is no instant')
    expect(await refused('--since', '1h', '--until', '2h')).toContain('--since is not before --until')
    expect(await refused('--json', '--format', 'csv')).toContain('exclude each other')
    expect(await refused('--out', 'x', '--format', 'table')).toContain('a file takes no table')
  })

  it('says until when it waits for the rate limit, with a bar at a terminal', async () => {
    api.rate = { remaining: 0, resetInMs: 3_000 }
    try {
      const screen = openScreen(home, ['logs', '--out', 'slow.ndjson'], { columns: 80 })
      await screen.until(/waits for the rate limit until \d\d:\d\d:\d\d UTC/)
      expect(screen.text()).toMatch(/[█░]+ {2}[\d,]+ of 2,345 events/)
      api.rate = undefined
      expect(await screen.ended).toEqual({ exit: 0, signal: null })
      expect(screen.text()).toContain('2,345 events until')
    } finally {
      api.rate = undefined
    }
  })
})

describe('an account', () => {
  let account: Account
  beforeAll(async () => {
    account = await openAccount()
  })
  afterAll(() => account.end())

  it('of whose deleted key the log is still there', async () => {
    const key = account.sandbox.dashboard.create({ name: 'Leaked' })
    await fetch(`${account.sandbox.url}/templates`, {
      headers: { authorization: `Bearer ${key.secret.reveal()}`, 'user-agent': 'thief/1' },
    })
    expect((await account.run(['logs', 'Leaked'])).stdout).toContain('thief/1')
    await account.run(['revoke', key.id, '--yes', '--force'])
    expect((await account.run(['delete', key.id, '--yes'])).exit).toBe(0)
    expect((await account.run(['logs', key.id])).stdout).toContain('thief/1')
    const unknown = await account.run(['logs', 'key_nobody', '--json'])
    expect(unknown.exit).toBe(3)
    expect(errorOf(unknown)).toMatchObject({ code: 'api-key-not-found' })
  })

  it('whose API keeps no log', async () => {
    account.sandbox.addFault('status-404:GET /audit-logs')
    const ran = await account.run(['logs', '--json'])
    expect(ran).toMatchObject({ exit: 3, stdout: '' })
    expect(errorOf(ran)).toMatchObject({ code: 'no-audit-log', status: 404 })
  })
})
