// examples/Jenkinsfile, run as Jenkins runs it, with the real program, the sandbox and OpenBao.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest'
import { createVault, type VaultFacts } from '../servers/vault.ts'
import { openAccount, type ExampleAccount } from './account.ts'
import { openFolder, text, type Folder } from './folder.ts'
import { playJenkinsfile, type JenkinsFacts } from './jenkins.ts'
import { openRegistry, type Registry } from './registry.ts'
import { policyOf } from './vault-policy.ts'

const jenkins = inject('servers')['jenkins'] as JenkinsFacts | undefined
const facts = inject('servers')['vault'] as VaultFacts | undefined

describe.skipIf(!jenkins || !facts)('Jenkins', () => {
  const vault = createVault(facts ?? { url: '', root: '' })
  let registry: Registry
  let account: ExampleAccount
  let folder: Folder
  let file: string
  let logins: Record<string, string>
  beforeAll(async () => {
    registry = await openRegistry()
    const policy = (await policyOf('secret/data/app')).replaceAll('secret/data/app', 'secret/data/jenkins')
    await vault.must('PUT', 'sys/policies/acl/jenkins', { policy })
    await vault.must('POST', 'sys/auth/jenkins', { type: 'approle' })
    const role = 'auth/jenkins/role/pictify-keys'
    await vault.must('POST', role, { token_policies: 'jenkins', token_ttl: '1h' })
    logins = {
      'vault-role-id': (await vault.must('GET', `${role}/role-id`)).data.role_id,
      'vault-secret-id': (await vault.must('POST', `${role}/secret-id`)).data.secret_id,
    }
  })
  afterAll(() => registry?.close())
  beforeEach(async () => {
    folder = await openFolder(registry)
    account = await openAccount()
    const own = (await text('examples/Jenkinsfile'))
      .replace('https://vault.example.com', facts?.url ?? '')
      .replace('vault:secret/app', 'vault:secret/jenkins')
    file = path.join(folder.directory, 'Jenkinsfile')
    await writeFile(file, own)
    await vault.must('POST', 'secret/data/jenkins', {
      data: { PICTIFY_API_KEY: account.old.secret.reveal() },
    })
  })
  afterEach(async () => {
    await account.sandbox.close()
    await folder.remove()
  })

  const held = async () => (await vault.must('GET', 'secret/data/jenkins')).data.data?.['PICTIFY_API_KEY']
  const workspace = () => path.join(folder.directory, 'workspace')

  async function play(more: Record<string, string> = {}) {
    await mkdir(workspace(), { recursive: true })
    const { PICTIFY_API_URL, PICTIFY_ADMIN_KEY } = account.env
    const ran = await playJenkinsfile(jenkins as JenkinsFacts, {
      file,
      workspace: workspace(),
      env: {
        ...folder.env,
        PICTIFY_API_URL,
        JENKINS_URL: 'http://127.0.0.1/',
        BUILD_ID: '1',
        VAULT_APPROLE_MOUNT: 'jenkins',
        ...more,
      },
      credentials: { 'pictify-admin-key': PICTIFY_ADMIN_KEY, ...logins },
      runs: true,
    })
    // Jenkins itself masks what withCredentials gives; nothing else may show, whatever the shell's -x prints
    account.refuseSecrets(ran.log)
    return ran
  }

  test('the pipeline rotates into Vault; the night after, there is nothing to do', async () => {
    const first = await play()
    expect(first).toMatchObject({
      result: 'SUCCESS',
      description: null,
      archived: ['rotation.properties', 'rotation.md'],
    })
    expect(await held()).toBe(account.successor().secret.reveal())
    expect(await readFile(path.join(workspace(), 'rotation.properties'), 'utf8')).toContain(
      `PICTIFY_NEW_KEY_ID=${account.successor().id}\n`,
    )
    const summary = await readFile(path.join(workspace(), 'rotation.md'), 'utf8')
    expect(summary).toMatch(/^### Rotated.* Production Server$/m)
    account.refuseSecrets(summary)
    const second = await play()
    expect(second).toMatchObject({
      result: 'SUCCESS',
      archived: [],
      log: expect.stringContaining('nothing to do') as string,
    })
  })

  test('what waits is no failure, and is said; the next build goes on', async () => {
    const waiting = await play({ ROTATE_WITH: '--overlap=24h --wait=0s' })
    expect(waiting).toMatchObject({
      result: 'SUCCESS',
      description: expect.stringMatching(/^waiting/) as string,
    })
    expect(await play()).toMatchObject({ result: 'SUCCESS', description: null })
    expect(await held()).toBe(account.successor().secret.reveal())
    expect(account.sandbox.keys()).toHaveLength(3)
  })

  test('what fails fails the build', async () => {
    const failed = await play({ ROTATE_WITH: '--verify=false' })
    expect(failed).toMatchObject({ result: 'FAILURE', error: 'pictify-keys ended with 6' })
    expect(await held()).toBe(account.old.secret.reveal())
  })
})
