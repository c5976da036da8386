import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { readFile, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { errorOf, openAccount, type Account } from './account.ts'

const day = 86_400_000
let account: Account
beforeEach(async () => {
  account = await openAccount()
})
afterEach(() => account.end())

const idleKey = (name: string) =>
  account.sandbox.dashboard.create({ name, type: 'live', createdAt: Date.now() - 90 * day })
const busyKey = (name: string) =>
  account.sandbox.dashboard.create({
    name,
    type: 'live',
    createdAt: Date.now() - 90 * day,
    lastUsedAt: Date.now() - 60_000,
  })
const statusOf = (id: string) => account.keys().find((key) => key.id === id)?.status
const ownId = () => account.sandbox.keys().find(({ access }) => access === 'admin')?.id ?? ''

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

describe('create', () => {
  test('prints the secret alone on stdout, and talks on stderr', async () => {
    const ran = await account.run(['create', 'Production', '--type', 'live'])
    expect(ran.exit).toBe(0)
    const [key] = account.sandbox.keys().filter(({ name }) => name === 'Production')
    expect(ran.stdout).toBe(`${key?.secret.reveal()}\n`)
    expect(ran.stderr).toContain(`created Production (${key?.id})`)
    expect(ran.stderr).not.toContain('pk_live_')
  })

  test('with --json gives key and secret in one document', async () => {
    const ran = await account.run(['create', 'CI', '--type', 'test', '--access', 'read-only', '--json'])
    expect(ran.stderr).toBe('')
    expect(JSON.parse(ran.stdout)).toMatchObject({
      apiKey: { name: 'CI', type: 'test', access: 'read-only', status: 'active' },
      secret: expect.stringMatching(/^pk_test_/) as string,
    })
    expect((JSON.parse(ran.stdout) as { apiKey: object }).apiKey).not.toHaveProperty('secret')
  })

  test('with --to the secret goes there and nowhere else', async () => {
    const target = path.join(account.home.directory, '.env')
    const ran = await account.run(['create', 'App', '--type', 'live', '--to', 'env:.env#KEY', '--json'])
    expect(ran.exit).toBe(0)
    const [key] = account.sandbox.keys().filter(({ name }) => name === 'App')
    expect(await readFile(target, 'utf8')).toBe(`KEY=${key?.secret.reveal()}\n`)
    expect((await stat(target)).mode & 0o777).toBe(0o600)
    expect(Object.keys(JSON.parse(ran.stdout) as object)).toEqual(['apiKey'])
    expect(ran.stdout + ran.stderr).not.toContain('pk_live_')
  })

  test('does not replace what a target holds unasked', async () => {
    const target = path.join(account.home.directory, '.env')
    await writeFile(target, 'PICTIFY_API_KEY=pk_live_before0123456789\n')
    const refused = await account.run(['create', 'App', '--type', 'live', '--to', 'env:.env', '--json'])
    expect(refused.exit).toBe(2)
    expect(errorOf(refused)).toMatchObject({ code: 'needs-answer', hint: 'give --yes' })
    expect(account.keys()).toEqual([])
    const done = await account.run(['create', 'App', '--type', 'live', '--to', 'env:.env', '--yes'])
    expect(done.exit).toBe(0)
    expect(await readFile(target, 'utf8')).not.toContain('before')
  })

  test('a delivery that fails leaves nothing behind', async () => {
    const target = path.join(account.home.directory, '.env')
    await writeFile(target, '# mine\nA=1\n')
    const ran = await account.run([
      ...['create', 'App', '--type', 'live', '--json'],
      ...['--to', 'env:.env', '--to', 'exec:exit 3'],
    ])
    expect(ran).toMatchObject({ exit: 1, stdout: '' })
    expect(errorOf(ran).code).toBe('target-failed')
    expect(await readFile(target, 'utf8')).toBe('# mine\nA=1\n')
    expect(account.keys()).toEqual([])
    expect(ran.stderr).not.toContain('pk_live_')
  })

  test('a delivery that fails names the place that took the key and cannot give it back', async () => {
    const ran = await account.run([
      ...['create', 'App', '--type', 'live', '--json'],
      ...['--to', 'env:.env', '--to', 'exec:cat >taken', '--to', 'exec:exit 3', '--to', 'exec:cat >never'],
    ])
    expect(ran).toMatchObject({ exit: 1, stdout: '' })
    const { message } = errorOf(ran)
    expect(message).toContain('could not all be undone: exec:cat >taken: what it held before is not known')
    expect(message.split('undone')[1]).not.toMatch(/exit 3|never/)
    expect(account.keys()).toEqual([])
  })

  test.each([
    [['', '--type', 'live'], 2, 'invalid-name'],
    [['x'.repeat(101), '--type', 'live'], 2, 'invalid-name'],
    [['a\u0007b', '--type', 'live'], 2, 'invalid-name'],
    [['App'], 2, 'needs-answer'],
    [['App', '--type', 'production'], 2, 'usage'],
    [['App', '--type', 'live', '--to', 'nowhere'], 2, 'invalid-target'],
    [['App', '--type', 'live', '--to', 'env:/'], 1, 'target-refused'],
    [['App', '--type', 'live', '--to', 'env:.env', '--to', 'env:./.env'], 2, undefined],
    [['App rotating', 'more', '--type', 'live'], 2, 'usage'],
    [['App (rotating key_a #7f3a9c-5d41c2-0)', '--type', 'live'], 2, 'invalid-name'],
  ])('%j creates nothing', async (args, exit, code) => {
    const ran = await account.run(['create', ...args, '--json'])
    expect(ran).toMatchObject({ exit, stdout: '' })
    if (code !== undefined) expect(errorOf(ran).code).toBe(code)
    expect(errorOf(ran).message).not.toBe('')
    expect(account.keys()).toEqual([])
  })

  test('a full plan is exit 9', async () => {
    const full = await openAccount({ plan: 'free' })
    try {
      await full.run(['create', 'One', '--type', 'live'])
      const ran = await full.run(['create', 'Two', '--type', 'live', '--json'])
      expect(ran).toMatchObject({ exit: 9, stdout: '' })
      expect(errorOf(ran)).toMatchObject({ code: 'key-limit-reached', status: 403 })
    } finally {
      await full.end()
    }
  })

  test('an answer that is lost after the work was done makes one key, not two', async () => {
    account.sandbox.addFault('lose-answer:POST /api-keys@1')
    const ran = await account.run(['create', 'App', '--type', 'live'])
    expect(ran.exit).toBe(0)
    expect(account.keys().map(({ name }) => name)).toEqual(['App'])
    expect(
      account.sandbox
        .keys()
        .find(({ name }) => name === 'App')
        ?.secret.reveal(),
    ).toBe(ran.stdout.trim())
  })

  test('the secret survives an answer of which nothing else can be read', async () => {
    account.sandbox.addFault('mystery-shape')
    const ran = await account.run(['create', 'App', '--type', 'live'])
    expect(ran.exit).toBe(0)
    expect(ran.stdout).toBe(
      `${account.sandbox
        .keys()
        .find(({ name }) => name === 'App')
        ?.secret.reveal()}\n`,
    )
    expect(ran.stderr).toContain('warning: the answer held the secret')
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

describe('revoke', () => {
  test('several at once, each once', async () => {
    const [a, b] = [idleKey('A'), idleKey('B')]
    const ran = await account.run(['revoke', 'A', b.id, a.id, '--yes', '--json'])
    expect(ran.exit).toBe(0)
    const { apiKeys } = JSON.parse(ran.stdout) as { apiKeys: { id: string; status: string }[] }
    expect(apiKeys.map(({ id, status }) => [id, status])).toEqual([
      [a.id, 'revoked'],
      [b.id, 'revoked'],
    ])
  })

  test('again says that it was, and is exit 0', async () => {
    const key = idleKey('A')
    account.sandbox.dashboard.revoke(key.id)
    const ran = await account.run(['revoke', key.id])
    expect(ran).toMatchObject({ exit: 0, stdout: '' })
    expect(ran.stderr).toContain('was already revoked')
  })

  test('asks; where nobody answers it is exit 2 and names --yes', async () => {
    const key = idleKey('A')
    const ran = await account.run(['revoke', 'A', '--json'])
    expect(ran.exit).toBe(2)
    expect(errorOf(ran)).toMatchObject({ code: 'needs-answer', hint: 'give --yes' })
    expect(statusOf(key.id)).toBe('active')
  })

  test('a key used in the last 24 h needs --force, whatever --yes says, and the others stay too', async () => {
    const [busy, idle] = [busyKey('Busy'), idleKey('Idle')]
    const ran = await account.run(['revoke', 'Idle', 'Busy', '--yes', '--json'])
    expect(ran.exit).toBe(2)
    expect(errorOf(ran).code).toBe('recently-used')
    expect(errorOf(ran).message).toContain('Busy')
    expect([statusOf(busy.id), statusOf(idle.id)]).toEqual(['active', 'active'])
    expect((await account.run(['revoke', 'Busy', '--force'])).exit).toBe(0)
    expect(statusOf(busy.id)).toBe('revoked')
  })

  test('the credential in use is refused', async () => {
    const ran = await account.run(['revoke', ownId(), '--yes', '--json'])
    expect(ran.exit).toBe(2)
    expect(errorOf(ran).message).toContain('is the admin key in use')
    // of two admin keys, the audit log tells which one is ours
    const other = account.sandbox.dashboard.create({ name: 'Other admin', access: 'admin', createdAt: 0 })
    const again = await account.run(['revoke', ownId(), '--yes', '--json'])
    expect(errorOf(again).message).toContain('is the admin key in use')
    expect((await account.run(['revoke', other.id, '--yes'])).exit).toBe(0)
  })

  test('one that is not there stops all', async () => {
    const key = idleKey('A')
    const ran = await account.run(['revoke', 'A', 'nothing', '--yes', '--json'])
    expect(ran.exit).toBe(3)
    expect(statusOf(key.id)).toBe('active')
  })
})

describe('delete', () => {
  test('removes what is revoked', async () => {
    const [a, b] = [idleKey('A'), idleKey('B')]
    for (const { id } of [a, b]) account.sandbox.dashboard.revoke(id)
    const ran = await account.run(['delete', 'A', 'B', '--yes', '--json'])
    expect(JSON.parse(ran.stdout)).toEqual({ deleted: [a.id, b.id] })
    expect(account.keys()).toEqual([])
  })

  test('refuses an active key, and changes nothing', async () => {
    const [a, b] = [idleKey('A'), idleKey('B')]
    account.sandbox.dashboard.revoke(b.id)
    const ran = await account.run(['delete', 'B', 'A', '--yes', '--json'])
    expect(ran.exit).toBe(1)
    expect(errorOf(ran)).toMatchObject({
      code: 'api-key-active',
      hint: expect.stringContaining('--revoke') as string,
    })
    expect([statusOf(a.id), statusOf(b.id)]).toEqual(['active', 'revoked'])
  })

  test('--revoke does both, but not to what was used of late', async () => {
    const [idle, busy] = [idleKey('Idle'), busyKey('Busy')]
    expect((await account.run(['delete', 'Idle', '--revoke', '--yes'])).exit).toBe(0)
    expect(statusOf(idle.id)).toBeUndefined()
    const ran = await account.run(['delete', 'Busy', '--revoke', '--yes', '--json'])
    expect(errorOf(ran).code).toBe('recently-used')
    expect(statusOf(busy.id)).toBe('active')
  })

  test('asks', async () => {
    const key = idleKey('A')
    account.sandbox.dashboard.revoke(key.id)
    const ran = await account.run(['delete', 'A', '--json'])
    expect(ran.exit).toBe(2)
    expect(errorOf(ran).code).toBe('needs-answer')
    expect(statusOf(key.id)).toBe('revoked')
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
        lastUsedAt: null,
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
    expect((await account.run(['usage', '--json'])).exit).toBe(1)
    account.sandbox.clearFaults()
    expect((await account.run(['usage', 'nothing', '--json'])).exit).toBe(3)
  })
})
