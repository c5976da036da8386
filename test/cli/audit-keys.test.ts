import { afterEach, beforeEach, expect, test } from 'vitest'
import { formatMark } from '../../src/rotation/marked-name.ts'
import { secondOver } from './account.ts'
import { createHome, type Ran } from './program.ts'
import { leftOpen, openRotating, type Rotating } from './rotating.ts'

const day = 86_400_000
const rules = [
  ...['duplicate-name', 'never-used', 'orphan', 'plan-headroom', 'revoked-not-deleted', 'rotation-open'],
  ...['test-key-at-limit', 'too-many-admin-keys', 'unused', 'vague-name'],
]
const line = ['audit', '--json', ...rules.flatMap((rule) => ['--rule', rule])]

interface Report {
  findings: {
    rule: string
    severity: string
    key: { name: string; id: string } | null
    mend: string | null
  }[]
  skipped: { rule: string }[]
}
const report = ({ stdout }: Ran) => JSON.parse(stdout) as Report

let account: Rotating
beforeEach(async () => void (account = await openRotating({ plan: 'pro', usageLagMs: 0, seed: 11 })))
afterEach(() => account.end())

test('each rule finds the key that deserves it, and no other', async () => {
  const { dashboard } = account.sandbox
  const ago = (days: number) => Date.now() - days * day - 3_600_000
  const made = (name: string, days: number, usedDays?: number, more = {}) =>
    dashboard.create({
      name,
      createdAt: ago(days),
      ...(usedDays !== undefined && { lastUsedAt: ago(usedDays) }),
      ...more,
    })
  made('Checkout', 200, 0)
  made('Young', 5)
  for (const name of ['Blog', 'Forum']) made(name, 100, 0)
  made('Nobody’s', 9)
  made('Quiet', 200, 40, { type: 'test' })
  made('Silent', 200, 100)
  made('Test 2', 20, 1, { type: 'test' })
  const [first, second] = [20, 10].map((days) => made('Newsletter', days, 1, { type: 'test' }))
  for (const name of ['Deploy', 'Backup']) made(name, 50, 1, { access: 'admin', type: 'test' })
  const old = made('Shop', 60, 0)
  const mark = { plain: 'Shop', oldId: old.id, rotationId: '7f3a9c', fingerprint: 'none', holder: 'ab12' }
  const orphan = made(formatMark({ ...mark, leaseUntil: ago(3) }), 3)
  // busy, with what is no render: the log tells
  const busy = made('Screenshots', 30, 0, { type: 'test' })
  for (let call = 0; call < 101; call += 1) await account.call(busy.secret)
  await secondOver()

  await account.run(['list', '--json'])
  const ran = await account.run(line)
  expect(ran.exit).toBe(10)
  const { findings, skipped } = report(ran)
  expect(skipped).toEqual([])
  const short = findings.map(({ rule, severity, key }) => [rule, severity, key?.name ?? null])
  expect(short).toEqual([
    ['unused', 'error', 'Silent'],
    ['duplicate-name', 'warning', 'Newsletter'],
    ['never-used', 'warning', 'Nobody’s'],
    ['orphan', 'warning', orphan.name],
    ['plan-headroom', 'warning', null],
    ['too-many-admin-keys', 'warning', null],
    ['unused', 'warning', 'Quiet'],
    ['vague-name', 'warning', 'Test 2'],
  ])
  expect(findings[1]?.key?.id).toBe(second?.id)
  expect(first?.id).not.toBe(second?.id)
  expect(findings[3]?.mend).toBe(`pictify-keys revoke ${orphan.id} --api-url ${account.sandbox.url}`)
})

test('the key that the audit is made with is told from other admin keys, where the API tells it', async () => {
  const { dashboard } = account.sandbox
  const at = Date.now()
  const admin = (name: string) =>
    dashboard.create({ name, access: 'admin', createdAt: at - 400 * day, lastUsedAt: at - 100 * day })
  const [own, spare] = [admin('Quarterly audit'), admin('Spare admin')]
  dashboard.create({ name: 'Third admin', access: 'admin', createdAt: at - 9 * day })
  const env = { PICTIFY_ADMIN_KEY: own.secret.reveal() }
  const chosen = ['key-age', 'never-used', 'unused', 'too-many-admin-keys'].flatMap((rule) => [
    '--rule',
    rule,
  ])
  const ran = await account.run(['audit', '--json', ...chosen], { env })
  const lines = report(ran).findings.map(({ rule, key, mend }) => [
    rule,
    key?.name ?? null,
    mend?.replace(/ --api-url \S+/, '') ?? null,
  ])
  expect(lines).toEqual([
    ['key-age', 'Quarterly audit', `pictify-keys rotate ${own.id} --self`],
    ['key-age', 'Spare admin', `pictify-keys rotate ${spare.id}`],
    ['unused', 'Spare admin', `pictify-keys revoke ${spare.id}`],
    ['never-used', 'Team admin', expect.stringMatching(/^pictify-keys revoke key_/)],
    ['never-used', 'Third admin', expect.stringMatching(/^pictify-keys revoke key_/)],
    ['too-many-admin-keys', null, expect.stringMatching(/^pictify-keys revoke key_/)],
  ])
})

test('a rotation that waits is known to the machine that has it, and a note on another', async () => {
  const { old } = account
  expect((await account.run(['rotate', old.id, '--to', 'env:.env#PICTIFY_API_KEY', ...leftOpen])).exit).toBe(
    5,
  )
  const of = ({ findings }: Report) =>
    findings
      .filter(({ rule }) => /orphan|rotation-open/.test(rule))
      .map(({ rule, severity }) => [rule, severity])
  expect(of(report(await account.run(line)))).toEqual([])
  const elsewhere = await createHome(account.home.env)
  const env = { PICTIFY_KEYS_STATE_DIR: elsewhere.stateDir }
  expect(of(report(await elsewhere.run(line, { env })))).toEqual([['orphan', 'note']])
  await elsewhere.remove()
})

test('where the journals cannot be read, rules that go by them are skipped, and say so', async () => {
  const ran = await account.run(line, { env: { PICTIFY_KEYS_STATE_DIR: '/dev/null' } })
  const { skipped } = report(ran)
  expect(skipped.map(({ rule }) => rule)).toEqual([
    ...['duplicate-name', 'never-used', 'orphan', 'plan-headroom', 'rotation-open', 'too-many-admin-keys'],
  ])
})
