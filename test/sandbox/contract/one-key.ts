import { describe, expect, test } from 'vitest'
import { call, slug } from '../conformance.ts'
import { start } from './start.ts'

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
