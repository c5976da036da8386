import { cp, mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createRepository, real, type Repository } from '../audit/repository.ts'
import { openAccount, type Account } from './account.ts'
import type { Ran } from './program.ts'
import { has } from './programs.ts'

interface Report {
  findings: {
    severity: string
    key: { id: string } | null
    message: string
    mend: string | null
    evidence: { secret: string; works: string }
    place: { file: string; line: number }
  }[]
  skipped: { rule: string; source: string; why: string }[]
}
const report = ({ stdout }: Ran) => JSON.parse(stdout) as Report

let account: Account
let repository: Repository
beforeEach(async ({ skip }) => {
  if (!has('git')) skip('git is not installed')
  account = await openAccount()
  repository = await createRepository()
})
afterEach(async () => {
  await account?.end()
  await repository?.remove()
})

const audit = (...flags: string[]) =>
  account.run(['audit', '--rule', 'secret-in-tree', ...flags], { cwd: repository.root })

test('secrets are found by their places, are asked about once each, and are nowhere printed', async () => {
  const { sandbox } = account
  const [works, gone] = [
    sandbox.dashboard.create({ name: 'Shop' }),
    sandbox.dashboard.create({ name: 'Old' }),
  ]
  sandbox.dashboard.revoke(gone.id)
  await repository.write('src/app.js', `// of production\r\nconst key = '${works.secret.reveal()}'\r\n`)
  await repository.write('again.txt', `${works.secret.reveal()} ${works.secret.reveal()}\n`)
  await repository.write('old.yml', `key: ${gone.secret.reveal()}\n`)
  await repository.write('never.yml', `key: ${real}\n`)
  repository.commit()
  await repository.write('.env', `PICTIFY_ADMIN_KEY=${sandbox.adminKey.reveal()}\n`)

  const plain = await audit('--json')
  expect(plain.exit).toBe(10)
  expect(report(plain).findings.map(({ severity, place }) => [severity, place.file, place.line])).toEqual([
    ['error', 'again.txt', 1],
    ['error', 'never.yml', 1],
    ['error', 'old.yml', 1],
    ['error', 'src/app.js', 2],
    ['error', '.env', 1],
  ])
  expect(probes()).toEqual([])

  const probed = await audit('--json', '--probe')
  const rotate = `pictify-keys rotate ${works.id} --compromised --api-url ${sandbox.url}`
  const found = report(probed).findings.map(({ severity, place, key, evidence, mend }) => {
    return [severity, place.file, evidence.works, key?.id ?? null, mend]
  })
  expect(found).toEqual([
    ['error', 'again.txt', 'accepted', works.id, rotate],
    ['error', 'src/app.js', 'accepted', works.id, rotate],
    [
      'error',
      '.env',
      'accepted',
      expect.stringMatching(/^key_/),
      expect.stringContaining(`--self --compromised --to 'env:.env#PICTIFY_ADMIN_KEY'`),
    ],
    ['note', 'never.yml', 'refused', null, null],
    ['note', 'old.yml', 'refused', null, null],
  ])
  // of two that work one probe each, and one more to learn whose it is; of two that do not, one
  const own = sandbox.keys().find(({ access }) => access === 'admin')?.id
  expect(probes().sort()).toEqual([own, own, works.id, works.id, 'refused', 'refused'].sort())

  const shown = await audit('--probe')
  expect(shown.stdout).toContain('src/app.js:2')
  for (const { secret } of [works, gone, { secret: sandbox.adminKey }]) {
    const body = secret.reveal().slice(8, -4)
    for (const { stdout, stderr } of [plain, probed, shown]) expect(stdout + stderr).not.toContain(body)
  }
})

/** Whose key each probe came with. */
function probes(): (string | undefined)[] {
  const asked = account.sandbox.requests.filter((request) => request.path.startsWith('/templates'))
  return asked.map(({ status, keyId }) => (status === 401 ? 'refused' : keyId))
}

