import { mkdir, readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { IncidentReport } from '../../src/audit/incident-report.ts'
import { openAccount, errorOf, type Account } from './account.ts'
import { quick } from './rotating.ts'
import type { Ran } from './program.ts'

let account: Account
beforeAll(async () => {
  account = await openAccount({ keys: 30, plan: 'business' })
})
afterAll(() => account.end())

const reportOf = ({ stdout, stderr }: Ran): IncidentReport => {
  expect(stdout, stderr).not.toBe('')
  return JSON.parse(stdout) as IncidentReport
}
const incident = async (...args: string[]) => reportOf(await account.run(['incident', ...args, '--json']))
const odd = (oddity: string) => {
  const key = account.sandbox.keys().find((each) => each.oddity === oddity)
  if (key === undefined) throw new Error(`no key is ${oddity}`)
  return key
}
/** A request as if it came from there. */
const call = (secret: { reveal(): string }, ip: string, userAgent: string, method = 'GET') =>
  fetch(`${account.sandbox.url}/${method === 'GET' ? 'templates?limit=1' : 'image'}`, {
    method,
    headers: {
      authorization: `Bearer ${secret.reveal()}`,
      'cf-connecting-ip': ip,
      'user-agent': userAgent,
      'content-type': 'application/json',
    },
    ...(method === 'POST' && { body: JSON.stringify({ html: '<p>' }) }),
  })

describe('incident <key>', () => {
  test('finds the network that is not of the past, what it rendered, and puts stopping it first', async () => {
    const key = odd('new-network')
    const { incident: found, next, matchedBy } = await incident(key.id, '--since', '3d')
    expect(matchedBy).toBeNull()
    expect(found.unlike.filter(({ kind }) => kind === 'network').map(({ value }) => value)).toEqual([
      '103.97.126.0/24',
    ])
    expect(found.unlike.filter(({ kind }) => kind === 'program')).toEqual([])
    const { unseen, requests } = found.spent
    const network = found.audit?.networks.find(({ value }) => value === '103.97.126.0/24')
    expect(unseen?.requests).toBe(network?.requests)
    expect(unseen?.renders).toBeGreaterThan(0)
    expect(unseen?.requests).toBeLessThan(requests ?? 0)
    const [mark] = (found.timeline ?? [])
      .flatMap(({ marks }) => marks)
      .filter(({ kind }) => kind === 'new-network')
    expect(mark).toEqual({ at: network?.firstAt, kind: 'new-network', value: '103.97.126.0/24' })
    const rows = (found.timeline ?? []).filter(({ kind }) => kind !== 'before')
    expect(rows.reduce((sum, row) => sum + (row.unseen ?? 0), 0)).toBe(unseen?.requests)
    expect(next[0]?.command).toBe(
      `pictify-keys rotate ${key.id} --compromised --revoke-first --api-url ${account.sandbox.url}`,
    )
    expect(next.map(({ command }) => command).join('\n')).toContain('--ip 103.97.126.0/24')
  })

  test('what it counts is what the log has', async () => {
    const key = odd('spike')
    const { incident: found } = await incident(key.id, '--since', '3d', '--baseline', '20d')
    const { sandbox } = account
    const query = `keyId=${key.id}&since=${found.audit?.from}&until=${found.audit?.until}&limit=1`
    const answer = await fetch(`${sandbox.url}/audit-logs?${query}`, {
      headers: { authorization: `Bearer ${sandbox.adminKey.reveal()}` },
    })
    const { pagination } = (await answer.json()) as { pagination: { total: number } }
    expect(found.audit?.events).toBe(pagination.total)
    const rows = found.timeline ?? []
    expect(rows.reduce((sum, { requests }) => sum + requests, 0)).toBe(pagination.total)
    for (const [index, { from }] of rows.entries()) if (index > 0) expect(from).toBe(rows[index - 1]?.until)
    expect(found.unlike.map(({ kind }) => kind)).toEqual(['requests'])
  })

  test('of a key without oddities it finds nothing, and exits 0 all the same', async () => {
    const usual = account.sandbox
      .keys()
      .find(
        (each) =>
          !each.oddity &&
          each.status === 'active' &&
          each.access === 'full' &&
          (each.lastUsedAt ?? 0) > Date.now() - 3_600_000,
      )
    const ran = await account.run(['incident', usual?.id ?? '', '--since', '2d'])
    expect(ran.exit, ran.stderr).toBe(0)
    expect(ran.stdout).not.toContain('unlike its past\nWHAT')
  })

  test('of an admin key, the keys that were created since', async () => {
    const key = odd('admin-renders')
    const made = account.sandbox.dashboard.create({ name: 'Not ours' })
    const { keysSince, incident: found, next } = await incident(key.id, '--since', '1d')
    expect(keysSince?.map(({ id }) => id)).toContain(made.id)
    expect(keysSince?.every(({ createdAt }) => createdAt >= found.since)).toBe(true)
    expect(found.reach.endpoints?.find(({ endpoint }) => endpoint === 'GET /api-keys')?.kind).toBe('manage')
    expect(next.some(({ command }) => command.includes('list --sort created'))).toBe(true)
  })

  test('of a key that was revoked it still tells, and of one that was deleted by its id', async () => {
    const key = account.sandbox.dashboard.create({ name: 'Gone', createdAt: Date.now() - 3 * 86_400_000 })
    await call(key.secret, '203.0.113.9', 'curl/8.5.0')
    account.sandbox.dashboard.revoke(key.id)
    const revoked = await incident(key.id)
    expect(revoked.incident).toMatchObject({ key: { status: 'revoked' }, audit: { events: 1 } })
    expect(revoked.next.some(({ command }) => command.includes(' rotate '))).toBe(false)
    account.sandbox.dashboard.delete(key.id)
    const deleted = await incident(key.id)
    expect(deleted.incident).toMatchObject({ key: null, audit: { events: 1 } })
    expect(errorOf(await account.run(['incident', 'key_neverthere0', '--json']))).toMatchObject({
      code: 'api-key-not-found',
    })
  })

  test('a rotation of this machine is in the timeline, and its receipt names the places for the next one', async () => {
    const { sandbox, home } = account
    const key = sandbox.dashboard.create({ name: 'Rotated', createdAt: Date.now() - 3 * 86_400_000 })
    await call(key.secret, '203.0.113.9', 'curl/8.5.0')
    await account.run(['rotate', key.id, '--to', 'env:.env', '--create-target', '--compromised', ...quick])
    const text = await readFile(path.join(home.directory, '.env'), 'utf8')
    expect(text).toContain('PICTIFY_API_KEY=')
    const { incident: old } = await incident(key.id)
    const kinds = (old.timeline ?? []).flatMap(({ marks }) => marks.map(({ kind }) => kind))
    expect(kinds).toEqual(
      expect.arrayContaining(['created', 'rotation-started', 'revoked', 'rotation-finished']),
    )
    const successor = await incident('Rotated')
    expect(successor.incident.keyId).not.toBe(key.id)
    expect(successor.next[0]?.command).toContain(`--to 'env:.env#PICTIFY_API_KEY'`)
    // from elsewhere it is the same place
    const elsewhere = path.join(home.directory, 'elsewhere')
    await mkdir(elsewhere)
    const ran = await account.run(['incident', 'Rotated', '--json'], { cwd: elsewhere })
    const [{ command = '' } = {}] = reportOf(ran).next
    expect(command).toContain(`--to 'env:${home.directory}/.env#PICTIFY_API_KEY'`)
    // and the line works there as it is, with nobody to ask
    const words = [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, inQuotes, bare = '']) => inQuotes ?? bare)
    const pasted = await account.run([...words.slice(1), ...quick], { cwd: elsewhere })
    expect(pasted.exit, pasted.stderr).toBe(0)
    expect(await readFile(path.join(home.directory, '.env'), 'utf8')).not.toBe(text)
  })

  test('the line of the first step is one that the program takes', async () => {
    const key = odd('spike')
    const { next } = await incident(key.id)
    for (const { command } of next) {
      const words = command.replace('pictify-keys ', '').split(' ')
      const { stdout } = await account.run([...words, '--help'])
      expect(stdout, command).toContain(`pictify-keys ${words[0]}`)
    }
    expect(next.map(({ command }) => command).join('\n')).not.toMatch(/--yes|--force/)
  })

  test('as Markdown and HTML, to a file', async () => {
    const key = odd('new-network')
    const ran = await account.run(['incident', key.id, '--format', 'html', '--out', 'incident.html'])
    expect(ran).toMatchObject({ exit: 0, stdout: '' })
    const page = await readFile(path.join(account.home.directory, 'incident.html'), 'utf8')
    expect(page).toMatch(/^<!doctype html>/)
    expect((await stat(path.join(account.home.directory, 'incident.html'))).mode & 0o777).toBe(0o600)
    const again = await account.run(['incident', key.id, '--out', 'incident.html', '--json'])
    expect(errorOf(again)).toMatchObject({ code: 'output-file' })
    expect(page).toContain('103.97.126.0/24')
    const { stdout } = await account.run(['incident', key.id, '--format', 'markdown'])
    expect(stdout).toContain('| network | 103.97.126.0/24 |')
  })

  test.each([
    [['incident'], 'needs-answer'],
    [['incident', 'x', '--secret-stdin'], 'usage'],
    [['incident', 'x', '--since', 'yesterday'], 'api-key-not-found'],
    [['incident', 'x', '--format', 'html', '--json'], 'usage'],
  ])('%j is refused as %s', async (line, code) => {
    expect(
      errorOf(await account.run([...line, ...(line.includes('--json') ? [] : ['--json'])])),
    ).toMatchObject({ code })
  })

  test('a time to come, and one that is none, are refused', async () => {
    const { id } = odd('spike')
    for (const since of ['2999-01-01', 'yesterday']) {
      expect(errorOf(await account.run(['incident', id, '--since', since, '--json']))).toMatchObject({
        code: 'usage',
      })
    }
  })
})

