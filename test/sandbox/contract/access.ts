import { describe, expect, test } from 'vitest'
import { ask, call, slug } from '../conformance.ts'
import { start } from './start.ts'

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
