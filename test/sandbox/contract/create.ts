import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import { describe, expect, test } from 'vitest'
import type { Sandbox } from '../../../src/sandbox/server.ts'
import { call, slug } from '../conformance.ts'
import { start } from './start.ts'

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