describe('an API without audit log or usage', () => {
  const of = async (...without: ('audit-log' | 'usage')[]) => {
    const other = await openAccount({ keys: 30, plan: 'business', without })
    try {
      const key = other.sandbox.keys().find(({ oddity }) => oddity === 'spike')
      const json = await other.run(['incident', key?.id ?? '', '--json'])
      const text = await other.run(['incident', key?.id ?? ''])
      expect(text.exit).toBe(0)
      return { ...reportOf(json), text: text.stdout, warned: text.stderr }
    } finally {
      await other.end()
    }
  }

  test('knows the admin key in use where it is the only one, and says of several what tells them apart', async () => {
    const other = await openAccount({ without: ['audit-log'] })
    try {
      const admin = other.sandbox.keys().find(({ access }) => access === 'admin')?.id ?? ''
      const lines = async () =>
        reportOf(await other.run(['incident', admin, '--json'])).next.map(({ command }) => command)
      const [only, ...rest] = await lines()
      expect(only).toContain(`rotate ${admin} --self --compromised`)
      expect(rest.join('\n')).not.toMatch(/ revoke | rotate |--revoke-first/)
      other.sandbox.dashboard.create({ name: 'Second admin', access: 'admin' })
      const [own, otherwise, ...more] = await lines()
      expect(own).toContain(`rotate ${admin} --self --compromised`)
      expect(otherwise).toContain(`rotate ${admin} --compromised --old-secret-stdin`)
      expect(more.join('\n')).not.toMatch(/ revoke | rotate |--revoke-first/)
    } finally {
      await other.end()
    }
  })

  test('says that nothing is known, and never that nothing was done', async () => {
    const { incident: found, text, warned } = await of('audit-log', 'usage')
    expect(found).toMatchObject({ audit: null, usage: null, timeline: null, past: null })
    expect(found.spent).toMatchObject({ source: null, requests: null })
    expect(text).toContain('what the key did is not known, which is not the same as nothing')
    expect(text).not.toContain('nothing in the audit log')
    expect(warned).toContain('the API keeps no audit log')
  })

  test('goes by the days of usage where there is no log', async () => {
    const { incident: found } = await of('audit-log')
    expect(found.spent).toMatchObject({ source: 'usage', renders: null })
    expect(found.spent.requests).toBeGreaterThan(100)
    expect(found.unlike.map(({ kind }) => kind)).toEqual(['requests'])
  })

  test('and by the log where there is no usage', async () => {
    const { incident: found, warned } = await of('usage')
    expect(found.usage).toBeNull()
    expect(found.audit?.events).toBeGreaterThan(100)
    expect(warned).toContain('no figures of usage')
  })
})
