import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { findPlaces } from '../../src/commands/places.ts'
import { findChecks } from '../../src/commands/verify-choices.ts'
import { Secret } from '../../src/secret.ts'

const live = 'pk_live_0123456789abcdefghij'
const admin = 'pk_live_adminadminadminadmin'
let root: string
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'pictify-keys-places-'))
})
afterEach(() => rm(root, { recursive: true, force: true }))

async function put(files: Record<string, string>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(root, name)), { recursive: true })
    await writeFile(path.join(root, name), text)
  }
}

/** What is offered, with `ANSWER` for the name that is asked for. */
async function offered(env: Record<string, string> = {}, cwd = root, self = false) {
  const debug: string[] = []
  const around = {
    ...{ cwd, env, self, credential: new Secret(admin) },
    debug: (text: string) => void debug.push(text),
  }
  const found = await findPlaces(around)
  expect(JSON.stringify([found, debug])).not.toContain('pk_live_')
  return found.map(({ spec, missing, reason, holds }) => ({
    spec: spec(missing === undefined ? '' : 'ANSWER'),
    reason,
    ...(missing && { asks: missing.question, suggests: missing.suggestion }),
    ...(holds && { holds }),
  }))
}
const specs = async (env?: Record<string, string>, cwd?: string) =>
  (await offered(env, cwd)).map(({ spec }) => spec)

describe('environment files', () => {
  test('what holds a key goes first, by its variable; no value is told', async () => {
    await put({
      '.env': `A=1\nPICTIFY_API_KEY=\nOTHER=pk_testament\n`,
      '.env.local': `export RENDERER="${live}" # the key\n`,
      '.env.test': `PICTIFY_TEST_KEY='pk_test_0123456789abcdefghij'`,
    })
    expect(await offered()).toEqual([
      { spec: 'env:.env.local#RENDERER', reason: 'holds a live key', holds: 'live' },
      { spec: 'env:.env.test#PICTIFY_TEST_KEY', reason: 'holds a test key', holds: 'test' },
      { spec: 'env:.env#PICTIFY_API_KEY', reason: 'is empty' },
    ])
  })

  test('a file without one is offered the name that is known, or asked for one', async () => {
    await put({ '.env': 'A=1\n' })
    expect(await offered()).toMatchObject([{ spec: 'env:.env#ANSWER', asks: 'Which variable of .env?' }])
    await put({ '.env.example': 'PICTIFY_KEY=\n' })
    expect(await specs()).toEqual(['env:.env#PICTIFY_KEY'])
  })

  test('where there is only an example, the file is offered that it is of', async () => {
    await put({ '.env.example': 'PICTIFY_API_KEY=your-key\n' })
    expect(await offered()).toEqual([
      { spec: 'env:.env#PICTIFY_API_KEY', reason: 'named in .env.example; not there yet' },
    ])
  })

  test.each([
    [
      'the admin key in use',
      { '.env': `PICTIFY_API_KEY=${admin}\nPICTIFY_ADMIN_KEY=x\n` },
      ['env:.env#ANSWER'],
    ],
    [
      'what editors leave',
      { '.env.bak': `K=${live}`, '.env~': `K=${live}`, '.env.local.swp': `K=${live}` },
      [],
    ],
    ['what is no text', { '.env': `\0K=${live}` }, []],
    ['other files', { '.envrc': `K=${live}`, env: `K=${live}`, '.env.d/x': `K=${live}` }, []],
  ])('%s is not offered', async (_, files, wanted) => {
    await put(files)
    expect(await specs()).toEqual(wanted)
  })

  test('where the admin key in use is in question, its own place is offered, and no other', async () => {
    await put({ '.env': `PICTIFY_ADMIN_KEY=${admin}\nPICTIFY_API_KEY=${live}\n`, '.env.local': 'A=1\n' })
    expect(await offered({}, root, true)).toEqual([
      { spec: 'env:.env#PICTIFY_ADMIN_KEY', reason: 'holds a live key', holds: 'live' },
    ])
  })

  test('nothing is there, nothing is offered', async () => {
    expect(await offered()).toEqual([])
  })
})

