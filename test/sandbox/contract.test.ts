import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { createSandbox, type Sandbox, type SandboxOptions } from '../../src/sandbox/server.ts'
import { ask, call, slug, unmet, type Answer } from './conformance.ts'

let open: Sandbox[] = []
async function start(options: SandboxOptions = {}): Promise<Sandbox> {
  const sandbox = await createSandbox({ propagationMs: 0, seed: 7, ...options })
  open.push(sandbox)
  return sandbox
}
afterEach(async () => {
  await Promise.all(open.map((sandbox) => sandbox.close()))
  open = []
})
// 500 is for what a test cannot ask for; data.test.ts brings one about
afterAll(() => expect(unmet().filter((answer) => !answer.endsWith(' 500'))).toEqual([]))

const create = (sandbox: Sandbox, json: unknown, headers: Record<string, string> = {}) =>
  call(sandbox, 'POST', '/api-keys', { json, headers })
/** The status of a create whose body comes in pieces, with no length said beforehand. */
async function stream(sandbox: Sandbox, pieces: string[]): Promise<number | undefined> {
  const headers = { Authorization: `Bearer ${sandbox.adminKey.reveal()}`, 'Content-Type': 'application/json' }
  const sent = request(`${sandbox.url}/api-keys`, { method: 'POST', headers })
  const answered = once(sent, 'response') as Promise<[IncomingMessage]>
  // the server may refuse before it has read it all
  sent.on('error', () => undefined)
  for (const piece of pieces) sent.write(piece)
  sent.end()
  const [response] = await answered
  response.resume()
  return response.statusCode
}
const names = ({ body }: Answer) => body.apiKeys.map((key) => key.name)

describe('GET /api-keys', () => {
  test('pages through all keys, newest first', async () => {
    const sandbox = await start({ plan: 'business' })
    for (let i = 1; i <= 24; i++) sandbox.dashboard.create({ name: `key ${i}` })
    const first = await call(sandbox, 'GET', '/api-keys')
    expect(names(first)).toEqual(Array.from({ length: 20 }, (_, i) => `key ${24 - i}`))
    expect(first.body.pagination).toEqual({
      page: 1,
      limit: 20,
      total: 25,
      totalPages: 2,
      hasNext: true,
      hasPrev: false,
    })
    const last = await call(sandbox, 'GET', '/api-keys?page=3&limit=10')
    expect(names(last)).toEqual(['key 4', 'key 3', 'key 2', 'key 1', 'Team admin'])
    expect(last.body.pagination).toMatchObject({ totalPages: 3, hasNext: false, hasPrev: true })
    const beyond = await call(sandbox, 'GET', '/api-keys?page=9')
    expect(names(beyond)).toEqual([])
    expect(beyond.body.pagination).toMatchObject({ total: 25, hasNext: false, hasPrev: true })
  })

  test('filters by type and status, and counts what is left', async () => {
    const sandbox = await start()
    const { dashboard } = sandbox
    for (const name of ['a', 'b', 'c']) dashboard.create({ name, type: 'test' })
    const gone = dashboard.create({ name: 'd', type: 'test' })
    dashboard.create({ name: 'e' })
    dashboard.revoke(gone.id)
    expect(names(await call(sandbox, 'GET', '/api-keys?type=test'))).toEqual(['d', 'c', 'b', 'a'])
    expect(names(await call(sandbox, 'GET', '/api-keys?type=live'))).toEqual(['e', 'Team admin'])
    expect(names(await call(sandbox, 'GET', '/api-keys?status=revoked'))).toEqual(['d'])
    const page = await call(sandbox, 'GET', '/api-keys?type=test&status=active&limit=2&page=2')
    expect(names(page)).toEqual(['a'])
    expect(page.body.pagination).toMatchObject({ total: 3, totalPages: 2 })
  })

  test.each([
    ['limit=101', 'limit'],
    ['limit=0', 'limit'],
    ['limit=many', 'limit'],
    ['page=0', 'page'],
    ['page=-1', 'page'],
    ['type=prod', 'type'],
    ['status=gone', 'status'],
  ])('refuses %s', async (query, field) => {
    const answer = await call(await start(), 'GET', `/api-keys?${query}`)
    expect([answer.status, slug(answer), answer.body.errors.map((error) => error.field)]).toEqual([
      400,
      'validation-error',
      [field],
    ])
  })
})

