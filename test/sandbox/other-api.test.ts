// An API that has less than this one, or sees requests come from elsewhere.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { sandbox as command } from '../../src/commands/sandbox.ts'
import { createSandbox, type Sandbox, type SandboxOptions } from '../../src/sandbox/server.ts'
import { ask, call } from './conformance.ts'

let sandbox: Sandbox
const start = async (options: SandboxOptions = {}) => {
  sandbox = await createSandbox({ propagationMs: 0, seed: 3, plan: 'business', ...options })
}
afterEach(() => sandbox.close())

const answer = async (path: string): Promise<[number, string]> => {
  const response = await ask(sandbox, 'GET', path)
  return [response.status, ((await response.json()) as { type?: string }).type ?? '']
}
const unknownPath = [404, 'https://docs.pictify.io/errors/not-found']

test.each([
  ['audit-log', unknownPath, [200, '']],
  ['usage', [200, ''], unknownPath],
] as const)('without %s it knows no such path', async (part, log, usage) => {
  await start({ without: [part] })
  const id = sandbox.keys()[0]?.id ?? ''
  expect(await answer('/audit-logs')).toEqual(log)
  expect(await answer(`/api-keys/${id}/usage`)).toEqual(usage)
  expect(await answer(`/api-keys/${id}`)).toEqual([200, ''])
})

test('status-403 is as the answer to a key that may not', async () => {
  await start({ faults: ['status-403:GET /audit-logs'] })
  expect(await answer('/audit-logs')).toEqual([
    403,
    'https://docs.pictify.io/errors/insufficient-permissions',
  ])
})

test('status-404 strikes as other faults do', async () => {
  await start({ faults: ['status-404:GET /audit-logs@2'] })
  expect(await answer('/audit-logs')).toEqual([200, ''])
  expect(await answer('/audit-logs')).toEqual(unknownPath)
  expect(await answer('/audit-logs')).toEqual([200, ''])
})

test('a country appears lately, by a fault or by what the network before it says', async () => {
  await start({ faults: ['country=KZ:GET /templates@2+'] })
  const { id, secret: key } = sandbox.dashboard.create({ name: 'x' })
  const headers = { 'CF-IPCountry': 'DE', 'CF-Connecting-IP': '203.0.113.9' }
  await call(sandbox, 'GET', '/templates', { key, headers })
  await call(sandbox, 'GET', '/templates', { key, headers: { 'CF-Connecting-IP': 'not an address' } })
  expect((await call(sandbox, 'GET', `/api-keys/${id}/usage`)).body.usage.countries).toEqual({ DE: 1, KZ: 1 })
  const { auditLogs } = (await call(sandbox, 'GET', `/audit-logs?keyId=${id}`)).body
  expect(auditLogs).toMatchObject([{ ip: '127.0.0.1' }, { ip: '203.0.113.9' }])
})

test('refuses a country that is none, and a part that is none', async () => {
  await start()
  await expect(createSandbox({ faults: ['country=Kazakhstan'] })).rejects.toMatchObject({ code: 'usage' })
  const out = {}
  const inputs = { port: 0, keys: 0, fault: [], without: ['audit-log,alerts'] }
  await expect(command.run({ out } as never, inputs as never)).rejects.toMatchObject({
    code: 'usage',
    hint: 'give audit-log, usage, or several with commas between them',
  })
})

test('--data goes on with the same past, and does not grow by it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sandbox-'))
  const data = join(folder, 'pictify.json')
  const log = async (query: string) => {
    const { auditLogs, pagination } = (await call(sandbox, 'GET', `/audit-logs?limit=100&${query}`)).body
    return { auditLogs, total: pagination.total }
  }
  const sizes: number[] = []
  for (const events of [1_000, 1_000_000]) {
    await start({ keys: 40, events, data })
    const until = `until=${encodeURIComponent(new Date(Date.now() - 30_000).toISOString())}`
    const gone = sandbox.keys().find((key) => key.oddity === 'shared')?.id ?? ''
    const before = await log(until)
    expect(before.total).toBe(events)
    sizes.push((await readFile(data, 'utf8')).length)
    sandbox.dashboard.revoke(gone)
    sandbox.dashboard.delete(gone)
    await sandbox.close()
    await start({ data })
    expect(await log(until)).toEqual(before)
    expect((await log(`${until}&keyId=${gone}`)).total).toBeGreaterThan(0)
    await sandbox.close()
    await rm(data)
  }
  expect(Math.abs((sizes[1] as number) - (sizes[0] as number))).toBeLessThan(100)
  await rm(folder, { recursive: true })
})
