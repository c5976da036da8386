import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createSandbox, type Sandbox, type SandboxOptions } from '../../src/sandbox/server.ts'
import { ask, call, type Answer } from './conformance.ts'

let open: Sandbox[] = []
async function start(options: SandboxOptions = {}): Promise<Sandbox> {
  const sandbox = await createSandbox({ propagationMs: 0, ...options })
  open.push(sandbox)
  return sandbox
}
afterEach(async () => {
  await Promise.allSettled(open.map((sandbox) => sandbox.close()))
  open = []
})
const create = (sandbox: Sandbox, name: string, headers = {}): Promise<Answer> =>
  call(sandbox, 'POST', '/api-keys', { json: { name, type: 'live' }, headers })

describe('the server', () => {
  test('listens on the loopback, frees its port, and may be closed twice', async () => {
    const sandbox = await start()
    expect(sandbox.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    const port = Number(new URL(sandbox.url).port)
    const error = await createSandbox({ port }).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'usage', message: expect.stringContaining(String(port)) as string })
    await sandbox.close()
    await sandbox.close()
    expect((await start({ port })).url).toBe(sandbox.url)
  })

  test('logs requests without the credential', async () => {
    const sandbox = await start()
    await call(sandbox, 'GET', '/api-keys?limit=5', { headers: { 'X-Note': 'n' } })
    await call(sandbox, 'GET', '/templates', { key: 'pk_live_nobody' })
    const admin = sandbox.keys()[0]?.id
    expect(sandbox.requests).toMatchObject([
      { method: 'GET', path: '/api-keys?limit=5', status: 200, answered: true, keyId: admin },
      { method: 'GET', path: '/templates', status: 401, answered: true },
    ])
    expect(sandbox.requests[0]?.headers).toMatchObject({ 'x-note': 'n', authorization: '[secret]' })
    expect(JSON.stringify(sandbox.requests)).not.toContain('pk_')
  })

  test('somebody else in the dashboard leaves no trace but the change', async () => {
    const sandbox = await start()
    const { dashboard } = sandbox
    const { id } = dashboard.create({ name: 'a', createdAt: 1_000, lastUsedAt: 2_000 })
    dashboard.rename(id, 'b')
    dashboard.revoke(id)
    expect((await call(sandbox, 'GET', `/api-keys/${id}`)).body.apiKey).toMatchObject({
      name: 'b',
      status: 'revoked',
      createdAt: '1970-01-01T00:00:01.000Z',
      lastUsedAt: '1970-01-01T00:00:02.000Z',
    })
    expect(sandbox.keys().map((key) => key.name)).toEqual(['Team admin', 'b'])
    dashboard.delete(id)
    expect(() => dashboard.revoke(id)).toThrow('no API key')
    expect((await call(sandbox, 'GET', '/audit-logs')).body.auditLogs).toHaveLength(1)
  })

  test('the same seed gives the same account, another one another', async () => {
    const clock = { now: () => 1_700_000_000_000, sleep: async () => undefined }
    const account = async (seed: number | undefined) =>
      (await start({ seed, keys: 20, clock }))
        .keys()
        .map(({ secret, ...key }) => ({ ...key, secret: secret.reveal() }))
    const first = await account(1)
    expect(await account(1)).toEqual(first)
    expect(await account(2)).not.toEqual(first)
    const chance = await account(undefined)
    expect(await account(undefined)).not.toEqual(chance)
  })
})

describe('a seeded account', () => {
  test.each(['free', 'pro', 'business', 'enterprise'] as const)(
    'of plan %s leaves room to work',
    async (plan) => {
      const sandbox = await start({ plan, keys: 200, seed: 9 })
      const keys = sandbox.keys()
      expect(keys).toHaveLength(201)
      const active = (type: string) =>
        keys.filter((key) => key.type === type && key.status === 'active').length
      const most = { free: [1, 2], pro: [5, 5], business: [25, 25], enterprise: [200, 200] }[plan]
      expect(active('live')).toBeLessThanOrEqual(most[0] as number)
      expect(active('test')).toBeLessThanOrEqual(most[1] as number)
      expect(new Set(keys.map((key) => key.name)).size).toBeGreaterThan(50)
      expect(keys.filter((key) => key.lastUsedAt === null).length).toBeGreaterThan(0)
      const created = keys.map((key) => key.createdAt)
      expect(created).toEqual([...created].sort((a, b) => b - a))
      for (const { createdAt, lastUsedAt, revokedAt } of keys) {
        const end = revokedAt ?? Date.now()
        expect(createdAt).toBeLessThan(end)
        if (lastUsedAt !== null) expect(lastUsedAt >= createdAt && lastUsedAt <= end).toBe(true)
      }
    },
  )

  test('has a past that adds up, and goes on with what comes in', async () => {
    const sandbox = await start({ plan: 'enterprise', keys: 60, seed: 4 })
    const keys = sandbox.keys().filter((key) => key.status === 'active' && key.access === 'full')
    for (const key of keys.slice(0, 20)) {
      const { usage } = (await call(sandbox, 'GET', `/api-keys/${key.id}/usage`)).body
      const { '24h': h24, '7d': d7, '30d': d30 } = usage.windows
      expect(h24.requests <= d7.requests && d7.requests <= d30.requests).toBe(true)
      expect(d30.errors).toBeLessThanOrEqual(d30.requests)
      expect(Object.values(usage.countries).reduce((sum, count) => sum + count, 0)).toBe(d30.requests)
      const inDays = usage.daily.reduce((sum, one) => sum + one.requests, 0)
      expect(inDays).toBe(d30.requests)
      const usedLately = key.lastUsedAt !== null && key.lastUsedAt > Date.now() - 24 * 3_600_000
      expect(h24.requests > 0).toBe(usedLately)
    }
    const key = keys.find(({ lastUsedAt }) => lastUsedAt !== null)
    const requests = async () =>
      (await call(sandbox, 'GET', `/api-keys/${key?.id}/usage`)).body.usage.windows['30d'].requests
    const before = await requests()
    await call(sandbox, 'GET', '/templates', { key: key?.secret ?? '' })
    expect(await requests()).toBe(before + 1)
  })

  test('of 100,000 keys is listed to its end', async () => {
    const sandbox = await start({ plan: 'enterprise', keys: 100_000, seed: 1 })
    const ids = new Set<string>()
    for (const page of [1, 2, 500, 1_000]) {
      const { apiKeys, pagination } = (await call(sandbox, 'GET', `/api-keys?limit=100&page=${page}`)).body
      expect(pagination).toMatchObject({ total: 100_001, totalPages: 1_001, hasNext: true })
      for (const { id } of apiKeys) ids.add(id)
    }
    expect(ids.size).toBe(400)
    const last = (await call(sandbox, 'GET', '/api-keys?limit=100&page=1001')).body
    expect([last.apiKeys.length, last.pagination.hasNext]).toEqual([1, false])
    const revoked = (await call(sandbox, 'GET', '/api-keys?limit=100&status=revoked')).body
    expect(revoked.pagination.total).toBe(sandbox.keys().filter((key) => key.status === 'revoked').length)
  })
})