describe('POST /api-keys', () => {
  test('mints a key that works, and shows its secret once', async () => {
    const sandbox = await start()
    const minted = await create(sandbox, { name: 'Production API Server', type: 'live' })
    expect(minted.status).toBe(201)
    const { secret, ...key } = minted.body.apiKey
    expect(key).toMatchObject({
      name: 'Production API Server',
      type: 'live',
      status: 'active',
      access: 'full',
    })
    expect(secret).toMatch(/^pk_live_/)
    expect((await call(sandbox, 'GET', '/templates?limit=1', { key: secret })).status).toBe(200)
    const shown = await call(sandbox, 'GET', `/api-keys/${key.id}`)
    expect(shown.body.apiKey).not.toHaveProperty('secret')
    expect(JSON.stringify((await call(sandbox, 'GET', '/api-keys')).body)).not.toContain('pk_')
  })

  test('takes names of 100 characters of any kind', async () => {
    const sandbox = await start()
    const name = '🔑'.repeat(100)
    expect(
      (await create(sandbox, { name, type: 'test', access: 'read-only', note: 'ignored' })).body.apiKey,
    ).toMatchObject({
      name,
      access: 'read-only',
    })
  })

  test.each([
    [{ type: 'live' }, 'name', 'required'],
    [{ name: '', type: 'live' }, 'name', 'too_short'],
    [{ name: 'x'.repeat(101), type: 'live' }, 'name', 'too_long'],
    [{ name: 'a\u0007b', type: 'live' }, 'name', 'invalid_characters'],
    [{ name: 5, type: 'live' }, 'name', 'invalid_type'],
    [{ name: 'x' }, 'type', 'invalid_enum'],
    [{ name: 'x', type: 'prod' }, 'type', 'invalid_enum'],
    [{ name: 'x', type: 'live', access: 'root' }, 'access', 'invalid_enum'],
    [['x'], 'body', 'invalid_type'],
    [null, 'body', 'invalid_type'],
  ])('refuses %j', async (json, field, code) => {
    const sandbox = await start()
    const answer = await create(sandbox, json)
    expect(answer.status).toBe(400)
    expect(answer.body.errors).toEqual([expect.objectContaining({ field, code })])
    expect(sandbox.keys()).toHaveLength(1)
  })

  test('names everything that is wrong at once', async () => {
    const answer = await create(await start(), { name: '', type: 'x', access: 'y' })
    expect(answer.body.errors.map((error) => error.field)).toEqual(['name', 'type', 'access'])
  })

  test('refuses a body that is not JSON, not said to be JSON, or too large', async () => {
    const sandbox = await start()
    const json = { 'Content-Type': 'application/json' }
    const cut = await call(sandbox, 'POST', '/api-keys', { text: '{"name":', headers: json })
    expect([cut.status, cut.body.errors[0]?.code]).toEqual([400, 'invalid_json'])
    const none = await call(sandbox, 'POST', '/api-keys', { headers: json })
    expect([none.status, none.body.errors[0]?.code]).toEqual([400, 'invalid_json'])
    const plain = await call(sandbox, 'POST', '/api-keys', { text: '{"name":"x","type":"live"}' })
    expect([plain.status, slug(plain)]).toEqual([415, 'unsupported-media-type'])
    const large = await create(sandbox, { name: 'x'.repeat(1024 * 1024), type: 'live' })
    expect([large.status, slug(large)]).toEqual([413, 'payload-too-large'])
    expect(
      await stream(
        sandbox,
        Array.from({ length: 20 }, () => 'x'.repeat(64 * 1024)),
      ),
    ).toBe(413)
    expect(sandbox.keys()).toHaveLength(1)
    expect(await stream(sandbox, ['{"name":"in pieces",', '"type":"live"}'])).toBe(201)
  })

  test.each([
    ['free', 'live', 1],
    ['free', 'test', 5],
    ['pro', 'live', 9],
    ['pro', 'test', 10],
    ['business', 'test', 50],
  ] as const)('keeps the %s plan’s limit of active %s keys', async (plan, type, room) => {
    const sandbox = await start({ plan })
    for (let i = 0; i < room; i++) sandbox.dashboard.create({ name: `${i}`, type })
    const full = await create(sandbox, { name: 'one more', type })
    expect([full.status, slug(full)]).toEqual([403, 'key-limit-reached'])
    sandbox.dashboard.revoke(sandbox.keys()[0]?.id ?? '')
    expect((await create(sandbox, { name: 'one more', type })).status).toBe(201)
  })

  test('gives the same answer again for the same Idempotency-Key and body', async () => {
    const sandbox = await start()
    const headers = { 'Idempotency-Key': 'b1946ac9' }
    const first = await create(sandbox, { name: 'x', type: 'live' }, headers)
    const again = await create(sandbox, { type: 'live', name: 'x' }, headers)
    expect(again.body).toEqual(first.body)
    expect([first.headers.get('idempotency-replayed'), again.headers.get('idempotency-replayed')]).toEqual([
      null,
      'true',
    ])
    const other = await create(sandbox, { name: 'y', type: 'live' }, headers)
    expect([other.status, slug(other)]).toEqual([422, 'idempotency-key-reused'])
    expect(sandbox.keys().map((key) => key.name)).toEqual(['x', 'Team admin'])
    const long = await create(sandbox, { name: 'x', type: 'live' }, { 'Idempotency-Key': 'k'.repeat(256) })
    expect(long.status).toBe(400)
  })

  test('mints one key for many requests at once with one Idempotency-Key', async () => {
    const sandbox = await start()
    const headers = { 'Idempotency-Key': 'same' }
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => create(sandbox, { name: 'x', type: 'live' }, headers)),
    )
    expect(new Set(answers.map(({ body }) => body.apiKey.secret)).size).toBe(1)
    expect(sandbox.keys()).toHaveLength(2)
  })

  test('does not remember a refusal', async () => {
    const sandbox = await start({ plan: 'free' })
    const other = sandbox.dashboard.create({ name: 'other' })
    const headers = { 'Idempotency-Key': 'k' }
    expect((await create(sandbox, { name: 'x', type: 'live' }, headers)).status).toBe(403)
    sandbox.dashboard.revoke(other.id)
    expect((await create(sandbox, { name: 'x', type: 'live' }, headers)).status).toBe(201)
  })
})

