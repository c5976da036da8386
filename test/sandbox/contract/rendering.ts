import { describe, expect, test } from 'vitest'
import { call } from '../conformance.ts'
import { start } from './start.ts'

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
