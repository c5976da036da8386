// action.yml and the workflow of examples/, run as GitHub runs them: by act, with the real program, the sandbox and moto.
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest'
import { awsEnvironment, contentOf, createClient, type AwsFacts } from '../servers/aws.ts'
import { openAccount, type ExampleAccount } from './account.ts'
import { openFolder, text, type Folder, type ToolFacts } from './folder.ts'
import { act, action, checkOut, type ActRun } from './github.ts'
import { openRegistry, type Registry } from './registry.ts'

const tool = inject('servers')['act'] as ToolFacts | undefined
const aws = inject('servers')['aws'] as AwsFacts | undefined

/** A workflow of one job, which rotates with these inputs and then tells of it. */
function workflowWith(inputs: Record<string, string>, after = ''): string {
  const lines = Object.entries(inputs).map(([name, value]) => `          ${name}: ${JSON.stringify(value)}`)
  return `on: workflow_dispatch
jobs:
  rotate:
    runs-on: ubuntu-24.04
    steps:
      - id: rotate
        uses: OWNER/pictify-keys@v0.1.0
        with:
${lines.join('\n')}
      - if: always()
        env:
          TOLD: \${{ toJSON(steps.rotate.outputs) }}
        run: |
          printf 'outputs %s\\n' "$(tr -d '\\n' <<< "$TOLD")"
          ${after}
`
}

