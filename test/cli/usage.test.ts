import { parse } from 'csv-parse/sync'
import { afterEach, describe, expect, it } from 'vitest'
import type { AccountUsage, KeyFigures } from '../../src/audit/account-usage.ts'
import type { SandboxOptions } from '../../src/sandbox/server.ts'
import { closed, createValidators } from '../schema/schemas.ts'
import { errorOf, openAccount, untimed, type Account } from './account.ts'

let account: Account
const open = async (options: SandboxOptions = {}) => {
  account = await openAccount({ plan: 'business', keys: 30, usageLagMs: 120_000, ...options })
}
afterEach(() => account.end())

const json = async (...args: string[]): Promise<AccountUsage> => {
  const ran = await account.run(['usage', ...args, '--json'])
  expect(ran.exit, ran.stderr).toBe(0)
  return JSON.parse(ran.stdout) as AccountUsage
}
const names = (stdout: string) =>
  stdout
    .split('\n\n')[0]
    ?.split('\n')
    .slice(1)
    .map((line) => line.split(/ {2,}/)[1])

describe('usage', () => {
  it('asks of every key that can have figures, and says which it did not ask', async () => {
    await open()
    const { usage, totals, daily, limits } = await json()
    const active = account.sandbox.keys().filter(({ status }) => status === 'active')
    const old = active.filter(
      ({ lastUsedAt }) => lastUsedAt === null || lastUsedAt < Date.now() - 31 * 86_400_000,
    )
    expect(usage.map(({ keyId }) => keyId)).toEqual(active.map(({ id }) => id))
    expect(old.length).toBeGreaterThan(0)
    expect(usage.filter(({ asked }) => !asked).map(({ keyId }) => keyId)).toEqual(old.map(({ id }) => id))
    const asked = account.sandbox.requests.filter(({ path }) => path.endsWith('/usage'))
    expect(asked).toHaveLength(active.length - old.length)

    const sum = usage.reduce((total, { windows }) => total + windows['30d'].requests, 0)
    expect(sum).toBeGreaterThan(1_000)
    expect(totals).toMatchObject({
      keys: active.length,
      notAsked: old.length,
      windows: { '30d': { requests: sum } },
    })
    expect(daily.reduce((total, { requests }) => total + requests, 0)).toBe(sum)
    expect(limits).toEqual({ plan: 'business', requestsPerMinute: 1_000, requestsPerDay: 100_000 })

    const { stdout } = await account.run(['usage'])
    const line = `TOTAL +${['24h', '7d', '30d'].map((window) => totals.windows[window as '7d'].requests.toLocaleString('en')).join(' +')} `
    expect(stdout).toMatch(new RegExp(line))
    expect(stdout).toContain(`${old.length} not used in 30 days, and not asked about: their figures are 0`)
    expect(stdout).toMatch(/figures up to [123]m ago \(the API has them up to 5 minutes late\)/)
    expect(stdout).toContain(
      'limit: 24 hours of the 100,000 requests that plan business allows a key a day; usage does not count by the minute, in which 1,000 are allowed',
    )
  })

  it('sorts by what the window says, and cuts; the totals stay those of all', async () => {
    await open()
    const rate = ({ windows }: KeyFigures) =>
      windows['24h'].requests === 0 ? 0 : windows['24h'].errors / windows['24h'].requests
    const failing = account.sandbox.keys().find(({ oddity }) => oddity === 'failing')
    const { usage, totals } = await json('--sort', 'error-rate', '--window', '24h', '--limit', '4')
    expect(usage).toHaveLength(4)
    expect(usage[0]?.keyId).toBe(failing?.id)
    expect(usage.map(rate)).toEqual(usage.map(rate).sort((a, b) => b - a))
    expect(totals.keys).toBeGreaterThan(4)

    const table = await account.run(['usage', '--sort', 'name', '--limit', '3'])
    const all = (await json('--sort', 'name')).usage.map(({ name }) => name)
    expect(names(table.stdout)).toEqual([...all.slice(0, 3), 'TOTAL'])
    expect(table.stdout).toContain(`3 of ${totals.keys} keys; the totals are of all`)
    expect(table.stdout).toContain('errors and latency of 30 days')
    const unused = await account.run(['usage', '--sort', 'requests', '--limit', '1'])
    expect(unused.stdout).toMatch(/figures up to/)
    expect(errorOf(await account.run(['usage', '--limit', '0', '--json']))).toMatchObject({ code: 'usage' })
    const byUse = await account.run(['usage', '--sort', 'last-used', '--window', '7d'])
    expect(byUse.stdout).toMatch(/LAST USED/)
    expect(byUse.stdout).toContain('errors and latency of 7 days')
  })

  it('of one key is all there is, with what it takes of its limit', async () => {
    await open()
    const spike = account.sandbox.keys().find(({ oddity }) => oddity === 'spike')
    const { usage } = await json(spike?.id ?? '')
    const busiest = usage[0]?.dayLimit?.busiest
    const [most, next] = (usage[0]?.daily ?? []).toSorted((a, b) => b.requests - a.requests)
    expect(busiest).toMatchObject({ date: most?.date, requests: most?.requests })
    expect(most?.requests).toBeGreaterThan(3 * (next?.requests ?? Infinity))
    const { stdout } = await account.run(['usage', spike?.id ?? ''])
    expect(stdout).toContain(`busiest day ${busiest?.date}: ${busiest?.requests.toLocaleString('en')} (`)
    expect(stdout).toMatch(/^limit: [\d.<]+% of 100,000 a day in the last 24 hours;/m)
  })

  it.each([
    ['enterprise', 'what plan enterprise allows a day is not known', ['--plan', 'enterprise']],
    ['enterprise', 'the plan is not known, nor what it allows a day (--plan says it)', []],
  ] as const)('says what of the limits of plan %s it does not know: %s', async (plan, said, flags) => {
    await open({ plan, keys: 12, events: 500 })
    const { stdout } = await account.run(['usage', ...flags])
    expect(stdout).toContain(`${said}; usage does not count by the minute, in which 100,000 are allowed`)
    expect(stdout).not.toContain('LIMIT')
    expect((await json(...flags)).usage.every(({ dayLimit }) => dayLimit === null)).toBe(true)
  })

  it('is CSV and ndjson with the same figures', async () => {
    await open()
    account.sandbox.dashboard.create({ name: '=HYPERLINK("x")', lastUsedAt: Date.now() - 60_000 })
    const { usage } = await json()
    const lines = (await account.run(['usage', '--format', 'ndjson'])).stdout.trimEnd().split('\n')
    const validate = createValidators(closed).of('usage', 'KeyUsage')
    expect(lines.map((line) => (JSON.parse(line) as KeyFigures).keyId)).toEqual(
      usage.map(({ keyId }) => keyId),
    )
    for (const line of lines) expect(validate(JSON.parse(line)), JSON.stringify(validate.errors)).toBe(true)

    const { stdout } = await account.run(['usage', '--format', 'csv'])
    const rows = parse<Record<string, string>>(stdout, { columns: true })
    expect(rows.map(({ requests30d }) => Number(requests30d))).toEqual(
      usage.map(({ windows }) => windows['30d'].requests),
    )
    expect(rows[0]?.['name']).toBe(`'=HYPERLINK("x")`)
    const silent = rows.filter(({ asked }) => asked === 'false')
    expect(silent.length).toBeGreaterThan(0)
    for (const { updatedAt, p95Ms30d, requests30d } of silent)
      expect([updatedAt, p95Ms30d, requests30d]).toEqual(['', '', '0'])
    const sorted = await account.run(['usage', '--format', 'csv', '--sort', 'requests', '--limit', '2'])
    expect(parse(sorted.stdout, { columns: true })).toHaveLength(2)
  })

  it('draws the days of all keys, also of those it does not show', async () => {
    await open()
    const { totals } = await json()
    const { stdout } = await account.run(['usage', '--chart', '--limit', '1'], { env: { COLUMNS: '40' } })
    expect(stdout).toContain(
      `requests a day, 31 days: ${totals.windows['30d'].requests.toLocaleString('en')};`,
    )
    const drawn = stdout.split('\n').filter((line) => /[┤│]/.test(line))
    expect(drawn).toHaveLength(11)
    for (const line of drawn) expect(line.length).toBeLessThanOrEqual(40)
    const ascii = await account.run(['usage', '--chart'], { env: { TERM: 'linux', COLUMNS: '60' } })
    expect(ascii.stdout).toMatch(/^ +0 \+[#.]/m)
  })

  it('of an API without usage is refused', async () => {
    await open({ without: ['usage'] })
    expect(errorOf(await account.run(['usage', '--json']))).toMatchObject({ code: 'no-usage' })
    const named = await account.run(['usage', 'Team admin', '--json'])
    expect([named.exit, errorOf(named).code]).toEqual([3, 'no-usage'])
  })

  it.each([
    [['--chart', '--json'], '--chart and --format json exclude each other'],
    [['--json', '--format', 'csv'], '--json and --format csv exclude each other'],
    [['--watch', '--format', 'csv'], '--watch and --format csv exclude each other'],
    [['--watch', '999ms'], '--watch cannot ask more often than once a second'],
    [['--watch', '10'], '--watch: "10" is not a duration'],
  ])('%j is refused', async (flags, message) => {
    await open({ keys: 0 })
    const ran = await account.run(['usage', ...flags])
    const said = flags.includes('--json') ? errorOf(ran).message : untimed(ran.stderr).split('\n')[0]
    expect([ran.exit, said?.replace('error: ', '')]).toEqual([2, message])
    expect(account.sandbox.requests).toEqual([])
  })
})

it('very many keys are asked at the pace of the rate limit, and it is told how far it is', async () => {
  account = await openAccount({ plan: 'enterprise', keys: 400, events: 20_000 })
  account.sandbox.addFault('status-429=2s:GET /api-keys/*/usage@100')
  account.sandbox.addFault('slow=40ms:GET /api-keys/*/usage')
  const ran = await account.run(['usage', '--json'])
  expect(ran.exit, ran.stderr).toBe(0)
  const { totals, usage } = JSON.parse(ran.stdout) as AccountUsage
  expect(usage).toHaveLength(totals.keys)
  expect(totals.notAsked).toBeGreaterThan(20)
  const waits = ran.stderr.split('\n').filter((line) => line.includes('"event":"wait"'))
  expect(waits.map((line) => (JSON.parse(line) as { reason: string }).reason)).toContain('rate-limit')
})
