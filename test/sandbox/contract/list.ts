import { describe, expect, test } from 'vitest'
import { call, slug, type Answer } from '../conformance.ts'
import { start } from './start.ts'

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
