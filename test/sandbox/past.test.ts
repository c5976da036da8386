import { afterEach, describe, expect, test } from 'vitest'
import {
  createSandbox,
  type Sandbox,
  type SandboxKey,
  type SandboxOptions,
} from '../../src/sandbox/server.ts'
import { call } from './conformance.ts'
import { createVirtualClock } from './virtual-clock.ts'

const hour = 3_600_000
const day = 24 * hour
const start = Date.parse('2026-03-11T12:00:00.000Z')

let sandbox: Sandbox
const begin = async (options: SandboxOptions) => {
  sandbox = await createSandbox({ clock: createVirtualClock(start), seed: 3, plan: 'business', ...options })
}
afterEach(() => sandbox.close())

const iso = (at: number) => encodeURIComponent(new Date(at).toISOString())
interface Event {
  timestamp: string
  keyId: string
  method: string
  endpoint: string
  status: number
  ip: string
  userAgent: string
}
const page = async (query: string): Promise<{ events: Event[]; total: number; totalPages: number }> => {
  const { body } = await call(sandbox, 'GET', `/audit-logs?limit=100&until=${iso(start)}&${query}`)
  return { events: body.auditLogs as Event[], ...body.pagination }
}
const all = async (query: string): Promise<Event[]> => {
  const { events, totalPages } = await page(query)
  for (let number = 2; number <= totalPages; number++)
    events.push(...(await page(`${query}&page=${number}`)).events)
  return events
}
const usageOf = async (id: string) => (await call(sandbox, 'GET', `/api-keys/${id}/usage`)).body.usage
const odd = (oddity: SandboxKey['oddity']): SandboxKey =>
  sandbox.keys().find((key) => key.oddity === oddity) as SandboxKey
const counted = (events: readonly Event[], of: (event: Event) => string): Record<string, number> => {
  const counts: Record<string, number> = {}
  for (const event of events) counts[of(event)] = (counts[of(event)] ?? 0) + 1
  return counts
}
const network = ({ ip }: Event) => ip.split(ip.includes(':') ? '::' : /\.\d+$/)[0] as string