describe('/api-keys/{id}', () => {
  test('shows, renames, revokes and deletes', async () => {
    const sandbox = await start()
    const { id, secret } = sandbox.dashboard.create({ name: 'Newsletter' })
    const path = `/api-keys/${id}`
    const renamed = await call(sandbox, 'PUT', path, { json: { name: 'Newsletter Renderer' } })
    expect(renamed.body.apiKey).toMatchObject({
      id,
      name: 'Newsletter Renderer',
      status: 'active',
      revokedAt: null,
    })
    const active = await call(sandbox, 'DELETE', path)
    expect([active.status, slug(active)]).toEqual([409, 'api-key-active'])
    const revoked = await call(sandbox, 'POST', `${path}/revoke`)
    expect(revoked.body.apiKey).toMatchObject({ status: 'revoked', revokedAt: expect.any(String) as string })
    expect((await call(sandbox, 'POST', `${path}/revoke`)).body).toEqual(revoked.body)
    expect((await call(sandbox, 'GET', '/templates', { key: secret })).status).toBe(401)
    expect((await call(sandbox, 'GET', path)).body).toEqual(revoked.body)
    expect((await call(sandbox, 'DELETE', path)).body).toEqual({ deleted: true })
    for (const [method, at] of [
      ['GET', path],
      ['DELETE', path],
      ['POST', `${path}/revoke`],
      ['GET', `${path}/usage`],
      ['PUT', path],
    ] as const) {
      const gone = await call(sandbox, method, at, method === 'PUT' ? { json: { name: 'x' } } : {})
      expect([gone.status, slug(gone)], `${method} ${at}`).toEqual([404, 'api-key-not-found'])
    }
  })

  test('refuses a bad new name', async () => {
    const sandbox = await start()
    const path = `/api-keys/${sandbox.dashboard.create({ name: 'x' }).id}`
    expect((await call(sandbox, 'PUT', path, { json: { name: '' } })).body.errors[0]).toMatchObject({
      field: 'name',
    })
    expect((await call(sandbox, 'PUT', path, { text: 'name=x' })).status).toBe(415)
    expect((await call(sandbox, 'PUT', path, { json: { name: 'x'.repeat(1024 * 1024) } })).status).toBe(413)
    expect(sandbox.keys()[0]?.name).toBe('x')
  })
})