describe.skipIf(!tool)('GitHub Actions', () => {
  let registry: Registry
  let account: ExampleAccount
  let folder: Folder
  let checkout: string
  beforeAll(async () => {
    registry = await openRegistry()
  })
  afterAll(() => registry?.close())
  beforeEach(async () => {
    folder = await openFolder(registry)
    checkout = await checkOut(folder)
  })
  afterEach(async () => {
    await account.sandbox.close()
    await folder.remove()
  })

  const dotenv = () => path.join(folder.directory, 'app.env')
  const holding = () => writeFile(dotenv(), `PICTIFY_API_KEY=${account.old.secret.reveal()}\n`)
  /** Runs a workflow, and refuses a log that shows a secret, but by the masks of those that the program brought into it. */
  async function play(workflow: string, given: Partial<ActRun> = {}) {
    const { PICTIFY_ADMIN_KEY, PICTIFY_API_URL } = account.env
    const ran = await act(tool?.command ?? '', folder, {
      workflow,
      checkout,
      ...given,
      env: { PICTIFY_API_URL, ...given.env },
      secrets: { PICTIFY_ADMIN_KEY, ...given.secrets },
    })
    const log = ran.stdout + ran.stderr
    const brought = account.sandbox.keys().filter(({ access }) => access !== 'admin')
    const masks = brought.map(({ secret }) => `::add-mask::${secret.reveal()}`)
    account.refuseSecrets(masks.reduce((rest, mask) => rest.replaceAll(mask, ''), log))
    const told = JSON.parse(/outputs (\{.*\})/.exec(log)?.[1] ?? '{}') as Record<string, string>
    // act also shows what the steps of an action put out; GitHub only what the action itself says it does
    const { outputs: declared } = await action()
    const outputs = Object.entries(told).filter(([name, value]) => name in declared && value !== '')
    return { code: ran.code, log, outputs: Object.fromEntries(outputs) }
  }
  /** Files of this name, wherever a script may have made them. */
  const pwned = async () => {
    const everything = await readdir(folder.directory, { recursive: true })
    return everything.filter((file) => path.basename(file) === 'pwned')
  }
  const adminKey = '${{ secrets.PICTIFY_ADMIN_KEY }}'

  test.skipIf(!aws)('the example rotates into AWS, and does nothing the night after', async () => {
    account = await openAccount()
    const { url = '' } = aws ?? {}
    const client = createClient(url, 'eu-west-1')
    const secret = { PICTIFY_API_KEY: account.old.secret.reveal() }
    await client.createSecret({ Name: 'app/pictify', SecretString: JSON.stringify(secret) })
    const { AWS_ENDPOINT_URL_SECRETS_MANAGER = '' } = awsEnvironment(url)
    const workflow = await text('examples/github-actions.yml')
    const given = { env: { AWS_ENDPOINT_URL_SECRETS_MANAGER } }

    const first = await play(workflow, given)
    expect(first.log).toContain(`applications use ${account.successor().id} from now on`)
    expect(first.code).toBe(0)
    const held = JSON.parse((await contentOf(client, 'app/pictify')) ?? '{}') as typeof secret
    expect(held.PICTIFY_API_KEY).toBe(account.successor().secret.reveal())
    expect(account.sandbox.keys().find(({ id }) => id === account.old.id)?.status).toBe('revoked')

    const second = await play(workflow, given)
    expect(second.code).toBe(0)
    expect(second.log).toContain('nothing to do')
    expect(second.log).not.toContain('from now on')
    expect(account.sandbox.keys()).toHaveLength(3)
  })

  test.skipIf(!aws)('a target among the arguments gets its library too', async () => {
    account = await openAccount()
    const { url = '' } = aws ?? {}
    await createClient(url, 'eu-west-1').createSecret({
      Name: 'app/args',
      SecretString: JSON.stringify({ PICTIFY_API_KEY: account.old.secret.reveal() }),
    })
    const args = '--to=aws-sm:app/args#PICTIFY_API_KEY'
    const { code, outputs } = await play(workflowWith({ key: account.old.id, args, 'admin-key': adminKey }), {
      env: { ...awsEnvironment(url), AWS_REGION: 'eu-west-1' },
    })
    expect(outputs).toMatchObject({ state: 'done', 'exit-code': '0' })
    expect(code).toBe(0)
  })

  test('a rotation is told of by outputs', async () => {
    account = await openAccount()
    await holding()
    const { code, outputs } = await play(
      workflowWith({ key: account.old.id, to: `env:${dotenv()}`, 'admin-key': adminKey }),
    )
    expect(code).toBe(0)
    expect(outputs).toEqual({
      'rotation-id': expect.stringMatching(/^\w+$/) as string,
      state: 'done',
      'old-key-id': account.old.id,
      'new-key-id': account.successor().id,
      'exit-code': '0',
    })
    expect(await readFile(dotenv(), 'utf8')).toContain(account.successor().secret.reveal())
  })

  test('one that waits is left to the next run, and later steps find it', async () => {
    account = await openAccount()
    await holding()
    const inputs = {
      key: account.old.id,
      to: `env:${dotenv()}`,
      overlap: '24h',
      wait: '0s',
      'admin-key': adminKey,
    }
    const waiting = await play(workflowWith(inputs, 'pictify-keys rotations --open'))
    expect(waiting.outputs).toMatchObject({ state: 'overlapping', 'exit-code': '5' })
    expect(waiting.log).toMatch(new RegExp(`${waiting.outputs['rotation-id']} .*overlapping`))
    expect(waiting.code).toBe(0)

    const strict = await play(workflowWith({ ...inputs, 'fail-on-waiting': 'true' }))
    expect(strict.outputs).toMatchObject({ 'exit-code': '5', 'old-key-id': account.old.id })
    expect(strict.code).toBe(1)

    const over = await play(workflowWith({ ...inputs, overlap: '0s', wait: '' }))
    expect(over.outputs).toMatchObject({ state: 'done', 'old-key-id': account.old.id })
    expect(over.code).toBe(0)
    // what each of them went on with is the one successor
    expect(account.sandbox.keys()).toHaveLength(3)
  })

  test('one that is undone fails the job', async () => {
    account = await openAccount()
    await holding()
    const { code, outputs } = await play(
      workflowWith({ key: account.old.id, to: `env:${dotenv()}`, verify: 'exit 3', 'admin-key': adminKey }),
    )
    expect(outputs).toMatchObject({ state: 'aborted', 'exit-code': '6' })
    expect(code).toBe(1)
    expect(await readFile(dotenv(), 'utf8')).toContain(account.old.secret.reveal())
  })

  test('with the old secret, what cannot be read back is undone; the version comes from the registry', async () => {
    account = await openAccount()
    const kept = path.join(folder.directory, 'kept')
    const inputs = {
      key: account.old.id,
      to: `exec:cat > ${kept}`,
      'old-secret': '${{ secrets.PICTIFY_OLD_KEY }}',
      verify: 'false',
      version: registry.version,
      'admin-key': adminKey,
    }
    const secrets = { PICTIFY_OLD_KEY: account.old.secret.reveal() }
    const { code, outputs } = await play(workflowWith(inputs), { secrets })
    expect(outputs).toMatchObject({ state: 'aborted', 'exit-code': '6' })
    expect(code).toBe(1)
    expect(await readFile(kept, 'utf8')).toBe(account.old.secret.reveal())
  })

  test('inputs of hostile content are words, and nothing is run of them', async () => {
    const hostile = `it's "a" \`touch pwned\` $(touch pwned) \${{ github.token }} ; touch pwned & | > pwned ' -- --abort`
    account = await openAccount(hostile)
    await holding()
    const strange = path.join(folder.directory, `it's $(touch pwned) "\${HOME}" ;&.env`)
    await writeFile(strange, `KEY=${account.old.secret.reveal()}\n`)
    const workflow = workflowWith({
      key: '${{ github.event.inputs.key }}',
      to: '${{ github.event.inputs.to }}',
      verify: '${{ github.event.inputs.verify }}',
      'if-older-than': '${{ github.event.inputs.age }}',
      args: '${{ github.event.inputs.args }}',
      'admin-key': adminKey,
    })
    const { code, outputs } = await play(workflow, {
      inputs: {
        key: hostile,
        to: `\n  env:${dotenv()}  \r\n\n\tenv:${strange}#KEY\n`,
        verify: `test "$PICTIFY_API_KEY" != '$(touch pwned)' # "\n`,
        age: '90d',
        args: '--delete\n',
      },
    })
    expect(outputs).toMatchObject({ state: 'done', 'exit-code': '0' })
    expect(code).toBe(0)
    const { secret } = account.successor()
    for (const file of [dotenv(), strange]) expect(await readFile(file, 'utf8')).toContain(secret.reveal())
    expect(account.sandbox.keys().map(({ id }) => id)).not.toContain(account.old.id)

    const refused = await play(workflow, {
      inputs: {
        key: '$(touch pwned)\n::set-output name=x::y',
        to: 'env:x',
        verify: '',
        age: '$(touch pwned)',
        args: '',
      },
    })
    expect(refused.outputs).toEqual({ 'exit-code': '2' })
    expect(await pwned()).toEqual([])
  })

  test.each(['\n', '\r\n'])('a state directory of two lines sets no variable of the job: %j', async (end) => {
    account = await openAccount()
    await holding()
    const script = path.join(folder.directory, 'script.sh')
    await writeFile(script, 'touch pwned\n')
    const inputs = { key: account.old.id, to: `env:${dotenv()}`, 'admin-key': adminKey }
    const stateDir = `${folder.directory}/state${end}BASH_ENV=${script}`
    const { code, log, outputs } = await play(workflowWith({ ...inputs, 'state-dir': stateDir }))
    expect(code).toBe(1)
    expect(log).toContain('state-dir has to be one line')
    expect(outputs).toEqual({})
    expect(await pwned()).toEqual([])
  })

  test('and would be run, if the action put them into its scripts', async () => {
    account = await openAccount()
    const file = path.join(checkout, 'action.yml')
    const written = await readFile(file, 'utf8')
    expect(written).toContain('args+=(-- "$INPUT_KEY")')
    await writeFile(file, written.replace('args+=(-- "$INPUT_KEY")', 'args+=(-- "${{ inputs.key }}")'))
    await play(workflowWith({ key: '$(touch pwned)', to: 'env:x', 'admin-key': adminKey }))
    expect(await pwned()).toHaveLength(1)
  })

  test('without a version or a dist/, it is built from what was checked out', async () => {
    account = await openAccount()
    await rm(checkout, { recursive: true })
    checkout = await checkOut(folder, false)
    // what npm runs on the way gets no admin key, though the whole job has it
    const manifest = path.join(checkout, 'package.json')
    const { scripts, ...others } = JSON.parse(await readFile(manifest, 'utf8')) as { scripts: object }
    const seen = path.join(folder.directory, 'seen')
    const preinstall = `printenv > ${seen}`
    await writeFile(manifest, JSON.stringify({ ...others, scripts: { ...scripts, preinstall } }))
    const ofJob = `env:\n  PICTIFY_ADMIN_KEY: ${adminKey}\njobs:`
    const workflow = workflowWith({ key: 'nobody', to: 'env:x' }).replace('jobs:', ofJob)
    const { code, outputs } = await play(workflow)
    expect(await readFile(seen, 'utf8')).toContain('npm_lifecycle_event=preinstall\n')
    account.refuseSecrets(await readFile(seen, 'utf8'))
    expect(outputs).toEqual({ 'exit-code': '3' })
    expect(code).toBe(1)
    // npm installs what the build needs
  }, 600_000)
})
