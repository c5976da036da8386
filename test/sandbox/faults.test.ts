import { afterEach, describe, expect, test } from 'vitest'
import { KeysError } from '../../src/errors.ts'
import { createFaultSet, faultTerms, parseFault } from '../../src/sandbox/faults.ts'
import { createRandom } from '../../src/sandbox/random.ts'
import { createSandbox, type Sandbox, type SandboxOptions } from '../../src/sandbox/server.ts'
import { ask, call, type Body } from './conformance.ts'

let sandbox: Sandbox
const start = async (...faults: string[]) => startWith({ faults })
const startWith = async (options: SandboxOptions) => {
  sandbox = await createSandbox({ propagationMs: 0, seed: 5, ...options })
}
afterEach(() => sandbox?.close())

const json = { name: 'x', type: 'live' }
const read = async (response: Response) => (await response.json()) as Body
const keyNames = () => sandbox.keys().map((key) => key.name)

describe('a fault is read', () => {
  test.each([
    ['lose-answer', { method: '*', path: '/', when: { from: 1, to: Infinity } }],
    ['cut:POST /api-keys@2', { method: 'POST', path: '/api-keys', when: { from: 2, to: 2 } }],
    ['stall:* /image@3+', { method: '*', path: '/image', when: { from: 3, to: Infinity } }],
    ['status-503@1-3', { name: 'status-503', when: { from: 1, to: 3 } }],
    ['status-429=7s@12.5%', { name: 'status-429', ms: 7_000, when: { likelihood: 0.125 } }],
    ['clock+10m', { name: 'clock+', ms: 600_000 }],
    ['clock-1.5h:GET /', { name: 'clock-', ms: 5_400_000, method: 'GET' }],
    ['refuse-new@2', { method: 'POST', path: '/api-keys$' }],
    ['other-secret-name=token', { word: 'token' }],
    ['lag-list', { ms: 30_000, method: 'GET' }],
  ])('%s', (spec, fault) => {
    expect(parseFault(spec)).toMatchObject(fault)
  })

  test.each([
    '',
    'explode',
    'cut@0',
    'cut@-1',
    'cut@101%',
    'cut@1+-3',
    'cut:POST',
    'cut:/api-keys',
    'cut=3s',
    'clock',
    'clock+soon',
    'drip=5',
    'toString',
  ])('%j is refused', (spec) => {
    expect(() => parseFault(spec)).toThrow(expect.objectContaining({ code: 'usage' }) as KeysError)
  })

  test('an unknown kind is refused with all that there are', async () => {
    const error = await createSandbox({ faults: ['explode'] }).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(KeysError)
    expect((error as KeysError).hint).toContain('lose-answer, cut, cut-body, stall')
    expect(faultTerms.map(({ term }) => term)).toContain('mystery-shape')
  })
})

describe('a fault strikes', () => {
  const strikes = (spec: string, requests: [string, string][]) => {
    const faults = createFaultSet(createRandom('x'))
    faults.add(parseFault(spec))
    return requests.map(([method, path]) => faults.strike(method, path).length).join('')
  }
  const gets = (count: number): [string, string][] =>
    Array.from({ length: count }, () => ['GET', '/templates'])

  test.each([
    ['cut@2', '0100'],
    ['cut@2+', '0111'],
    ['cut@2-3', '0110'],
    ['cut', '1111'],
  ])('%s', (spec, expected) => {
    expect(strikes(spec, gets(4))).toBe(expected)
  })

  test('as likely as it says', () => {
    const struck = strikes('cut@30%', gets(500)).replaceAll('0', '').length
    expect(struck).toBeGreaterThan(110)
    expect(struck).toBeLessThan(190)
  })

  test('by method and path', () => {
    const requests: [string, string][] = [
      ['POST', '/api-keys'],
      ['GET', '/api-keys'],
      ['POST', '/api-keys/key_1/revoke'],
    ]
    expect(strikes('cut:POST /api-keys', requests)).toBe('101')
    expect(strikes('cut:POST /api-keys$', requests)).toBe('100')
    expect(strikes('cut:* /api-keys/*/revoke', requests)).toBe('001')
    expect(strikes('cut:POST /api-keys@2', requests)).toBe('001')
  })
})

