import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { errorOf, openAccount, type Account } from './account.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))

interface Packed {
  filename: string
  files: { path: string; mode: number }[]
}

let scratch: string
let packed: Packed
let account: Account
let installed: string

/** npm in a home of its own, without a network: the one thing that the package would fetch is optional. */
const npm = (args: string[], cwd = root) =>
  run('npm', args, {
    cwd,
    env: {
      PATH: process.env['PATH'],
      HOME: scratch,
      npm_config_cache: path.join(scratch, 'cache'),
      npm_config_offline: 'true',
      npm_config_update_notifier: 'false',
    },
  })

beforeAll(async () => {
  scratch = await mkdtemp(path.join(tmpdir(), 'pictify-keys-package-'))
  account = await openAccount({ keys: 2 })
  // the build is there already (npm test makes it); packing must not write it again under the other tests
  const { stdout } = await npm(['pack', '--json', '--ignore-scripts', '--pack-destination', scratch])
  const answer = JSON.parse(stdout) as [Packed] | Record<string, Packed>
  packed = Object.values(answer)[0] as Packed
  const prefix = path.join(scratch, 'prefix')
  await mkdir(prefix)
  await npm(['install', '--global', '--prefix', prefix, path.join(scratch, packed.filename)], scratch)
  installed = path.join(prefix, 'bin', 'pictify-keys')
}, 180_000)
afterAll(async () => {
  await account.end()
  await rm(scratch, { recursive: true, force: true })
})

const runInstalled = (args: string[], env: Record<string, string> = {}) =>
  run(installed, args, { cwd: scratch, env: { ...account.home.env, ...env } })

test('the package is bin, dist, the documents, the examples, the manual, the schemas and what npm always adds', () => {
  const folders = new Set(
    packed.files.map((file) => (file.path.includes('/') ? file.path.split('/')[0] : file.path)),
  )
  const always = ['package.json', 'README.md', 'LICENSE']
  expect([...folders].filter((name) => !always.includes(name ?? '')).sort()).toEqual([
    'bin',
    'dist',
    'docs',
    'examples',
    'man',
    'schema',
  ])
  expect(packed.files.map((file) => file.path)).toEqual(
    expect.arrayContaining([
      'bin/pictify-keys.js',
      'dist/main.js',
      'dist/core.js',
      'dist/library.js',
      'dist/library.d.ts',
      'schema/definitions.json',
      'dist/THIRD-PARTY-LICENSES.txt',
      'docs/targets.md',
      'man/pictify-keys.1',
    ]),
  )
  expect(packed.files.find((file) => file.path === 'bin/pictify-keys.js')?.mode).toBe(0o755)
  const odd = packed.files.filter(
    ({ path: file }) => /\.(ts|map|tmp|pyc)$|\.\d+$/.test(file) && !/^examples\/.*\.ts$/.test(file),
  )
  expect(odd.map(({ path: file }) => file)).toEqual(['dist/library.d.ts', 'man/pictify-keys.1'])
})

