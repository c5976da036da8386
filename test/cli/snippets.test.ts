import { parse as parseDotenv } from 'dotenv'
import { execFile } from 'node:child_process'
import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { parse as parseYaml } from 'yaml'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { snippetKinds } from '../../src/ui/snippets.ts'
import { openAccount, type Account } from './account.ts'
import { has } from './programs.ts'

// Every snippet by the tool it is for, against the sandbox. Where the vendor's SDK cannot be had, one that is as documented
// stands in (test/sdks); with the real one for Python it runs in snippets.servers.ts.

const run = promisify(execFile)
const sdks = fileURLToPath(new URL('../sdks/', import.meta.url))

let account: Account
let folder: string
let key: { id: string; secret: string }
beforeAll(async () => {
  account = await openAccount()
  const { stdout } = await account.run(['create', 'Web', '--type', 'live', '--json'])
  const made = JSON.parse(stdout) as { apiKey: { id: string }; secret: string }
  key = { id: made.apiKey.id, secret: made.secret }
})
beforeEach(async () => {
  folder = await mkdtemp(path.join(account.home.directory, 'app-'))
})
afterAll(() => account.end())

/** Writes the snippet as the program prints it, and runs something on it with the key in the environment. */
async function snippet(kind: string, file: string): Promise<string> {
  const ran = await account.run(['show', key.id, '--snippet', kind])
  expect(ran).toMatchObject({ exit: 0, stderr: '' })
  expect(ran.stdout).not.toMatch(/pk_(live|test)_/)
  await writeFile(path.join(folder, file), ran.stdout)
  return ran.stdout
}

async function runs(command: string, args: string[], env: Record<string, string> = {}): Promise<string> {
  const own = { PATH: process.env['PATH'] ?? '', HOME: folder, PICTIFY_API_KEY: key.secret, ...env }
  return (await run(command, args, { cwd: folder, env: own })).stdout
}

const image = /^https:\/\/media\.pictify\.io\/img_\w+\.png\n$/
const renders = () => account.sandbox.requests.filter(({ path: asked }) => asked === '/image').length

describe('a program that renders', () => {
  test('node', async () => {
    await mkdir(path.join(folder, 'node_modules', '@pictify'), { recursive: true })
    await cp(path.join(sdks, 'node'), path.join(folder, 'node_modules', '@pictify', 'sdk'), {
      recursive: true,
    })
    await snippet('node', 'app.mjs')
    const before = renders()
    expect(await runs(process.execPath, ['app.mjs'])).toMatch(image)
    expect(renders()).toBe(before + 1)
    await expect(runs(process.execPath, ['app.mjs'], { PICTIFY_API_KEY: '' })).rejects.toThrow('is not set')
  })

  test.skipIf(!has('python3'))('python', async () => {
    await snippet('python', 'app.py')
    expect(await runs('python3', ['app.py'], { PYTHONPATH: path.join(sdks, 'python') })).toMatch(image)
  })

  test.skipIf(!has('ruby'))('ruby', async () => {
    await snippet('ruby', 'app.rb')
    expect(await runs('ruby', ['-wc', 'app.rb'])).toContain('Syntax OK')
    expect(await runs('ruby', ['-I', path.join(sdks, 'ruby'), 'app.rb'])).toMatch(image)
  })

  test.skipIf(!has('go'))(
    'go',
    async () => {
      await snippet('go', 'main.go')
      const sdk = 'github.com/pictify-io/pictify-go'
      await writeFile(
        path.join(folder, 'go.mod'),
        `module app\n\ngo 1.19\n\nrequire ${sdk} v0.0.0\n\nreplace ${sdk} => ${path.join(sdks, 'go')}\n`,
      )
      const env = { GOFLAGS: '-mod=mod', GOPROXY: 'off', GOCACHE: await goCache() }
      expect(await runs('gofmt', ['-l', '.'])).toBe('')
      await runs('go', ['vet', '.'], env)
      expect(await runs('go', ['run', '.'], env)).toMatch(image)
    },
    300_000,
  )

  test.skipIf(!has('curl'))('curl, which is not given the key where others could read it', async () => {
    await snippet('curl', 'render.sh')
    const bin = path.join(folder, 'bin')
    await mkdir(bin)
    const { stdout: real } = await run('sh', ['-c', 'command -v curl'])
    await writeFile(
      path.join(bin, 'curl'),
      `#!/bin/sh\nprintf '%s\\n' "$@" > args\nexec ${real.trim()} "$@"\n`,
    )
    await chmod(path.join(bin, 'curl'), 0o755)
    const PATH = `${bin}:${process.env['PATH']}`
    const answer = JSON.parse(await runs('sh', ['render.sh'], { PATH })) as { url: string }
    expect(`${answer.url}\n`).toMatch(image)
    const args = await readFile(path.join(folder, 'args'), 'utf8')
    expect(args).toContain('/image')
    expect(args).not.toContain(key.secret)
    await expect(runs('sh', ['render.sh'], { PICTIFY_API_KEY: '' })).rejects.toThrow('is not set')
  })

  test.skipIf(!has('shellcheck'))('curl, read by shellcheck', async () => {
    await snippet('curl', 'render.sh')
    expect(await runs('shellcheck', ['--shell', 'sh', 'render.sh'])).toBe('')
  })

  const goCache = async () => (await run('go', ['env', 'GOCACHE'])).stdout.trim()
})