describe('on the way', () => {
  test('lose-answer does the work and cuts the connection', async () => {
    await start('lose-answer:POST /api-keys@1')
    const headers = { 'Idempotency-Key': 'k' }
    await expect(ask(sandbox, 'POST', '/api-keys', { json, headers })).rejects.toThrow('fetch failed')
    expect(keyNames()).toEqual(['x', 'Team admin'])
    expect(sandbox.requests.at(-1)).toMatchObject({ method: 'POST', status: 201, answered: false })
    const again = await call(sandbox, 'POST', '/api-keys', { json, headers })
    expect(again.body.apiKey.secret).toBe(sandbox.keys()[0]?.secret.reveal())
    expect(keyNames()).toEqual(['x', 'Team admin'])
  })

  test('cut does nothing and cuts the connection', async () => {
    await start('cut:POST /api-keys@1')
    await expect(ask(sandbox, 'POST', '/api-keys', { json })).rejects.toThrow('fetch failed')
    expect(keyNames()).toEqual(['Team admin'])
    expect(sandbox.requests.at(-1)).toMatchObject({ answered: false })
    expect(sandbox.requests.at(-1)).not.toHaveProperty('status')
  })

  test('cut-body ends in the middle', async () => {
    await start('cut-body')
    const response = await ask(sandbox, 'GET', '/templates')
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/json'])
    await expect(response.text()).rejects.toThrow('terminated')
  })

  test('stall never answers, and ends with the sandbox', async () => {
    await start('stall')
    const answer = ask(sandbox, 'GET', '/templates').catch((error: unknown) => error)
    await expect.poll(() => sandbox.requests.length).toBe(1)
    const impatient = fetch(`${sandbox.url}/templates`, { signal: AbortSignal.timeout(50) })
    await expect(impatient).rejects.toThrow('timeout')
    await sandbox.close()
    expect(await answer).toBeInstanceOf(TypeError)
  })

  test('drip and slow answer as they should, at last', async () => {
    await start('drip=1ms:GET /templates', 'slow=5ms')
    expect((await call(sandbox, 'GET', '/templates')).body.templates).toHaveLength(3)
    expect((await call(sandbox, 'GET', '/api-keys')).status).toBe(200)
  })

  test.each([500, 502, 503, 504])('status-%i does no work', async (status) => {
    await start(`status-${status}@1`)
    const response = await ask(sandbox, 'POST', '/api-keys', { json })
    expect([response.status, response.headers.get('content-type')]).toEqual([
      status,
      'application/problem+json',
    ])
    expect(await response.json()).toMatchObject({ status, instance: '/api-keys' })
    expect(keyNames()).toEqual(['Team admin'])
    expect((await call(sandbox, 'POST', '/api-keys', { json })).status).toBe(201)
  })

  test('status-429 says when to come again, and bare does not', async () => {
    await start('status-429=3s@1', 'status-429-bare@2')
    const first = await ask(sandbox, 'POST', '/api-keys', { json })
    expect([first.status, first.headers.get('retry-after')]).toEqual([429, '3'])
    expect(await first.json()).toMatchObject({
      type: 'https://docs.pictify.io/errors/rate-limit',
      retryAfter: 3,
    })
    const second = await ask(sandbox, 'POST', '/api-keys', { json })
    expect([second.status, second.headers.get('retry-after'), await second.text()]).toEqual([
      429,
      null,
      'Too Many Requests',
    ])
    expect(keyNames()).toEqual(['Team admin'])
  })

  test('refuse is 401 for a good key, and html is a web page', async () => {
    await start('refuse@1', 'html@2')
    const refused = await ask(sandbox, 'GET', '/templates')
    expect([refused.status, (await read(refused)).type]).toEqual([
      401,
      'https://docs.pictify.io/errors/invalid-api-key',
    ])
    const page = await ask(sandbox, 'GET', '/templates')
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html'])
    expect(await page.text()).toMatch(/^<!doctype html>/)
  })
})