describe('the past of a seeded account', () => {
  test('is in the audit log what it is in usage, up to the last use', async () => {
    await begin({ keys: 60 })
    const keys = sandbox.keys().filter(({ secret }) => secret.reveal() !== sandbox.adminKey.reveal())
    let sum = 0
    for (const { id, lastUsedAt } of keys) {
      const { windows, daily } = await usageOf(id)
      const { events, total } = await page(`keyId=${id}`)
      sum += total
      expect(total).toBe(windows['30d'].requests)
      if (total === 0) continue
      expect(Date.parse(events[0]?.timestamp ?? '')).toBe(lastUsedAt)
      expect((await page(`keyId=${id}&since=${iso(start - day)}`)).total).toBe(windows['24h'].requests)
      expect((await page(`keyId=${id}&since=${iso(start - 7 * day)}`)).total).toBe(windows['7d'].requests)
      const { date, requests } = daily.at(-3) ?? daily.at(0) ?? { date: '', requests: NaN }
      const from = Date.parse(date)
      const after = async (at: number) => (await page(`keyId=${id}&since=${iso(at)}`)).total
      expect((await after(from)) - (await after(from + day))).toBe(requests)
    }
    expect(sum).toBeGreaterThan(10_000)
    expect((await page('')).total).toBe(sum)
  })

  test('fails as often as usage says', async () => {
    await begin({ keys: 40 })
    for (const oddity of ['failing', 'test-limit', 'shared'] as const) {
      const { id } = odd(oddity)
      const failed = (await all(`keyId=${id}`)).filter(({ status }) => status >= 400).length
      expect(failed).toBe((await usageOf(id)).windows['30d'].errors)
    }
  })

  test('is one order, newest first, however it is cut', async () => {
    await begin({ keys: 40, events: 2_000 })
    const events = await all('')
    expect(events).toHaveLength(2_000)
    const times = events.map(({ timestamp }) => Date.parse(timestamp))
    expect(times).toEqual([...times].sort((a, b) => b - a))
    for (const days of [1, 5, 20]) {
      const since = start - days * day
      expect(await all(`since=${iso(since)}`)).toEqual(events.filter((_, i) => (times[i] as number) >= since))
    }
    const middle = times[1_000] as number
    const { body } = await call(
      sandbox,
      'GET',
      `/audit-logs?limit=1&since=${iso(middle)}&until=${iso(middle + 1)}`,
    )
    expect(body.auditLogs).toEqual([events.find(({ timestamp }) => Date.parse(timestamp) === middle)])
    const { id } = odd('shared')
    expect(await all(`keyId=${id}`)).toEqual(events.filter(({ keyId }) => keyId === id))
  })

  test('of five million requests answers any page', async () => {
    await begin({ keys: 2_000, plan: 'enterprise', events: 5_000_000 })
    const last = await page('page=50000')
    expect(last.total).toBe(5_000_000)
    expect(last.events).toHaveLength(100)
    expect(Date.parse(last.events.at(-1)?.timestamp ?? '')).toBeGreaterThan(start - 30 * day - hour)
    const seen = new Set<string>()
    for (let number = 25_000; number < 25_020; number++) {
      for (const event of (await page(`page=${number}`)).events) seen.add(JSON.stringify(event))
    }
    expect(seen.size).toBe(2_000)
    expect((await page('page=50001')).events).toEqual([])
  })

  test('goes on with what comes in, and stays when a key is deleted', async () => {
    await begin({ keys: 40, events: 1_000 })
    const key = sandbox.keys().find(({ status, lastUsedAt }) => status === 'active' && lastUsedAt)
    const id = key?.id ?? ''
    const before = (await page(`keyId=${id}`)).total
    expect(before).toBeGreaterThan(0)
    await call(sandbox, 'GET', '/templates', { key: key?.secret ?? '' })
    sandbox.dashboard.revoke(id)
    sandbox.dashboard.delete(id)
    const { body } = await call(sandbox, 'GET', `/audit-logs?keyId=${id}&limit=2`)
    expect(body.pagination.total).toBe(before + 1)
    expect(body.auditLogs).toMatchObject([{ ip: '127.0.0.1', endpoint: '/templates' }, { keyId: id }])
    expect((await page('')).total).toBe(1_000)
  })

  test('needs a key that was used', async () => {
    await expect(begin({ events: 10 })).rejects.toMatchObject({ code: 'usage' })
    await begin({ keys: 0 })
    expect((await page('')).total).toBe(0)
  })
})

