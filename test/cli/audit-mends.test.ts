import { execFile } from 'node:child_process'
import { chmod, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { AuditReport } from '../../src/audit/report.ts'
import { formatMark } from '../../src/rotation/marked-name.ts'
import { openRotating, type Rotating } from './rotating.ts'

const bin = fileURLToPath(new URL('../../bin/pictify-keys.js', import.meta.url))

let account: Rotating
beforeEach(async () => {
  account = await openRotating({ usageLagMs: 0, plan: 'business' })
  // as a shell finds it that has the package
  const program = path.join(account.home.directory, 'pictify-keys')
  await writeFile(program, `#!/bin/sh\nexec '${process.execPath}' '${bin}' "$@"\n`)
  await chmod(program, 0o755)
})
afterEach(() => account.end())

/** The findings of some rules, with this keys file. */
async function audit(file: string, ...rules: string[]): Promise<AuditReport['findings']> {
  await writeFile(path.join(account.home.directory, 'pictify-keys.yaml'), file)
  const ran = await account.run(['audit', '--json', ...rules.flatMap((rule) => ['--rule', rule])])
  return (JSON.parse(ran.stdout) as AuditReport).findings
}

/** What a person does with the line of a finding; rejects where it is refused. */
function paste(line: string | null | undefined, ...more: string[]) {
  const { env, directory } = account.home
  return promisify(execFile)('sh', ['-c', `${line} ${more.join(' ')}`], {
    cwd: directory,
    env: { ...env, PATH: `${directory}:${env['PATH']}` },
  })
}

const active = () => account.keys().filter(({ status }) => status === 'active')

test('a rotation that died between revoke and rename is gone on with, and nothing is minted', async () => {
  const { old, sandbox, home } = account
  const { dashboard } = sandbox
  const file = 'version: 1\nkeys:\n  Production Server: { to: env:.env#PICTIFY_API_KEY }\n'
  const mark = { plain: old.name, oldId: old.id, rotationId: '7f3a9c', fingerprint: 'none', holder: 'ab12' }
  const successor = dashboard.create({
    name: formatMark({ ...mark, leaseUntil: Date.now() - 3_600_000 }),
    createdAt: Date.now() - 7_200_000,
  })
  await writeFile(path.join(home.directory, '.env'), `PICTIFY_API_KEY=${successor.secret.reveal()}\n`)
  dashboard.revoke(old.id)

  const findings = await audit(file, 'missing-key', 'orphan', 'duplicate-name')
  expect(findings.map(({ rule, severity, key }) => [rule, severity, key?.id])).toEqual([
    ['missing-key', 'warning', old.id],
    ['orphan', 'warning', successor.id],
  ])
  const [missing, orphan] = findings
  expect(orphan?.mend).toBe(missing?.mend)
  await paste(missing?.mend, '--no-evidence --settle 0s')
  expect(active()).toEqual([{ id: successor.id, name: 'Production Server', status: 'active' }])
  expect(await account.read('.env')).toContain(successor.secret.reveal())
  expect(await audit(file, 'missing-key', 'orphan', 'duplicate-name')).toEqual([])
})

test('a key that the file alone knows is created by the line as it is', async () => {
  const file = 'version: 1\nkeys: { Production Server: , Ghost Key: { to: env:ghost.env#KEY } }\n'
  const [missing] = await audit(file, 'missing-key')
  await paste(missing?.mend)
  expect(active().map(({ name }) => name)).toContain('Ghost Key')
  expect(await account.read('ghost.env')).toMatch(/^KEY=pk_live_/m)
  expect(await audit(file, 'missing-key')).toEqual([])
})