describe('rendering', () => {
  test('renders images, and lists templates', async () => {
    const sandbox = await start()
    const key = sandbox.dashboard.create({ name: 'app' }).secret
    const image = await call(sandbox, 'POST', '/image', { key, json: { html: '<h1>hi</h1>', width: 600 } })
    expect(image.body.url).toContain(image.body.id)
    const headers = { 'Idempotency-Key': 'r' }
    const once = await call(sandbox, 'POST', '/image', { key, json: { url: 'https://example.com' }, headers })
    const again = await call(sandbox, 'POST', '/image', {
      key,
      json: { url: 'https://example.com' },
      headers,
    })
    expect(again.body).toEqual(once.body)
    expect(
      (await call(sandbox, 'POST', '/image', { key, json: { url: 'https://example.org' }, headers })).status,
    ).toBe(422)
    expect((await call(sandbox, 'GET', '/templates?limit=1', { key })).body.templates).toHaveLength(1)
    expect((await call(sandbox, 'GET', '/templates?limit=500', { key })).status).toBe(400)
  })

  test('refuses what cannot be rendered', async () => {
    const sandbox = await start()
    const fields = async (json: unknown) =>
      (await call(sandbox, 'POST', '/image', { json })).body.errors.map((error) => error.field)
    expect(await fields({})).toEqual(['html'])
    expect(await fields({ html: 3 })).toEqual(['html'])
    expect(await fields({ html: 'x', width: 0, height: 1.5 })).toEqual(['width', 'height'])
    expect((await call(sandbox, 'POST', '/image', { text: 'html' })).status).toBe(415)
    expect((await call(sandbox, 'POST', '/image', { json: { html: 'x'.repeat(1024 * 1024) } })).status).toBe(
      413,
    )
  })
})

describe('who may', () => {
  const managing = [
    ['GET', '/api-keys'],
    ['POST', '/api-keys'],
    ['GET', '/api-keys/key_1'],
    ['PUT', '/api-keys/key_1'],
    ['DELETE', '/api-keys/key_1'],
    ['POST', '/api-keys/key_1/revoke'],
    ['GET', '/api-keys/key_1/usage'],
    ['GET', '/audit-logs'],
  ] as const
  const rendering = [
    ['GET', '/templates'],
    ['POST', '/image'],
  ] as const
  const json = { name: 'x', type: 'test', html: 'x' }
  const body = (method: string) => (method === 'GET' || method === 'DELETE' ? {} : { json })

  test.each([...managing, ...rendering])('%s %s needs a key that is accepted', async (method, path) => {
    const sandbox = await start()
    const none = await call(sandbox, method, path, { key: null, ...body(method) })
    expect([none.status, slug(none), none.headers.get('www-authenticate')]).toEqual([
      401,
      'missing-auth',
      'Bearer',
    ])
    const headers = { Authorization: `Basic ${sandbox.adminKey.reveal()}` }
    const basic = await call(sandbox, method, path, { key: null, headers, ...body(method) })
    expect(slug(basic)).toBe('missing-auth')
    const unknown = await call(sandbox, method, path, { key: 'pk_live_unknown', ...body(method) })
    expect([unknown.status, slug(unknown)]).toEqual([401, 'invalid-api-key'])
  })

  test.each(managing)('%s %s needs key management', async (method, path) => {
    const sandbox = await start()
    for (const access of ['full', 'read-only'] as const) {
      const key = sandbox.dashboard.create({ name: access, access }).secret
      const answer = await call(sandbox, method, path, { key, ...body(method) })
      expect([answer.status, slug(answer)]).toEqual([403, 'insufficient-permissions'])
    }
    expect(sandbox.keys()).toHaveLength(3)
  })

  test('a read-only key reads and does not render', async () => {
    const sandbox = await start()
    const key = sandbox.dashboard.create({ name: 'r', access: 'read-only' }).secret
    expect((await call(sandbox, 'GET', '/templates', { key })).status).toBe(200)
    const refused = await call(sandbox, 'POST', '/image', { key, json })
    expect([refused.status, slug(refused)]).toEqual([403, 'insufficient-permissions'])
  })

  test.each([...managing, ...rendering])('%s %s is rate limited', async (method, path) => {
    const sandbox = await start({ plan: 'free' })
    const key = sandbox.dashboard.create({ name: 'a', type: 'test', access: 'admin' }).secret
    await Promise.all(Array.from({ length: 60 }, () => ask(sandbox, 'GET', '/templates', { key })))
    const refused = await call(sandbox, method, path, { key, ...body(method) })
    expect([refused.status, slug(refused)]).toEqual([429, 'rate-limit'])
    expect(Number(refused.headers.get('retry-after'))).toBe(refused.body.retryAfter)
    expect((await call(sandbox, 'GET', '/templates')).status).toBe(200)
  })
})