describe('oddities', () => {
  test('are one of each kind, and no other key has anything new or local', async () => {
    await begin({ keys: 60 })
    const kinds = sandbox.keys().flatMap(({ oddity }) => oddity ?? [])
    expect(kinds.sort()).toEqual([
      'admin-renders',
      'failing',
      'local',
      'new-network',
      'new-program',
      'night',
      'shared',
      'spike',
      'test-limit',
    ])
    const { events } = await page(`since=${iso(start - 100 * 60_000)}`)
    const ordinary = sandbox.keys().filter((key) => key.oddity === undefined && key.lastUsedAt)
    const used = ordinary.filter(({ id }) => events.some(({ keyId }) => keyId === id)).slice(0, 4)
    expect(used.length).toBeGreaterThan(1)
    for (const { id, access } of used) {
      const log = await all(`keyId=${id}`)
      const earlier = log.filter(({ timestamp }) => Date.parse(timestamp) < start - 2 * day)
      const lately = log.filter(({ timestamp }) => Date.parse(timestamp) >= start - 2 * day)
      const known = new Set(earlier.map(network))
      expect(lately.filter((event) => !known.has(network(event)))).toEqual([])
      expect(log.filter(({ ip }) => ip === '127.0.0.1' || ip === '::1')).toEqual([])
      if (access === 'read-only') expect(new Set(log.map(({ method }) => method))).toEqual(new Set(['GET']))
    }
  })

  test('shared: two programs in two networks, day by day', async () => {
    await begin({ keys: 40 })
    const log = await all(`keyId=${odd('shared').id}&since=${iso(start - 3 * day)}`)
    const programs = counted(log, ({ userAgent }) => userAgent)
    expect(Object.keys(programs)).toHaveLength(2)
    const pairs = new Set(log.map((event) => `${event.userAgent} ${network(event).split('.')[0] as string}`))
    expect(pairs.size).toBe(2)
  })

  test('local: a live key from loopback and from CI', async () => {
    await begin({ keys: 40 })
    const key = odd('local')
    const log = await all(`keyId=${key.id}`)
    expect(key.type).toBe('live')
    expect(counted(log, ({ ip }) => ip)['127.0.0.1']).toBeGreaterThan(10)
    expect(log.some(({ userAgent }) => userAgent.includes('GitHub Actions'))).toBe(true)
  })

  test('spike: one day far above all others', async () => {
    await begin({ keys: 40 })
    const { daily } = await usageOf(odd('spike').id)
    const [yesterday = 0, ...others] = daily
      .slice(1, -1)
      .map(({ requests }) => requests)
      .reverse()
    expect(yesterday).toBeGreaterThan(3 * Math.max(...others))
  })

  test('new-network and new-program: not seen before the last two days', async () => {
    await begin({ keys: 40 })
    const split = async (oddity: 'new-network' | 'new-program') => {
      const log = await all(`keyId=${odd(oddity).id}`)
      const isNew = ({ timestamp }: Event) => Date.parse(timestamp) >= start - 2 * day
      return { earlier: log.filter((event) => !isNew(event)), lately: log.filter(isNew) }
    }
    const networks = await split('new-network')
    const known = new Set(networks.earlier.map(network))
    const share =
      networks.lately.filter((event) => !known.has(network(event))).length / networks.lately.length
    expect(share).toBeGreaterThan(0.35)
    expect(share).toBeLessThan(0.65)
    const { countries } = await usageOf(odd('new-network').id)
    const fromNew = ['KZ', 'MD', 'NG', 'VN'].reduce((sum, code) => sum + (countries[code] ?? 0), 0)
    expect(fromNew).toBe(Math.floor(networks.lately.length / 2))

    const programs = await split('new-program')
    const agents = new Set(programs.earlier.map(({ userAgent }) => userAgent))
    const others = programs.lately.filter(({ userAgent }) => !agents.has(userAgent))
    expect(new Set(others.map(({ userAgent }) => userAgent))).toEqual(new Set(['python-requests/2.31.0']))
    expect(new Set(programs.lately.map(network))).toEqual(new Set(programs.earlier.map(network)))
  })

  test('night: at work by day until three nights ago', async () => {
    await begin({ keys: 40 })
    const log = await all(`keyId=${odd('night').id}`)
    const atNight = log.filter(({ timestamp }) => new Date(timestamp).getUTCHours() < 7)
    expect(atNight.length).toBeGreaterThan(10)
    expect(atNight.every(({ timestamp }) => Date.parse(timestamp) >= start - 2.5 * day)).toBe(true)
    expect(new Set(atNight.map(({ timestamp }) => timestamp.slice(8, 10)))).toEqual(
      new Set(['09', '10', '11']),
    )
  })

  test('admin-renders, failing and test-limit', async () => {
    await begin({ keys: 40 })
    const admin = odd('admin-renders')
    expect(admin.access).toBe('admin')
    expect(admin.secret.reveal()).not.toBe(sandbox.adminKey.reveal())
    const calls = counted(await all(`keyId=${admin.id}`), ({ method, endpoint }) => `${method} ${endpoint}`)
    expect(calls['POST /image']).toBeGreaterThan(100)
    expect(calls['GET /api-keys']).toBeGreaterThan(50)

    const { windows } = await usageOf(odd('failing').id)
    expect(windows['24h'].errors / windows['24h'].requests).toBeGreaterThan(0.15)
    expect(windows['30d'].errors / windows['30d'].requests).toBeLessThan(0.05)
    expect(windows['24h'].latencyMs.p95).toBeGreaterThan(windows['30d'].latencyMs.p95 * 2)

    const limit = odd('test-limit')
    expect(limit.type).toBe('test')
    const { daily } = await usageOf(limit.id)
    expect(daily.filter(({ requests }) => requests >= 100).length).toBeGreaterThan(20)
  })
})
