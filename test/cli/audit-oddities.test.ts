import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { AuditReport } from '../../src/audit/report.ts'
import { systemClock } from '../../src/clock.ts'
import { openAccount, type Account } from './account.ts'

/** A Wednesday at noon: what is odd on a weekend does not come by. The clock goes on from there. */
const start = Date.parse('2026-03-11T12:00:00Z')

const byLogAndUsage = [
  'admin-key-does-work',
  'error-rate',
  'latency',
  'live-key-in-development',
  'new-country',
  'new-network',
  'new-user-agent',
  'outside-hours',
  'request-spike',
  'shared-key',
  'woke-up',
]

let account: Account
beforeEach(async () => {
  const began = Date.now()
  account = await openAccount({
    plan: 'enterprise',
    keys: 40,
    events: 60_000,
    seed: 10,
    clock: { now: () => start + Date.now() - began, sleep: (ms, signal) => systemClock.sleep(ms, signal) },
  })
  const hours = '{ days: Mon-Fri, from: "07:00", to: "20:00", timeZone: UTC }'
  await put('pictify-keys.yaml', `version: 1\naudit:\n  workingHours: ${hours}\n`)
})
afterEach(() => account.end())

const put = (file: string, text: string) => writeFile(path.join(account.home.directory, file), text)

async function audit(...rules: string[]): Promise<AuditReport> {
  const flags = rules.flatMap((rule) => ['--rule', rule])
  const ran = await account.run(['audit', '--json', '--fail-on', 'never', ...flags])
  expect(ran.exit, ran.stderr).toBe(0)
  return JSON.parse(ran.stdout) as AuditReport
}

/** What is odd about the key of each finding. */
function oddities({ findings }: AuditReport) {
  const keys = account.sandbox.keys()
  const oddityOf = (id: string) => keys.find((key) => key.id === id)?.oddity ?? 'nothing'
  return findings.map(({ rule, severity, key }) => [rule, severity, oddityOf(key?.id ?? '')]).sort()
}

/** Requests with a key that the sandbox takes to come from a country. */
async function use(keyId: string, country: string, times: number): Promise<void> {
  const secret = account.sandbox.keys().find(({ id }) => id === keyId)?.secret
  for (let count = 0; count < times; count += 1) {
    const answer = await fetch(`${account.sandbox.url}/templates?limit=1`, {
      headers: { authorization: `Bearer ${secret?.reveal()}`, 'cf-ipcountry': country },
    })
    expect(answer.status).toBe(200)
  }
}

describe('in an account in which keys are odd in one way each', () => {
  test('each rule fires for the key that deserves it, and for no other', async () => {
    const report = await audit(...byLogAndUsage)
    expect(oddities(report)).toEqual([
      ['admin-key-does-work', 'warning', 'admin-renders'],
      ['error-rate', 'error', 'failing'],
      ['latency', 'warning', 'failing'],
      ['live-key-in-development', 'warning', 'local'],
      ['new-network', 'warning', 'new-network'],
      ['new-user-agent', 'note', 'new-program'],
      ['outside-hours', 'warning', 'night'],
      // on a Sunday, when it was never used
      ['request-spike', 'warning', 'night'],
      ['request-spike', 'warning', 'spike'],
      ['shared-key', 'warning', 'shared'],
    ])
    expect(report.skipped).toEqual([
      {
        rule: 'new-country',
        source: 'past',
        why: 'there is nothing to compare with yet: this is the first look from here',
      },
    ])
  })

  test('a country is new from the second look on, and does not pass for known at the third', async () => {
    await audit('new-country')
    expect(await audit('new-country')).toMatchObject({ findings: [], skipped: [] })

    const { id, name } = account.sandbox.keys().find(({ oddity }) => oddity === 'spike') ?? {}
    await use(id ?? '', 'KP', 3)
    for (const look of ['second', 'third']) {
      const { findings } = await audit('new-country')
      expect(findings, look).toMatchObject([
        {
          rule: 'new-country',
          severity: 'warning',
          key: { id, name },
          message: '3 requests from a country never seen before: KP',
        },
      ])
    }
  })

  test('what the file says of a rule is in force, and what it accepts is set aside', async () => {
    const shared = account.sandbox.keys().find(({ oddity }) => oddity === 'shared')?.id
    await put(
      'pictify-keys.yaml',
      `version: 1
audit:
  rules:
    live-key-in-development: { ignore: [127.0.0.0/8, "::1", "*GitHub Actions*"] }
    request-spike: { warnAbove: 50, minRequests: 1000 }
    error-rate: { errorAbove: 50% }
    new-network: note
    new-user-agent: off
  accept:
    - { rule: shared-key, key: ${shared}, reason: both go away in May }
`,
    )
    const report = await audit(
      'live-key-in-development',
      'request-spike',
      'error-rate',
      'new-network',
      'shared-key',
    )
    expect(oddities(report)).toEqual([
      ['error-rate', 'warning', 'failing'],
      ['new-network', 'note', 'new-network'],
    ])
    expect(report.accepted.map(({ rule, reason }) => [rule, reason])).toEqual([
      ['shared-key', 'both go away in May'],
    ])
  })
})

test('an API without audit log skips the rules that go by it, and says so', async () => {
  await account.end()
  account = await openAccount({ keys: 12, plan: 'enterprise', without: ['audit-log'] })
  const ran = await account.run([
    'audit',
    '--json',
    '--fail-on',
    'never',
    '--rule',
    'shared-key',
    '--rule',
    'latency',
  ])
  expect((JSON.parse(ran.stdout) as AuditReport).skipped).toEqual([
    { rule: 'shared-key', source: 'log', why: 'the API keeps no audit log' },
  ])
})

test('where nothing can be kept of what was seen, new countries are skipped and the audit goes on', async () => {
  await mkdir(account.home.stateDir, { recursive: true })
  await writeFile(path.join(account.home.stateDir, 'seen'), 'in the way')
  const { skipped, summary } = await audit('new-country')
  expect([skipped, summary.skipped]).toMatchObject([
    [
      {
        rule: 'new-country',
        source: 'past',
        why: expect.stringContaining('cannot keep what was seen in') as string,
      },
    ],
    1,
  ])
})