describe('what hands the key over', () => {
  test('dotenv: one variable, for the secret', async () => {
    const text = await snippet('dotenv', '.env')
    expect(parseDotenv(text)).toEqual({ PICTIFY_API_KEY: '' })
    expect(parseDotenv(text.trimEnd() + key.secret)).toEqual({ PICTIFY_API_KEY: key.secret })
    expect(text).toContain(`pictify-keys rotate ${key.id} --to env:.env#PICTIFY_API_KEY`)
  })

  test('docker: a Compose file that takes it from the environment, and stops where there is none', async () => {
    const compose = parseYaml(await snippet('docker', 'compose.yaml')) as {
      services: { app: { environment: Record<string, string> } }
    }
    expect(compose.services.app.environment).toEqual({ PICTIFY_API_KEY: '${PICTIFY_API_KEY:?is not set}' })
  })

  test.skipIf(!has('kubectl'))('k8s: kubectl reads it, and finds the variable and its Secret', async () => {
    await snippet('k8s', 'deployment.yaml')
    const listed = await runs('kubectl', ['set', 'env', '--local', '-f', 'deployment.yaml', '--list'])
    expect(listed).toContain('# PICTIFY_API_KEY from secret pictify, key api-key')
  })
})

test.each(snippetKinds)('%s with --json is a document of the key and its snippet', async (kind) => {
  const ran = await account.run(['show', key.id, '--snippet', kind, '--json'])
  expect(JSON.parse(ran.stdout)).toMatchObject({
    apiKey: { id: key.id },
    snippet: { for: kind, text: expect.stringContaining('PICTIFY_API_KEY') as string },
  })
})

test('create --snippet prints it beside the secret, which stays alone on stdout', async () => {
  const ran = await account.run(['create', 'Other', '--type', 'test', '--snippet', 'python'])
  expect(ran.stdout).toMatch(/^pk_test_\w+\n$/)
  expect(ran.stderr).toContain('Pictify(api_key=os.environ["PICTIFY_API_KEY"]')
})

test('create --to --snippet prints nothing but it on stdout', async () => {
  const place = path.join(folder, '.env')
  const ran = await account.run([
    'create',
    'Third',
    '--type',
    'test',
    '--to',
    `env:${place}`,
    '--snippet',
    'node',
  ])
  expect(ran.exit).toBe(0)
  expect(ran.stdout).toMatch(/^\/\/ app\.mjs/)
  expect(ran.stdout).not.toContain('created')
  await rm(place)
})