test('what README.md and the documents point to is in it', async () => {
  const files = packed.files.map((file) => file.path)
  const documents = files.filter((file) => /^(?:README|docs\/[^/]+)\.md$/.test(file))
  const pointed = await Promise.all(
    documents.map(async (file) => {
      const text = await readFile(path.join(root, file), 'utf8')
      const links = [...text.matchAll(/\]\((?!\w+:)([^)#\s]+)/g)].map(([, to = '']) =>
        path.join(path.dirname(file), to),
      )
      const examples = [...text.matchAll(/`(examples\/[^`\s]*)`/g)].map(([, to = '']) => to)
      return [...links, ...examples].map((to) => `${file}: ${to}`)
    }),
  )
  const isThere = (to: string) =>
    files.some((file) => file === to || file.startsWith(to.replace(/\/?$/, '/')))
  expect(pointed.flat().length).toBeGreaterThan(20)
  expect(pointed.flat().filter((each) => !isThere(each.split(': ')[1] ?? ''))).toEqual([])
})

test('it installs into an empty prefix, alone', async () => {
  const modules = path.join(scratch, 'prefix', 'lib', 'node_modules')
  expect(await readdir(modules)).toEqual(['pictify-keys'])
  expect(await readdir(path.join(modules, 'pictify-keys'))).not.toContain('node_modules')
})

test('its manual is where man looks, and its completion finds what is installed', async () => {
  const manual = path.join(scratch, 'prefix', 'share', 'man', 'man1', 'pictify-keys.1')
  expect(await readFile(manual, 'utf8')).toContain('.Dt PICTIFY-KEYS 1')
  const script = path.join(scratch, 'completion.bash')
  await writeFile(script, (await runInstalled(['completion', 'bash'])).stdout)
  const line = 'pictify-keys rotati'
  const asked = `source ${script}; COMP_LINE='${line}' COMP_POINT=${line.length}; _pictify_keys pictify-keys rotati; echo "$COMPREPLY"`
  const PATH = `${path.dirname(installed)}:${process.env['PATH']}`
  const { stdout } = await run('bash', ['--norc', '-c', asked], { env: { ...account.home.env, PATH } })
  expect(stdout).toBe('rotations\n')
})

test('what is installed tells its version and lists keys', async () => {
  const { version } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8')) as {
    version: string
  }
  expect((await runInstalled(['--version'])).stdout).toBe(`${version}\n`)
  const { stdout } = await runInstalled(['list', '--json'])
  expect((JSON.parse(stdout) as { apiKeys: unknown[] }).apiKeys).toHaveLength(3)
  expect((await runInstalled(['list'])).stdout).toContain('Team admin')
})

test('what is installed loads what is loaded late: the sandbox, prompts’ refusal, profiles', async () => {
  const { stdout } = await runInstalled(['create', 'App', '--type', 'test', '--json'])
  expect(JSON.parse(stdout)).toMatchObject({ apiKey: { name: 'App' } })
  const text = await runInstalled(['list', '--format', 'csv', '--name', 'App'])
  expect(text.stdout.split('\n')).toHaveLength(3)
})

test.each([['aws-sm:app/pictify', 'npm i -g @aws-sdk/client-secrets-manager@3']])(
  'without its library, %s names the line that installs it, and no key is made',
  async (target, line) => {
    const before = account.keys()
    const ran = await account.home.run(['create', 'Other', '--to', target, '--json'], { program: installed })
    expect(ran).toMatchObject({ exit: 1, stdout: '' })
    expect(errorOf(ran)).toMatchObject({ code: 'target-refused', hint: line })
    expect(account.keys()).toEqual(before)
  },
)

describe('the keychain, whose binding no bundle can have inside', () => {
  const signedOut = { PICTIFY_ADMIN_KEY: undefined }
  const login = (program: string, ...args: string[]) =>
    account.home.run(['login', '--json', ...args], {
      program,
      env: signedOut,
      input: account.sandbox.adminKey.reveal(),
    })

  test('where it could not be had the install goes on without it, and login says what to do', async () => {
    const ran = await login(installed)
    expect(ran).toMatchObject({ exit: 4, stdout: '' })
    expect(errorOf(ran)).toMatchObject({
      code: 'keychain-unavailable',
      message: expect.stringContaining('@napi-rs/keyring does not load') as string,
      hint: expect.stringContaining('--include=optional') as string,
    })
    expect(await login(installed, '--store', 'file')).toMatchObject({ exit: 0 })
  })

  // elsewhere it would ask the tester's own keychain
  test.runIf(process.platform === 'linux')(
    'where it is there it is found from what is installed',
    async () => {
      const own = path.join(root, 'node_modules', '@napi-rs')
      const folders = (await readdir(own)).filter((name) => name.startsWith('keyring'))
      const places = folders.map((name) => path.join(own, name))
      const { stdout } = await npm(['pack', '--json', '--pack-destination', scratch, ...places])
      const tarballs = Object.values(JSON.parse(stdout) as Packed[]).map(({ filename }) =>
        path.join(scratch, filename),
      )
      const prefix = path.join(scratch, 'with-keychain')
      await mkdir(prefix)
      const line = [
        'install',
        '--global',
        '--prefix',
        prefix,
        path.join(scratch, packed.filename),
        ...tarballs,
      ]
      await npm(line, scratch)
      // it loads, and there is no bus here
      const ran = await login(path.join(prefix, 'bin', 'pictify-keys'))
      expect(errorOf(ran)).toMatchObject({
        code: 'keychain-unavailable',
        message: 'the Secret Service cannot be reached here',
      })
    },
  )
})

test('every library inside is named with its licence', async () => {
  const notices = await readFile(path.join(root, 'dist', 'THIRD-PARTY-LICENSES.txt'), 'utf8')
  for (const name of ['commander', 'undici', 'chalk', 'cli-table3', '@inquirer/core', 'hono', 'valibot']) {
    expect(notices).toMatch(new RegExp(`^--- ${name} [\\d.]+ \\((MIT|ISC|BSD)`, 'm'))
  }
})
