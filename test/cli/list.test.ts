import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { errorOf, openAccount, untimed, type Account } from './account.ts'

const day = 86_400_000
let account: Account

beforeAll(async () => {
  account = await openAccount({ plan: 'enterprise' })
  const now = Date.now()
  const { dashboard } = account.sandbox
  dashboard.create({ name: 'prod/api', type: 'live', createdAt: now - 400 * day, lastUsedAt: now - 60_000 })
  dashboard.create({ name: 'prod/web', type: 'live', createdAt: now - 40 * day, lastUsedAt: now - 35 * day })
  dashboard.create({ name: '=SUM(1)', type: 'test', createdAt: now - 20 * day })
  const old = dashboard.create({
    name: 'staging',
    type: 'test',
    createdAt: now - 200 * day,
    lastUsedAt: now - 190 * day,
  })
  dashboard.revoke(old.id)
})
afterAll(() => account.end())

const names = async (...args: string[]) => {
  const ran = await account.run(['list', '--json', ...args])
  expect(ran).toMatchObject({ exit: 0, stderr: '' })
  const { apiKeys } = JSON.parse(ran.stdout) as { apiKeys: { name: string }[] }
  return apiKeys.map(({ name }) => name)
}

describe('filters', () => {
  test.each([
    [[], ['=SUM(1)', 'Team admin', 'prod/web', 'staging', 'prod/api']],
    [
      ['--type', 'test'],
      ['=SUM(1)', 'staging'],
    ],
    [['--status', 'revoked'], ['staging']],
    [
      ['--name', 'prod*'],
      ['prod/web', 'prod/api'],
    ],
    [
      ['--name', '*'],
      ['=SUM(1)', 'Team admin', 'prod/web', 'staging', 'prod/api'],
    ],
    [
      ['--name', '{staging,*api}'],
      ['staging', 'prod/api'],
    ],
    [
      ['--older-than', '100d'],
      ['staging', 'prod/api'],
    ],
    [['--unused-for', '30d', '--status', 'active'], ['prod/web']],
    [
      ['--unused-for', '15d', '--type', 'test'],
      ['=SUM(1)', 'staging'],
    ],
    [
      ['--sort', 'name', '--name', '*[a-z]', '--type', 'live'],
      ['prod/api', 'prod/web', 'Team admin'],
    ],
    [
      ['--sort', 'last-used', '--name', 'prod*', '--reverse'],
      ['prod/web', 'prod/api'],
    ],
    [
      ['--reverse', '--limit', '2'],
      ['prod/api', 'staging'],
    ],
    [['--limit', '0'], []],
  ])('%j', async (args, expected) => {
    expect(await names(...args)).toEqual(expected)
  })

  test('never used sorts behind everything used', async () => {
    expect((await names('--sort', 'last-used')).at(-1)).toBe('=SUM(1)')
  })
})

describe('formats', () => {
  test('ndjson is one key a line', async () => {
    const ran = await account.run(['list', '--format', 'ndjson', '--type', 'live'])
    const keys = ran.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string })
    expect(keys.map(({ type }) => type)).toEqual(['live', 'live', 'live'])
  })

  test('id is for pipes', async () => {
    const ran = await account.run(['list', '--format', 'id', '--name', 'prod*'])
    expect(ran.stdout).toMatch(/^key_\w+\nkey_\w+\n$/)
  })

  test('csv has a header, empty cells, and no formula', async () => {
    const { stdout } = await account.run(['list', '--format', 'csv', '--type', 'test', '--sort', 'name'])
    const [head, formula, staging, ...rest] = stdout.trimEnd().split('\n')
    expect(head).toBe('id,name,type,status,access,createdAt,lastUsedAt,revokedAt')
    expect(formula).toMatch(/^key_\w+,'=SUM\(1\),test,active,full,[^,]+,,$/)
    expect(staging).toMatch(/^key_\w+,staging,test,revoked,/)
    expect(rest).toEqual([])
  })

  test('a table has relative ages, fits 80 columns and ends without spaces', async () => {
    const { stdout, stderr } = await account.run(['list'])
    expect(stderr).toBe('')
    expect(stdout).toMatch(/^ID +NAME +TYPE +STATUS +ACCESS +CREATED +LAST USED\n/)
    expect(stdout).toMatch(/prod\/web +live +active +full +1mo ago +1mo ago/)
    expect(stdout).toMatch(/=SUM\(1\) +test +active +full +20d ago +never/)
    for (const line of stdout.split('\n')) {
      expect(line.length).toBeLessThanOrEqual(80)
      expect(line).not.toMatch(/\s$/)
    }
  })

  test('nothing that fits is an empty table and a word on stderr', async () => {
    const ran = await account.run(['list', '--name', 'nothing*'])
    expect(ran).toMatchObject({ exit: 0, stdout: '' })
    expect(untimed(ran.stderr)).toBe('no key fits\n')
    const json = await account.run(['list', '--name', 'nothing*', '--json'])
    expect(json.stdout).toBe('{"apiKeys":[]}\n')
  })

  test('--format json is --json for stdout', async () => {
    const ran = await account.run(['list', '--format', 'json', '--limit', '1'])
    expect((JSON.parse(ran.stdout) as { apiKeys: unknown[] }).apiKeys).toHaveLength(1)
  })
})

describe('bad input', () => {
  test.each([
    [['--name', '[a'], '"[a" is not a glob'],
    [['--name', ''], '"" is not a glob'],
    [['--older-than', 'soon'], '--older-than: "soon" is not a duration'],
    [['--unused-for', '5'], '--unused-for: "5" is not a duration'],
    [['--sort', 'colour'], '--sort: "colour" is not one of its values'],
    [['--limit', '-1'], '--limit: "-1" is not a whole number'],
    [['--format', 'csv'], '--json and --format csv exclude each other'],
    [['extra'], "too many arguments for 'list'. Expected 0 arguments but got 1"],
  ])('%j is exit 2, and the API is not asked', async (args, message) => {
    const before = account.sandbox.requests.length
    const ran = await account.run(['list', '--json', ...args])
    expect(ran).toMatchObject({ exit: 2, stdout: '' })
    expect(errorOf(ran).code).toBe('usage')
    expect(errorOf(ran).message).toContain(message)
    expect(errorOf(ran).hint).toBeTruthy()
    expect(account.sandbox.requests.length).toBe(before)
  })
})

test('a hostile name is harmless in a terminal table and in JSON', async () => {
  const name = 'evil\u001b[31m\u202etxt\u200b\u009b2J'
  const key = {
    id: 'key_evil',
    name,
    type: 'live',
    status: 'active',
    createdAt: '2026-01-01T00:00:00Z',
    lastUsedAt: null,
  }
  const server = createServer(({ url }, response) => {
    response.end(JSON.stringify(url?.includes('key_evil') ? { apiKey: key } : { apiKeys: [key] }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const env = { PICTIFY_API_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
  try {
    const table = await account.run(['list'], { env })
    expect(table.stdout).toContain('evil[31mtxt2J')
    expect(table.stdout).not.toMatch(/[\u001b\u202e\u200b\u009b]/)
    const card = await account.run(['show', 'key_evil'], { env })
    expect(card.stdout).toContain('evil[31mtxt2J')
    const json = await account.run(['list', '--json'], { env })
    expect(json.stdout).not.toMatch(/[\u001b\u202e\u200b\u009b]/)
    expect((JSON.parse(json.stdout) as { apiKeys: { name: string }[] }).apiKeys[0]?.name).toBe(name)
  } finally {
    server.closeAllConnections()
    server.close()
  }
})