describe('--data', () => {
  let folder: string
  let data: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sandbox-'))
    data = join(folder, 'pictify.json')
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  test('keeps everything from one run to the next', async () => {
    const options = { data, seed: 1, keys: 5 }
    const before = await start(options)
    const headers = { 'Idempotency-Key': 'k' }
    const minted = await create(before, 'kept', headers)
    const key = minted.body.apiKey.secret
    await call(before, 'POST', '/image', { key, json: { html: 'x' } })
    const keys = before.keys()
    const gone = keys.find(({ status }) => status === 'revoked')
    await before.close()

    const after = await start({ ...options, keys: 50 })
    expect(after.adminKey.reveal()).toBe(before.adminKey.reveal())
    const bare = (all: typeof keys) =>
      all.map(({ id, name, status, createdAt }) => ({ id, name, status, createdAt }))
    expect(bare(after.keys())).toEqual(bare(keys))
    expect(gone === undefined || after.keys().some(({ id }) => id === gone.id)).toBe(true)
    expect((await create(after, 'kept', headers)).body).toEqual(minted.body)
    const id = minted.body.apiKey.id
    expect((await call(after, 'GET', `/api-keys/${id}/usage`)).body.usage.windows['24h'].requests).toBe(1)
    expect((await call(after, 'GET', `/audit-logs?keyId=${id}`)).body.auditLogs).toMatchObject([
      { endpoint: '/image' },
    ])
    expect((await call(after, 'GET', '/templates', { key })).headers.get('x-ratelimit-remaining')).toBe('298')
    expect((await create(after, 'new')).body.apiKey.id).not.toBe(id)
  })

  test('has a change on the disk before it is answered, in a file of its owner alone', async () => {
    const sandbox = await start({ data })
    const minted = await create(sandbox, 'kept')
    expect(await readFile(data, 'utf8')).toContain(minted.body.apiKey.secret)
    expect((await stat(data)).mode & 0o777).toBe(0o600)
    await call(sandbox, 'POST', `/api-keys/${minted.body.apiKey.id}/revoke`)
    await Promise.all(Array.from({ length: 5 }, (_, i) => create(sandbox, `at once ${i}`)))
    expect(await readFile(data, 'utf8')).toContain('at once 4')
    await sandbox.close()
    expect(await readdir(folder)).toEqual(['pictify.json'])
  })

  test('has an admin key at hand even when the last one was revoked', async () => {
    const before = await start({ data })
    const { id } = before.keys()[0] ?? { id: '' }
    await call(before, 'POST', `/api-keys/${id}/revoke`)
    expect((await call(before, 'GET', '/api-keys')).status).toBe(401)
    await before.close()
    const after = await start({ data })
    expect((await call(after, 'GET', '/api-keys')).body.pagination.total).toBe(2)
  })

  test.each([
    ['a file of another kind', '{"version":2}'],
    ['a file cut short', '{"version":1,"ke'],
  ])('refuses %s and leaves it', async (_, text) => {
    await writeFile(data, text)
    await expect(createSandbox({ data })).rejects.toMatchObject({ code: 'config-unreadable' })
    expect(await readFile(data, 'utf8')).toBe(text)
  })

  test('a change that cannot be kept is a 500 that says so', async () => {
    const sandbox = await start({ data })
    await rm(folder, { recursive: true })
    const answer = await create(sandbox, 'x')
    expect([answer.status, answer.body.type]).toEqual([500, 'https://docs.pictify.io/errors/internal-error'])
    expect((await ask(sandbox, 'GET', '/templates')).status).toBe(200)
  })
})