describe('what is not there', () => {
  test.each(['/', '/api-key', '/api-keys/', '/v1/api-keys', '/api-keys/key_1/rotate'])(
    '%s is 404',
    async (path) => {
      const response = await ask(await start(), 'GET', path)
      expect([response.status, response.headers.get('content-type')]).toEqual([
        404,
        'application/problem+json',
      ])
      expect(response.headers.get('x-ratelimit-limit')).toBe('300')
      expect(await response.json()).toMatchObject({
        type: 'https://docs.pictify.io/errors/not-found',
        instance: path,
      })
    },
  )

  test('a method that a path does not have is 405', async () => {
    const response = await ask(await start(), 'PATCH', '/api-keys/key_1', { json: {} })
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, PUT, DELETE'])
  })
})

describe('GET /api-keys/{id}/usage', () => {
  test('counts what came in, errors and countries apart', async () => {
    const sandbox = await start()
    const app = sandbox.dashboard.create({ name: 'app' })
    const path = `/api-keys/${app.id}`
    expect((await call(sandbox, 'GET', `${path}/usage`)).body.usage.windows['30d']).toEqual({
      requests: 0,
      errors: 0,
      latencyMs: { p50: 0, p95: 0, p99: 0 },
    })
    const headers = { 'CF-IPCountry': 'DE' }
    for (let i = 0; i < 3; i++)
      await call(sandbox, 'POST', '/image', { key: app.secret, json: { html: 'x' }, headers })
    await call(sandbox, 'POST', '/image', { key: app.secret, json: {} })
    await call(sandbox, 'POST', '/image', { key: 'pk_live_unknown', json: {} })
    const { usage } = (await call(sandbox, 'GET', `${path}/usage`)).body
    const { latencyMs } = usage.windows['24h']
    expect(usage.windows['24h']).toMatchObject({ requests: 4, errors: 1 })
    expect(usage.windows['7d']).toEqual(usage.windows['24h'])
    expect(usage.windows['30d']).toEqual(usage.windows['24h'])
    expect(latencyMs.p50).toBeGreaterThan(0)
    expect(latencyMs.p50).toBeLessThanOrEqual(latencyMs.p95)
    expect(latencyMs.p95).toBeLessThanOrEqual(latencyMs.p99)
    expect(usage.daily.reduce((sum, day) => sum + day.requests, 0)).toBe(4)
    expect(usage.countries).toEqual({ DE: 3, XX: 1 })
    const { lastUsedAt, createdAt } = (await call(sandbox, 'GET', path)).body.apiKey
    expect(Date.parse(lastUsedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(createdAt))
  })
})

describe('GET /audit-logs', () => {
  test('has one event for each request that was let in, newest first', async () => {
    const sandbox = await start()
    const app = sandbox.dashboard.create({ name: 'app' })
    const headers = { 'User-Agent': 'app/1.0' }
    await call(sandbox, 'POST', '/image', { key: app.secret, json: { html: 'x' }, headers })
    await call(sandbox, 'POST', '/image', { key: app.secret, json: {} })
    await call(sandbox, 'GET', '/templates', { key: 'pk_live_unknown' })
    await call(sandbox, 'GET', `/api-keys/${app.id}`)
    const all = (await call(sandbox, 'GET', '/audit-logs')).body
    expect(all.auditLogs.map(({ method, endpoint, status }) => `${method} ${endpoint} ${status}`)).toEqual([
      `GET /api-keys/${app.id} 200`,
      'POST /image 400',
      'POST /image 200',
    ])
    const own = await call(sandbox, 'GET', `/audit-logs?keyId=${app.id}&limit=1&page=2`)
    expect(own.body.pagination).toMatchObject({ total: 2, totalPages: 2 })
    expect(own.body.auditLogs).toMatchObject([
      { action: 'api.request', keyId: app.id, userAgent: 'app/1.0', ip: '127.0.0.1' },
    ])
  })

  test.each(['since=yesterday', 'until=2026-13-01T00:00:00Z', 'limit=1000'])('refuses %s', async (query) => {
    expect((await call(await start(), 'GET', `/audit-logs?${query}`)).status).toBe(400)
  })
})