describe('in the answer', () => {
  test('bare leaves the envelopes out', async () => {
    await start('bare')
    const minted = await read(await ask(sandbox, 'POST', '/api-keys', { json }))
    expect(minted).toMatchObject({ name: 'x', secret: expect.stringMatching(/^pk_live_/) as string })
    expect(await read(await ask(sandbox, 'GET', `/api-keys/${minted.id}`))).toMatchObject({ id: minted.id })
    expect(await read(await ask(sandbox, 'GET', '/api-keys'))).toMatchObject([
      { id: minted.id },
      { name: 'Team admin' },
    ])
    await ask(sandbox, 'POST', `/api-keys/${minted.id}/revoke`)
    const deleted = await ask(sandbox, 'DELETE', `/api-keys/${minted.id}`)
    expect([deleted.status, await deleted.text()]).toEqual([204, ''])
  })

  test('plain-errors and list-under answer in other words', async () => {
    await start('plain-errors', 'list-under=data')
    const refused = await ask(sandbox, 'GET', '/api-keys/key_none')
    expect([refused.status, refused.headers.get('content-type')]).toEqual([404, 'application/json'])
    expect(await refused.json()).toEqual({ error: expect.any(String) as string, code: 'api-key-not-found' })
    expect(await read(await ask(sandbox, 'GET', '/api-keys'))).toMatchObject({
      data: [{ name: 'Team admin' }],
    })
  })

  test('other-secret-name and mystery-shape hide the secret', async () => {
    await start('other-secret-name@1', 'mystery-shape@2')
    const other = await read(await ask(sandbox, 'POST', '/api-keys', { json }))
    expect(other.apiKey).toMatchObject({ name: 'x', key: sandbox.keys()[0]?.secret.reveal() })
    expect(other.apiKey).not.toHaveProperty('secret')
    const mystery = await read(await ask(sandbox, 'POST', '/api-keys', { json }))
    expect(mystery).toEqual({ result: { material: sandbox.keys()[0]?.secret.reveal() } })
  })

  test('duplicate-fields sends every field twice, and the last is right', async () => {
    await start('duplicate-fields')
    const minted = await ask(sandbox, 'POST', '/api-keys', { json })
    const text = await minted.text()
    expect(text).toContain('"name":null,"name":"x"')
    expect((JSON.parse(text) as Body).apiKey.secret).toBe(sandbox.keys()[0]?.secret.reveal())
    expect(await (await ask(sandbox, 'GET', '/api-keys')).text()).toMatch(/^\{"apiKeys":null,"apiKeys":\[\{/)
  })

  test('ignore-idempotency mints once more', async () => {
    await start('ignore-idempotency')
    const headers = { 'Idempotency-Key': 'k' }
    await call(sandbox, 'POST', '/api-keys', { json, headers })
    await call(sandbox, 'POST', '/api-keys', { json, headers })
    expect(keyNames()).toEqual(['x', 'x', 'Team admin'])
  })

  test('refuse-new creates a key that is never accepted', async () => {
    await start('refuse-new@1')
    const first = (await call(sandbox, 'POST', '/api-keys', { json })).body.apiKey
    const second = (await call(sandbox, 'POST', '/api-keys', { json })).body.apiKey
    expect((await call(sandbox, 'GET', '/templates', { key: first.secret })).status).toBe(401)
    expect((await call(sandbox, 'GET', '/templates', { key: second.secret })).status).toBe(200)
  })

  test('lag-list hides what is new from the list alone', async () => {
    await start('lag-list=1h')
    const { id } = (await call(sandbox, 'POST', '/api-keys', { json })).body.apiKey
    const list = (await call(sandbox, 'GET', '/api-keys?status=active')).body
    expect(list).toMatchObject({ apiKeys: [{ name: 'Team admin' }], pagination: { total: 1 } })
    expect((await call(sandbox, 'GET', `/api-keys/${id}`)).status).toBe(200)
  })

  test.each([
    ['clock+10m', 600_000],
    ['clock-90s', -90_000],
  ])('%s moves every instant', async (fault, skewMs) => {
    const now = Date.parse('2026-03-11T12:00:00.000Z')
    await startWith({ faults: [fault], clock: { now: () => now, sleep: async () => undefined } })
    const shown = new Date(now + skewMs)
    const minted = await call(sandbox, 'POST', '/api-keys', { json })
    expect(minted.headers.get('date')).toBe(shown.toUTCString())
    expect(minted.body.apiKey.createdAt).toBe(shown.toISOString())
    expect(sandbox.keys()[0]?.createdAt).toBe(now)
    const since = encodeURIComponent(shown.toISOString())
    const { auditLogs } = (await call(sandbox, 'GET', `/audit-logs?since=${since}`)).body
    expect(auditLogs.map(({ timestamp }) => timestamp)).toEqual([shown.toISOString()])
    expect((await call(sandbox, 'GET', '/templates', { key: minted.body.apiKey.secret })).status).toBe(200)
  })
})

test('each request is shown as it comes in, and what is done then is there when it goes on', async () => {
  const seen: string[] = []
  await startWith({
    async onRequest({ method, path }) {
      seen.push(`${method} ${path}`)
      await new Promise((resolve) => setTimeout(resolve, 1))
      if (path === '/templates') sandbox.addFault('status-503@1')
      if (method === 'GET' && path === '/api-keys') sandbox.dashboard.create({ name: 'theirs' })
    },
  })
  expect((await call(sandbox, 'GET', '/api-keys')).body).toMatchObject({ pagination: { total: 2 } })
  expect((await ask(sandbox, 'GET', '/templates')).status).toBe(503)
  expect(seen).toEqual(['GET /api-keys', 'GET /templates'])
})

test('faults come and go while it runs', async () => {
  await start()
  const takeAway = sandbox.addFault('status-500')
  expect((await ask(sandbox, 'GET', '/templates')).status).toBe(500)
  takeAway()
  expect((await ask(sandbox, 'GET', '/templates')).status).toBe(200)
  sandbox.addFault('status-500')
  sandbox.clearFaults()
  expect((await ask(sandbox, 'GET', '/templates')).status).toBe(200)
  expect(() => sandbox.addFault('explode')).toThrow('"explode" is not a fault')
})
