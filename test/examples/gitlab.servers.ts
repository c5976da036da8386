// The job of examples/gitlab-ci.yml, run as GitLab's runner runs it, with the real program, the sandbox and OpenBao.
import { generateKeyPairSync, sign } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest'
import { parse } from 'yaml'
import { createVault, type VaultFacts } from '../servers/vault.ts'
import { openAccount, type ExampleAccount } from './account.ts'
import { openFolder, run, text, type Folder } from './folder.ts'
import { openRegistry, type Registry } from './registry.ts'
import { policyOf } from './vault-policy.ts'

interface Job {
  variables: Record<string, string>
  id_tokens: Record<string, { aud: string }>
  before_script: string[]
  script: string[]
  after_script: string[]
  artifacts: { paths: string[]; reports: { dotenv: string } }
  allow_failure: { exit_codes: number }
}

const facts = inject('servers')['vault'] as VaultFacts | undefined
const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })

/** An ID token as GitLab gives a job of this project. */
function idToken(audience: string, project: string): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const now = Math.floor(Date.now() / 1_000)
  const claims = {
    iss: 'https://gitlab.example.com',
    aud: audience,
    sub: `project_path:${project}`,
    iat: now,
    exp: now + 3_600,
  }
  const signed = `${part({ alg: 'RS256', typ: 'JWT' })}.${part({ ...claims, project_path: project, ref_protected: 'true' })}`
  return `${signed}.${sign('sha256', Buffer.from(signed), privateKey).toString('base64url')}`
}

describe.skipIf(!facts)('GitLab CI', () => {
  const vault = createVault(facts ?? { url: '', root: '' })
  let registry: Registry
  let account: ExampleAccount
  let folder: Folder
  let job: Job
  beforeAll(async () => {
    registry = await openRegistry()
    const { 'rotate-pictify-key': parsed } = parse(await text('examples/gitlab-ci.yml')) as Record<
      string,
      Job
    >
    job = parsed as Job
    const { VAULT_K8S_MOUNT, VAULT_K8S_ROLE } = job.variables
    await vault.must('PUT', 'sys/policies/acl/pictify-keys', { policy: await policyOf('secret/data/app') })
    await vault.must('POST', `sys/auth/${VAULT_K8S_MOUNT}`, { type: 'jwt' })
    const pem = publicKey.export({ type: 'spki', format: 'pem' })
    await vault.must('POST', `auth/${VAULT_K8S_MOUNT}/config`, { jwt_validation_pubkeys: [pem] })
    const guide = await text('docs/ci.md')
    const role = [...guide.matchAll(/```json\n(.*?)```/gs)].find(([, block]) => block?.includes('role_type'))
    await vault.must('POST', `auth/${VAULT_K8S_MOUNT}/role/${VAULT_K8S_ROLE}`, role?.[1])
  })
  afterAll(() => registry?.close())
  beforeEach(async () => {
    folder = await openFolder(registry)
    account = await openAccount()
    await vault.must('POST', 'secret/data/app', {
      data: { PICTIFY_API_KEY: account.old.secret.reveal(), OTHER: 'x' },
    })
  })
  afterEach(async () => {
    await account.sandbox.close()
    await folder.remove()
  })

  const held = async () => (await vault.must('GET', 'secret/data/app')).data.data?.['PICTIFY_API_KEY']

  /** Variables of the project and the pipeline go before those of the job. */
  async function play(more: Record<string, string> = {}, project = 'acme/shop') {
    const checkout = path.join(folder.directory, 'project')
    const prefix = path.join(folder.directory, 'image')
    await mkdir(checkout, { recursive: true })
    const predefined = { CI: 'true', GITLAB_CI: 'true', CI_PROJECT_DIR: checkout }
    const variables = Object.entries(job.variables).map(([name, value]) => [
      name,
      value.replaceAll('$CI_PROJECT_DIR', checkout),
    ])
    const tokens = Object.entries(job.id_tokens).map(([name, { aud }]) => [name, idToken(aud, project)])
    const env = {
      ...folder.env,
      npm_config_prefix: prefix,
      PATH: `${prefix}/bin:${folder.env['PATH']}`,
      ...predefined,
      ...(Object.fromEntries([...variables, ...tokens]) as Record<string, string>),
      ...account.env,
      VAULT_ADDR: facts?.url ?? '',
      ...more,
    }
    const shell = (lines: string[]) =>
      run('bash', [], { cwd: checkout, env, input: ['set -eo pipefail', ...lines, ''].join('\n') })
    const ran = await shell([...job.before_script, ...job.script])
    await shell(job.after_script)
    account.refuseSecrets(ran.stdout, ran.stderr)
    const kept = (file: string) => readFile(path.join(checkout, file), 'utf8').catch(() => '')
    const [report, summary] = [
      await kept(job.artifacts.reports.dotenv),
      await kept(job.artifacts.paths.join()),
    ]
    account.refuseSecrets(report, summary)
    return { ...ran, report, summary, checkout, env }
  }

  test('the job signs in by its ID token and rotates into Vault; the night after, there is nothing to do', async () => {
    const first = await play()
    expect(first).toMatchObject({ code: 0 })
    expect(await held()).toBe(account.successor().secret.reveal())
    expect(first.report).toContain(`PICTIFY_NEW_KEY_ID=${account.successor().id}\n`)
    expect(first.report).toContain('PICTIFY_ROTATION_STATE=done\n')
    expect(first.summary).toMatch(/^### Rotated.* Production Server$/m)
    await expect(readFile(`${first.checkout}/.vault-id-token`)).rejects.toThrow('ENOENT')
    expect(await play()).toMatchObject({
      code: 0,
      report: '',
      stdout: expect.stringContaining('nothing to do') as string,
    })
  })

  test('what waits ends with the code that the job allows, and the next job goes on without this one’s folder', async () => {
    const waiting = await play({ ROTATE_WITH: '--overlap=24h --wait=0s' })
    expect(waiting.code).toBe(job.allow_failure.exit_codes)
    expect(waiting.code).toBe(5)
    const elsewhere = await play({ PICTIFY_KEYS_STATE_DIR: path.join(folder.directory, 'elsewhere') })
    expect(elsewhere).toMatchObject({ code: 0 })
    expect(await held()).toBe(account.successor().secret.reveal())
    expect(account.sandbox.keys()).toHaveLength(3)
  })

  test('a token of another project is refused before a key is made', async () => {
    expect(await play({}, 'evil/fork')).toMatchObject({ code: 1 })
    expect(account.sandbox.keys()).toHaveLength(2)
  })
})