test('a probe makes no key one that is used', async () => {
  const { sandbox } = account
  const createdAt = Date.now() - 10 * 86_400_000
  const key = sandbox.dashboard.create({ name: 'Shop', createdAt })
  await repository.write('a.txt', key.secret.reveal())
  expect(report(await audit('--json', '--probe')).findings).toMatchObject([
    { evidence: { works: 'accepted' } },
  ])
  await expect.poll(() => sandbox.keys().find(({ id }) => id === key.id)?.lastUsedAt).not.toBeNull()
  // the log is read where another rule needs it, up to the last whole second
  const held = async () => {
    const ran = await account.run(['audit', '--json', '--rule', 'never-used', '--rule', 'new-network'])
    return report(ran).findings
  }
  await expect
    .poll(held, { timeout: 20_000 })
    .toMatchObject([
      { key: { id: key.id }, message: expect.stringContaining(', but by probes of pictify-keys') as string },
    ])
})

test('where the API does not answer clearly, that is said, and nobody’s key is named', async () => {
  const key = account.sandbox.dashboard.create({ name: 'Shop' })
  await repository.write('a.txt', key.secret.reveal())
  account.sandbox.addFault('status-500:GET /templates')
  const { findings } = report(await audit('--json', '--probe'))
  expect(findings).toMatchObject([{ severity: 'warning', key: null, evidence: { works: 'unknown' } }])
})

test('files and lines that are meant to have one are left alone', async () => {
  await repository.write('test/fixtures/deep/a.env')
  await repository.write('docs/a.md', `a ${real} <!-- pictify-keys:ignore -->\n`)
  await repository.write('src/test/b.env')
  await repository.write(
    'pictify-keys.yaml',
    `version: 1\naudit:\n  rules:\n    secret-in-tree:\n      ignore: ['test/fixtures/**']\n`,
  )
  const ran = await audit('--json', '--fail-on', 'never')
  expect(ran.exit).toBe(0)
  expect(report(ran).findings.map(({ place }) => place.file)).toEqual(['src/test/b.env'])
})

test('the program’s own files are no findings outside of the repository, and are within', async () => {
  const { home } = account
  const login = { input: `${account.sandbox.adminKey.reveal()}\n`, env: { PICTIFY_ADMIN_KEY: undefined } }
  expect((await home.run(['login', '--store', 'file'], login)).exit).toBe(0)
  expect(report(await audit('--json')).findings).toEqual([])
  const within = path.join(repository.root, 'config')
  await mkdir(within)
  await cp(path.join(home.directory, 'config'), within, { recursive: true })
  expect(report(await audit('--json')).findings).toMatchObject([
    { severity: 'error', message: expect.stringContaining('it is the admin key in use') as string },
  ])
})

test('a repository within, which is no part of it, is said not to be searched', async () => {
  repository.git('init', '-q', 'clone')
  await repository.write('clone/.env')
  const words = 'no part of it, and were not searched: clone'
  const { stdout, stderr } = await account.run(['audit', '--fail-on', 'never'], { cwd: repository.root })
  expect(stderr).toContain(words)
  expect(stdout.replaceAll(/\s+/g, ' ')).toContain(words)
})

test('a repository that git refuses is skipped, and said to be', async () => {
  await writeFile(path.join(repository.root, '.git', 'config'), '[core\n')
  const ran = await audit('--json', '--fail-on-skipped')
  expect(ran.exit).toBe(10)
  expect(report(ran).skipped).toMatchObject([
    { rule: 'secret-in-tree', source: 'tree', why: expect.stringContaining('git refuses') as string },
  ])
})

test('a name that acts on a terminal is shown without its force', async () => {
  await repository.write('a\u001b[2J\nerror: b')
  const { stdout } = await audit()
  expect(stdout).toContain('a[2J error: b:1')
  expect(stdout).not.toContain('\u001b[2J')
})
