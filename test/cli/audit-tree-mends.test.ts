import { execFile } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { AuditReport } from '../../src/audit/report.ts'
import { createRepository, type Repository } from '../audit/repository.ts'
import { openAccount, type Account } from './account.ts'
import { has } from './programs.ts'

const bin = fileURLToPath(new URL('../../bin/pictify-keys.js', import.meta.url))

let account: Account
let repository: Repository
beforeEach(async ({ skip }) => {
  if (!has('git')) skip('git is not installed')
  account = await openAccount()
  repository = await createRepository()
  const program = path.join(account.home.directory, 'pictify-keys')
  await writeFile(program, `#!/bin/sh\nexec '${process.execPath}' '${bin}' "$@"\n`, { mode: 0o755 })
})
afterEach(async () => {
  await account?.end()
  await repository?.remove()
})

async function audit(flags: readonly string[], cwd = repository.root) {
  const { exit, stdout } = await account.run(['audit', '--json', ...flags], { cwd })
  return { exit, ...(JSON.parse(stdout) as AuditReport) }
}
const searched = (...flags: string[]) => audit(['--rule', 'secret-in-tree', ...flags])

/** What a person does with the line of a finding; rejects where it is refused. */
function paste(line: string | null | undefined, cwd = repository.root) {
  const { env, directory } = account.home
  const paths = `${directory}:${repository.env['PATH']}`
  return promisify(execFile)('sh', ['-c', `${line}`], {
    cwd,
    env: { ...repository.env, ...env, PATH: paths },
  })
}

test('the admin key in use is an error in a line that names another service', async () => {
  const key = account.sandbox.adminKey.reveal()
  await repository.write('config.json', `{"stripe":{"url":"https://stripe.example"},"pictify":"${key}"}`)
  repository.commit()
  const { exit, findings } = await searched()
  expect([exit, findings.map(({ severity }) => severity)]).toEqual([10, ['error']])
})

test('a tracked .env is taken out of git, and its key is rotated in it, by the one line', async () => {
  const { sandbox } = account
  const shop = sandbox.dashboard.create({ name: 'Shop' })
  await repository.write('app/.env', `PICTIFY_API_KEY=${shop.secret.reveal()}\n`)
  repository.commit()
  const [found] = (await searched('--probe')).findings
  expect(found).toMatchObject({ severity: 'error', key: { id: shop.id } })
  await paste(`${found?.mend} --settle 0s`)

  expect(repository.git('ls-files')).toBe('')
  expect(sandbox.keys().find(({ id }) => id === shop.id)?.status).toBe('revoked')
  expect(await readFile(path.join(repository.root, 'app/.env'), 'utf8')).toMatch(
    /^PICTIFY_API_KEY=pk_live_\w+\n$/,
  )
  await repository.write('.gitignore', '.env\n')
  expect((await searched('--probe')).findings).toEqual([])
})

test('the admin key of the environment goes to the file that it was found in', async () => {
  const { sandbox } = account
  const old = sandbox.adminKey.reveal()
  await repository.write('ci.env', `PICTIFY_ADMIN_KEY=${old}\n`)
  const [found] = (await searched()).findings
  expect(found).toMatchObject({ severity: 'error', key: { name: 'Team admin' } })
  await paste(`${found?.mend} --settle 0s`)
  expect(await readFile(path.join(repository.root, 'ci.env'), 'utf8')).not.toContain(old)
  expect(sandbox.keys().find(({ id }) => id === found?.key?.id)?.status).toBe('revoked')
})

test('what was staged and taken out of the file is found, and where to', async () => {
  const { secret } = account.sandbox.dashboard.create({ name: 'Shop' })
  await repository.write('staged.txt', `key: ${secret.reveal()}\n`)
  repository.git('add', 'staged.txt')
  await repository.write('staged.txt', 'key: in the vault\n')
  expect(await searched('--probe')).toMatchObject({
    exit: 10,
    findings: [
      {
        severity: 'error',
        message: expect.stringContaining('in what git tracks of a file (its index)') as string,
        place: { file: 'staged.txt', line: 1 },
      },
    ],
  })
})

test('without a repository that is said, and a key in an environment file is one that others may read', async () => {
  const folder = path.join(repository.root, '..', 'server')
  await mkdir(folder)
  const { secret } = account.sandbox.dashboard.create({ name: 'Shop' })
  await writeFile(path.join(folder, 'prod.env'), `KEY=${secret.reveal()}\n`, { mode: 0o644 })
  const { exit, findings } = await audit(['--rule', 'secret-in-tree', '--probe'], folder)
  expect([exit, findings[0]?.severity, findings[0]?.mend]).toEqual([10, 'error', 'chmod 600 -- prod.env'])
  await paste(findings[0]?.mend, folder)

  const after = await audit(['--probe', '--fail-on', 'never'], folder)
  expect(after.findings.filter(({ rule }) => rule === 'secret-in-tree')).toMatchObject([{ severity: 'note' }])
  expect(after.checklist.slice(0, 2)).toMatchObject(
    Array.from({ length: 2 }, () => ({
      state: 'unknown',
      nothingIn: 'the working directory is in no repository: only its environment files were looked at',
    })),
  )
})