describe('a GitHub remote', () => {
  const config = (...urls: string[]) =>
    urls.map((url, index) => `[remote "r${index}"]\n\turl = ${url}\n\tfetch = x\n`).join('')

  test.each([
    ['https://github.com/acme/shop.git', 'acme/shop'],
    ['https://user@github.com/acme/shop', 'acme/shop'],
    ['git@github.com:acme/shop.git', 'acme/shop'],
    ['ssh://git@github.com:22/acme/shop.git/', 'acme/shop'],
    ['ssh://git@ssh.github.com:443/acme/my.shop.git', 'acme/my.shop'],
    ['git@gitlab.com:acme/shop.git', undefined],
    ['https://github.com.evil.example/acme/shop', undefined],
    ['/srv/git/shop.git', undefined],
    ['https://github.com/acme', undefined],
  ])('%s is %s', async (url, repository) => {
    await put({ '.git/config': config(url) })
    expect(await specs()).toEqual(repository === undefined ? [] : [`github:${repository}#ANSWER`])
  })

  test('is found from a folder within, and of a worktree', async () => {
    await put({ '.git/config': config('git@github.com:acme/shop.git'), 'src/deep/x': '' })
    expect(await specs({}, path.join(root, 'src', 'deep'))).toEqual(['github:acme/shop#ANSWER'])
    await put({
      'tree/.git': `gitdir: ${root}/.git/worktrees/tree\n`,
      '.git/worktrees/tree/commondir': '../..\n',
    })
    expect(await specs({}, path.join(root, 'tree'))).toEqual(['github:acme/shop#ANSWER'])
  })

  test('comes with the secrets that its workflows name, each once, and each repository once', async () => {
    await put({
      '.git/config': config(
        'git@github.com:acme/shop.git',
        'https://github.com/acme/shop',
        'git@github.com:bob/shop',
      ),
      '.github/workflows/ci.yml': [
        'env:',
        '  A: ${{ secrets.PICTIFY_API_KEY }}',
        '  PICTIFY_API_KEY: ${{ secrets.RENDER_KEY }}',
        '  B: ${{ secrets.pictify_api_key }} ${{ secrets.PICTIFY_ADMIN_KEY }} ${{ secrets.OTHER }}',
      ].join('\n'),
    })
    expect(await specs()).toEqual([
      'github:acme/shop#PICTIFY_API_KEY',
      'github:acme/shop#RENDER_KEY',
      'github:bob/shop#PICTIFY_API_KEY',
      'github:bob/shop#RENDER_KEY',
    ])
  })

  test('suggests the name that the environment file has; and is of the host that is spoken to', async () => {
    await put({ '.git/config': config('git@ghe.example.com:acme/shop.git'), '.env': `SHOP_KEY=${live}` })
    expect(await specs()).toEqual(['env:.env#SHOP_KEY'])
    const [, github] = await offered({ GH_HOST: 'ghe.example.com' })
    expect(github).toMatchObject({ spec: 'github:acme/shop#ANSWER', suggests: 'SHOP_KEY' })
  })
})

describe('stores', () => {
  const kubeconfig = (current: string) => `
apiVersion: v1
current-context: ${current}
contexts:
- {name: prod, context: {cluster: c, user: u, namespace: shop}}
- {name: dev, context: {cluster: c, user: u}}
`

  test('the current context of kubectl, and its namespace', async () => {
    await put({ '.kube/config': kubeconfig('prod'), dev: 'current-context: dev\n', broken: ': :\n - x' })
    const home = { HOME: root }
    expect(await offered(home)).toMatchObject([
      { spec: 'k8s:shop/ANSWER', reason: 'the context prod, namespace shop' },
    ])
    const files = [path.join(root, 'dev'), path.join(root, '.kube/config')].join(path.delimiter)
    expect(await specs({ KUBECONFIG: files })).toEqual(['k8s:default/ANSWER'])
    expect(await specs({ ...home, KUBECONFIG: path.join(root, 'broken') })).toEqual([])
    await put({ '.kube/config': kubeconfig('gone') })
    expect(await specs(home)).toEqual([])
  })

  test('AWS by its profile and region', async () => {
    await put({ '.aws/config': '[default]\nregion = us-east-1\n[profile prod]\nregion=eu-west-1\n' })
    expect(await offered({ HOME: root, AWS_PROFILE: 'prod' })).toMatchObject([
      { spec: 'aws-sm:ANSWER', reason: 'AWS_PROFILE prod, eu-west-1' },
    ])
    expect(await offered({ AWS_REGION: 'eu-north-1' })).toMatchObject([{ reason: 'AWS_REGION, eu-north-1' }])
    expect(await offered({ HOME: root })).toEqual([])
  })

  test('a vault by its address, of which no password is told', async () => {
    expect(await offered({ VAULT_ADDR: 'https://user:hunter2@vault.example:8200/x' })).toMatchObject([
      { spec: 'vault:ANSWER', reason: 'VAULT_ADDR vault.example:8200' },
    ])
    expect(await offered({ VAULT_ADDR: 'https://a.example', BAO_ADDR: 'https://b.example' })).toMatchObject([
      { reason: 'BAO_ADDR b.example' },
    ])
  })

  test('Google by the project of the environment, or of gcloud', async () => {
    expect(await specs({ GOOGLE_CLOUD_PROJECT: 'acme-prod' })).toEqual([
      'gcp-sm:projects/acme-prod/secrets/ANSWER',
    ])
    await put({
      '.config/gcloud/active_config': 'work\n',
      '.config/gcloud/configurations/config_work': '[core]\naccount = a@b\nproject = acme-dev\n',
    })
    expect(await specs({ HOME: root })).toEqual(['gcp-sm:projects/acme-dev/secrets/ANSWER'])
  })
})

describe('commands that verify', () => {
  test('are scripts that can be run, scripts of the package, and targets of make', async () => {
    await put({
      'smoke-test.sh': '#!/bin/sh\n',
      'scripts/verify it.sh': '#!/bin/sh\n',
      'scripts/healthcheck.txt': 'no program\n',
      'package.json': '{"scripts":{"smoke":"x","build":"y","test:verify":"z"}}',
      'pnpm-lock.yaml': '',
      Makefile: 'SMOKE := 1\nbuild:\n\tx\nsmoke-test: build\n\ty\n',
    })
    const { chmod } = await import('node:fs/promises')
    for (const name of ['smoke-test.sh', 'scripts/verify it.sh']) await chmod(path.join(root, name), 0o755)
    expect(await findChecks(root)).toEqual([
      './smoke-test.sh',
      "'./scripts/verify it.sh'",
      'pnpm run smoke',
      'pnpm run test:verify',
      'make smoke-test',
    ])
  })

  test('are none where nothing looks so, whatever the files hold', async () => {
    await put({ 'package.json': '[1]', Makefile: 'all:\n', 'smoke.md': '' })
    expect(await findChecks(root)).toEqual([])
  })
})
