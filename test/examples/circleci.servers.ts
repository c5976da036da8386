// The job of examples/circleci.yml, run as CircleCI runs it, with the real program, the sandbox and moto.
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest'
import { parse } from 'yaml'
import { contentOf, createClient, writeAs, type AwsFacts } from '../servers/aws.ts'
import { openAccount, type ExampleAccount } from './account.ts'
import { openFolder, run, text, type Folder } from './folder.ts'
import { openRegistry, type Registry } from './registry.ts'

interface Job {
  environment: Record<string, string>
  steps: { run?: { name: string; command: string } }[]
}

const facts = inject('servers')['aws'] as AwsFacts | undefined

describe.skipIf(!facts)('CircleCI', () => {
  // not the region of another suite
  const region = 'eu-west-2'
  const client = createClient(facts?.url ?? '', region)
  const secret = 'app/pictify'
  let registry: Registry
  let account: ExampleAccount
  let folder: Folder
  let job: Job
  beforeAll(async () => {
    registry = await openRegistry()
    const { jobs } = parse(await text('examples/circleci.yml')) as { jobs: Record<string, Job> }
    job = jobs['rotate-pictify-key'] as Job
  })
  afterAll(() => registry?.close())
  beforeEach(async () => {
    folder = await openFolder(registry)
    account = await openAccount()
    const content = JSON.stringify({ PICTIFY_API_KEY: account.old.secret.reveal() })
    if ((await contentOf(client, secret)) === undefined)
      await client.createSecret({ Name: secret, SecretString: content })
    else await writeAs(client, secret, content)
  })
  afterEach(async () => {
    await account.sandbox.close()
    await folder.remove()
  })

  const held = async () =>
    (JSON.parse((await contentOf(client, secret)) ?? '{}') as Record<string, string>)['PICTIFY_API_KEY']

  async function play(more: Record<string, string> = {}) {
    const variables = Object.entries(job.environment).map(([name, value]) => [
      name,
      value.replace(/^\/tmp\//, `${folder.directory}/`).replace('eu-west-1', region),
    ])
    const bashEnv = path.join(folder.directory, 'bash.env')
    await writeFile(bashEnv, '')
    const env = {
      ...folder.env,
      ...(Object.fromEntries(variables) as Record<string, string>),
      CI: 'true',
      CIRCLECI: 'true',
      BASH_ENV: bashEnv,
      CIRCLE_OIDC_TOKEN_V2: 'header.claims.signature',
      AWS_ENDPOINT_URL: facts?.url ?? '',
      AWS_EC2_METADATA_DISABLED: 'true',
      ...account.env,
      ...more,
    }
    let log = ''
    for (const step of job.steps.flatMap((each) => each.run ?? [])) {
      const file = path.join(folder.directory, 'step.sh')
      await writeFile(file, step.command)
      const { code, stdout, stderr } = await run('bash', ['-eo', 'pipefail', file], {
        cwd: folder.directory,
        env,
      })
      log += stdout + stderr
      if (code !== 0) return { code, log, summary: '', handedOn: '' }
    }
    const summary = await readFile(path.join(folder.directory, 'rotation.md'), 'utf8')
    account.refuseSecrets(log, summary)
    return { code: 0, log, summary, handedOn: await readFile(bashEnv, 'utf8') }
  }

  test('the job signs in to AWS by its OIDC token and rotates; the night after, there is nothing to do', async () => {
    const first = await play()
    expect(first).toMatchObject({ code: 0 })
    expect(await held()).toBe(account.successor().secret.reveal())
    expect(first.handedOn).toContain(`PICTIFY_NEW_KEY_ID='${account.successor().id}'`)
    expect(first.summary).toMatch(/^### Rotated.* Production Server$/m)
    const second = await play()
    expect(second).toMatchObject({ code: 0, log: expect.stringContaining('nothing to do') as string })
  })

  test('what waits is no failure, and the next job goes on without this one’s folder', async () => {
    const waiting = await play({ ROTATE_WITH: '--overlap=24h --wait=0s' })
    expect(waiting.log).toContain('the next run goes on')
    expect(waiting.code).toBe(0)
    const elsewhere = await play({ PICTIFY_KEYS_STATE_DIR: path.join(folder.directory, 'elsewhere') })
    expect(elsewhere.code).toBe(0)
    expect(await held()).toBe(account.successor().secret.reveal())
    expect(account.sandbox.keys()).toHaveLength(3)
  })

  test('what fails fails the job with the program’s own code', async () => {
    expect(await play({ ROTATE_WITH: '--verify=false' })).toMatchObject({ code: 6 })
    expect(await held()).toBe(account.old.secret.reveal())
  })
})
