import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { agedKey, errorOf, openAccount, type Account } from './account.ts'

let account: Account
beforeEach(async () => {
  account = await openAccount()
})
afterEach(() => account.end())

const idleKey = (name: string) => agedKey(account, name)

describe('show', () => {
  test('by id and by name, in words and in JSON', async () => {
    const key = idleKey('Production')
    const words = await account.run(['show', key.id])
    expect(words.stdout).toMatch(/^id: +key_\w+\nname: +Production\ntype: +live\nstatus: +active\n/)
    const json = await account.run(['show', 'Production', '--json'])
    expect(JSON.parse(json.stdout)).toMatchObject({ apiKey: { id: key.id, name: 'Production' } })
  })

  test('an unknown key is exit 3, an ambiguous name exit 2 with the ids', async () => {
    const unknown = await account.run(['show', 'nothing', '--json'])
    expect(unknown).toMatchObject({ exit: 3, stdout: '' })
    expect(errorOf(unknown).code).toBe('api-key-not-found')
    const twins = [idleKey('Twin'), idleKey('Twin')]
    const ambiguous = await account.run(['show', 'Twin', '--json'])
    expect(ambiguous.exit).toBe(2)
    expect(errorOf(ambiguous).code).toBe('ambiguous-key')
    for (const { id } of twins) expect(ambiguous.stderr).toContain(id)
  })
})

describe('rename', () => {
  test('gives a key another name', async () => {
    const key = idleKey('Key 1')
    const ran = await account.run(['rename', 'Key 1', 'Production', '--json'])
    expect(JSON.parse(ran.stdout)).toMatchObject({ apiKey: { id: key.id, name: 'Production' } })
  })

  test.each([[''], ['x'.repeat(101)], ['two\nlines']])('refuses the name %j', async (name) => {
    const key = idleKey('Key 1')
    const ran = await account.run(['rename', key.id, name, '--json'])
    expect(ran.exit).toBe(2)
    expect(errorOf(ran).code).toBe('invalid-name')
    expect(account.keys().map((each) => each.name)).toEqual(['Key 1'])
  })

  test('leaves the successor of an open rotation alone', async () => {
    const key = idleKey('App (rotating key_a #7f3a9c-5d41c2-0)')
    const ran = await account.run(['rename', key.id, 'App', '--json'])
    expect(ran.exit).toBe(2)
    expect(errorOf(ran).hint).toContain('rotations')
  })
})

describe('usage', () => {
  test('of one key, of all active keys, and of none', async () => {
    const key = idleKey('App')
    for (let count = 0; count < 3; count += 1) {
      await fetch(`${account.sandbox.url}/templates?limit=1`, {
        headers: { authorization: `Bearer ${key.secret.reveal()}` },
      })
    }
    const one = await account.run(['usage', 'App', '--json'])
    expect(JSON.parse(one.stdout)).toMatchObject({
      usage: [{ keyId: key.id, windows: { '24h': { requests: 3, errors: 0 } } }],
    })
    const card = await account.run(['usage', 'App'])
    expect(card.stdout).toMatch(/LAST +REQUESTS +ERRORS +P50 +P95 +P99\n24h +3 +0\.0%/)
    expect(card.stdout).toMatch(/days: [▁-█]+\n/)
    expect(card.stdout).toContain('figures up to just now')
    const all = await account.run(['usage'])
    expect(all.stdout).toMatch(/App +3 +3 +3 +0\.0%/)
    expect(all.stdout).toContain('Team admin')
  })

  test('keys without figures are left out and named; one that is asked for alone is exit 3', async () => {
    const windows = Object.fromEntries(
      ['24h', '7d', '30d'].map((name) => [
        name,
        { requests: 1, errors: 0, latencyMs: { p50: 1, p95: 1, p99: 1 } },
      ]),
    )
    const keys = ['key_a', 'key_b'].map((id) => ({
      ...{
        id,
        name: id,
        type: 'live',
        status: 'active',
        createdAt: '2026-01-01T00:00:00Z',
        lastUsedAt: new Date().toISOString(),
      },
    }))
    const server = createServer(({ url = '' }, response) => {
      if (url.includes('key_b/usage')) response.statusCode = 404
      const usage = { keyId: 'key_a', updatedAt: '2026-01-01T00:00:00Z', windows }
      const answer = url.endsWith('/usage') ? { usage } : url.endsWith('/key_b') ? keys[1] : { apiKeys: keys }
      response.end(JSON.stringify(answer))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const env = { PICTIFY_API_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
    try {
      const all = await account.run(['usage', '--json'], { env })
      expect(all.exit).toBe(0)
      expect(
        (JSON.parse(all.stdout) as { usage: { keyId: string }[] }).usage.map(({ keyId }) => keyId),
      ).toEqual(['key_a'])
      expect(all.stderr).toContain('there are no figures for key_b')
      const one = await account.run(['usage', 'key_b', '--json'], { env })
      expect(one).toMatchObject({ exit: 3, stdout: '' })
    } finally {
      server.closeAllConnections()
      server.close()
    }
  })

  test('a failure of the API is a failure, not a key without figures', async () => {
    account.sandbox.addFault('status-500:GET /api-keys/*/usage')
    expect((await account.run(['usage', 'Team admin', '--json'])).exit).toBe(1)
    account.sandbox.clearFaults()
    expect((await account.run(['usage', 'nothing', '--json'])).exit).toBe(3)
  })
})
