// The library as a program finds it: packed, installed in a project of its own, and used by examples/library.
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createSandbox, type Sandbox, type SandboxKey } from '../../src/sandbox/server.ts'
import { startConsul } from './consul.ts'
import { install, type Project } from './installed.ts'

let project: Project
let sandbox: Sandbox
let env: Record<string, string>
beforeAll(async () => {
  sandbox = await createSandbox({ propagationMs: 500, seed: 21 })
  project = await install()
  env = { PICTIFY_API_URL: sandbox.url, PICTIFY_ADMIN_KEY: sandbox.adminKey.reveal() }
}, 180_000)
afterAll(async () => {
  await sandbox.close()
  await project.remove()
})

const envFile = () => path.join(project.folder, '.env')

/** A key of this name, in `.env`. */
async function keep(name: string): Promise<SandboxKey> {
  const key = sandbox.dashboard.create({ name, createdAt: Date.now() - 100 * 86_400_000 })
  await writeFile(envFile(), `PICTIFY_API_KEY=${key.secret.reveal()}\n`)
  return key
}

const status = (id: string) => sandbox.keys().find((key) => key.id === id)?.status

describe('the examples', () => {
  test('an ES module rotates a key', async () => {
    const old = await keep('Web')
    const ran = await project.node(['rotate.js', 'Web', '--rehearse'], env)
    expect(ran).toMatchObject({ exit: 0 })
    expect(ran.stdout).toMatch(new RegExp(`^${old.id} was replaced by key_\\w+\n$`))
    expect(ran.stderr.match(/^step: \w+$/gm)).toEqual([
      ...['step: plan', 'step: mint', 'step: accept', 'step: deliver', 'step: verify'],
      ...['step: overlap', 'step: retire', 'step: finish'],
    ])
    expect(status(old.id)).toBe('revoked')
    expect(await readFile(envFile(), 'utf8')).not.toContain(old.secret.reveal())
  })

  test('and ends as the command line does where there is no such key', async () => {
    const ran = await project.node(['rotate.js', 'Nobody', '--rehearse'], env)
    expect(ran).toMatchObject({ exit: 3, stdout: '' })
    expect(ran.stderr).toMatch(/^api-key-not-found: .*"Nobody"/m)
  })

  test('CommonJS lists what nobody uses', async () => {
    sandbox.dashboard.create({ name: 'Forgotten', createdAt: Date.now() - 400 * 86_400_000 })
    const ran = await project.node(['unused.cjs', '300'], env)
    expect(ran).toMatchObject({ exit: 0, stderr: '' })
    expect(ran.stdout).toMatch(/^key_\w+\tForgotten\tnever used\n$/)
  })

  describe('in TypeScript', () => {
    beforeAll(async () => {
      expect(await project.tsc([])).toMatchObject({ exit: 0, stdout: '' })
    }, 180_000)

    test('a target of one’s own is rotated beside a built-in one', async () => {
      const consul = await startConsul()
      const old = await keep('Shop')
      consul.write('shop/pictify/api-key', old.secret.reveal())
      const own = { ...env, CONSUL_HTTP_ADDR: consul.url }
      const ran = await project.node(['dist/rotate-in-consul.js', 'Shop', '--rehearse'], own)
      expect(ran).toMatchObject({
        exit: 0,
        stdout: 'consul:shop/pictify/api-key: delivered\nenv:.env: delivered\n',
      })
      const successor = sandbox.keys().find(({ name, status }) => name === 'Shop' && status === 'active')
      expect(consul.read('shop/pictify/api-key')).toBe(successor?.secret.reveal())
      expect(await readFile(envFile(), 'utf8')).toContain(successor?.secret.reveal())
      expect(status(old.id)).toBe('revoked')
      await consul.close()
    })

    test('and is put back where the other fails', async () => {
      const consul = await startConsul()
      const old = await keep('Office')
      consul.write('shop/pictify/api-key', old.secret.reveal())
      await writeFile(path.join(project.folder, 'spoil.mjs'), spoil)
      const own = { ...env, CONSUL_HTTP_ADDR: consul.url }
      const args = ['--import', './spoil.mjs', 'dist/rotate-in-consul.js', 'Office', '--rehearse']
      const ran = await project.node(args, own)
      expect(ran).toMatchObject({ exit: 6, stdout: '' })
      expect(ran.stderr).toMatch(/^rotation undone: .*\(aborted\)\n/)
      expect(consul.read('shop/pictify/api-key')).toBe(old.secret.reveal())
      expect(status(old.id)).toBe('active')
      await consul.close()
    })

    test('what is compiled to CommonJS tells of usage', async () => {
      const ran = await project.node(['dist/usage.cjs'], env)
      expect(ran).toMatchObject({ exit: 0, stderr: '' })
      expect(ran.stdout).toMatch(/^Team admin\t\d+\t\d+$/m)
    })
  })
})

/** Somebody writes into `.env` while the rotation is at work on it. */
const spoil = `
import { watch, writeFileSync } from 'node:fs'
const fetched = globalThis.fetch
globalThis.fetch = async (url, init) => {
  const answer = await fetched(url, init)
  if (init?.method === 'PUT') writeFileSync('.env', 'PICTIFY_API_KEY=somebody else was here')
  return answer
}
`

describe('the types', () => {
  const program = `
import { createClient, errorCodes, rotate, type ErrorCode, type Receipt, type RotationEvent, type Target } from 'pictify-keys'
const client = createClient({ credential: 'pk_live_x', baseUrl: 'https://api.pictify.io' })
export const receipt: Promise<Receipt> = rotate(client, 'Web', {
  targets: ['env:.env', {} as Target],
  onEvent: (event: RotationEvent) => (event.event === 'evidence' ? event.evidence.oldKeyIdle : undefined),
})
export const codes: readonly ErrorCode[] = errorCodes
// @ts-expect-error a key has no such type
void client.keys.create({ name: 'Web', type: 'staging' })
// @ts-expect-error there are no targets
void rotate(client, 'Web', {})
`
  const strict = { noEmit: true, strict: true, exactOptionalPropertyTypes: true, skipLibCheck: false }

  test.each<[string, string, object]>([
    ['NodeNext', 'program.ts', { module: 'NodeNext', types: ['node'] }],
    ['NodeNext, from CommonJS', 'program.cts', { module: 'NodeNext', types: ['node'] }],
    ['a bundler', 'program.ts', { module: 'ESNext', moduleResolution: 'bundler', types: ['node'] }],
    ['no types of Node', 'program.ts', { module: 'NodeNext', lib: ['ES2023', 'DOM'], types: [] }],
  ])('are strict and whole for %s', async (_, file, options) => {
    await writeFile(path.join(project.folder, file), program)
    const compilerOptions = { target: 'ES2023', ...strict, ...options }
    const config = JSON.stringify({ compilerOptions, files: [file] })
    await writeFile(path.join(project.folder, 'tsconfig.program.json'), config)
    expect(await project.tsc(['-p', 'tsconfig.program.json'])).toMatchObject({ exit: 0, stdout: '' })
  })

  test('every export says what it is', async () => {
    const types = path.join(project.folder, 'node_modules/pictify-keys/dist/library.d.ts')
    const text = await readFile(types, 'utf8')
    for (const name of ['createClient', 'rotate']) {
      expect(text).toMatch(new RegExp(`\\*/\\ndeclare function ${name}\\(`))
    }
    const exported = [...text.matchAll(/^export (?:type )?\{ (.*) \};$/gm)].flatMap(([, names = '']) =>
      names.split(', '),
    )
    const silent = exported.filter(
      (name) =>
        !new RegExp(
          `\\*/\\ndeclare (?:class|function|const) ${name}\\b|\\*/\\n(?:interface|type) ${name}\\b`,
        ).test(text),
    )
    expect(silent).toEqual([])
  })
})

test('what docs/library.md shows compiles', async () => {
  const text = await readFile(new URL('../../docs/library.md', import.meta.url), 'utf8')
  const programs = [...text.matchAll(/^```ts\n([^]*?)^```$/gm)].map(([, code = '']) => code)
  expect(programs.length).toBeGreaterThan(3)
  const files = programs.map((_, index) => `shown-${index}.ts`)
  for (const [index, code] of programs.entries())
    await writeFile(path.join(project.folder, `shown-${index}.ts`), code)
  const compilerOptions = {
    target: 'ES2023',
    module: 'NodeNext',
    types: ['node'],
    noEmit: true,
    strict: true,
  }
  await writeFile(
    path.join(project.folder, 'tsconfig.shown.json'),
    JSON.stringify({ compilerOptions, files }),
  )
  expect(await project.tsc(['-p', 'tsconfig.shown.json'])).toMatchObject({ exit: 0, stdout: '' })
})

test('docs/library.md names everything that is exported, and every option', async () => {
  const text = await readFile(new URL('../../docs/library.md', import.meta.url), 'utf8')
  const types = await readFile(
    path.join(project.folder, 'node_modules/pictify-keys/dist/library.d.ts'),
    'utf8',
  )
  const [, values = ''] = /^export \{ (.*) \};$/m.exec(types) ?? []
  const options = ['ClientOptions', 'RotateOptions'].flatMap((name) => {
    const [, body = ''] = new RegExp(`^interface ${name} \\{\\n([^]*?)^\\}$`, 'm').exec(types) ?? []
    return [...body.matchAll(/^ {4}(\w+)\??:/gm)].map(([, option]) => option)
  })
  expect(options.length).toBeGreaterThan(20)
  const missing = [...values.split(', '), ...options].filter((name) => !text.includes(`\`${name}`))
  expect(missing).toEqual([])
})

test('it reads nothing of the environment and the arguments, and prints nothing', async () => {
  const old = await keep('Quiet')
  await writeFile(
    path.join(project.folder, 'quiet.mjs'),
    `
import { writeFileSync } from 'node:fs'
const { PICTIFY_API_URL: baseUrl, PICTIFY_ADMIN_KEY: credential } = process.env
const read = []
const watched = (object, what) => new Proxy(object, {
  get(target, name) {
    const { stack } = new Error()
    if (/pictify-keys/.test(stack.split('\\n').slice(2, 3).join())) read.push(what + '.' + String(name))
    return target[name]
  },
})
process.env = watched(process.env, 'env')
process.argv = watched(process.argv, 'argv')
const { createClient, rotate } = await import('pictify-keys')
const client = createClient({ credential, baseUrl })
const waits = { settleMs: 1_000, idleMs: 0, usageLagMs: 0 }
await rotate(client, 'Quiet', { targets: ['env:.env'], stateDir: 'state', ...waits })
await client.close()
writeFileSync('read.json', JSON.stringify(read))
`,
  )
  expect(await project.node(['quiet.mjs'], env)).toEqual({ exit: 0, stdout: '', stderr: '' })
  const read = JSON.parse(await readFile(path.join(project.folder, 'read.json'), 'utf8')) as string[]
  // undici, which is inside, has switches of its own
  expect(read.filter((name) => !/^env\.(UNDICI_\w+|JEST_WORKER_ID)$/.test(name))).toEqual([])
  expect(status(old.id)).toBe('revoked')
})

test('where Node prints what its children get, or requests, it hands no secret to them', async () => {
  const old = await keep('Told')
  const program = `
import { createClient, rotate } from 'pictify-keys'
const client = createClient({ credential: '${env['PICTIFY_ADMIN_KEY']}', baseUrl: '${env['PICTIFY_API_URL']}' })
for (const [targets, verify] of [[['env:.env'], 'exit 0'], [['aws-sm:app'], undefined]]) {
  const options = { targets, verify, stateDir: 'state', cwd: import.meta.dirname }
  await rotate(client, '${old.id}', options).catch(({ code, message }) => console.log(code, message))
}
await client.close()
`
  await writeFile(path.join(project.folder, 'told.mjs'), program)
  const ran = await project.node(['told.mjs'], { NODE_DEBUG: 'child_process,https' })
  expect(ran.stdout.trim().split('\n')).toEqual([
    expect.stringMatching(/^usage NODE_DEBUG asks Node for child_process/),
    expect.stringMatching(/^target-refused .*NODE_DEBUG asks Node for https/),
  ])
  expect(status(old.id)).toBe('active')
})

test('it and the command line see each other’s rotations', async () => {
  await keep('Both')
  const ran = await project.node(['rotate.js', 'Both', '--rehearse'], env)
  expect(ran.exit).toBe(0)
  const bin = 'node_modules/pictify-keys/bin/pictify-keys.js'
  const { stdout } = await project.node([bin, 'rotations', '--json'], env)
  const { rotations } = JSON.parse(stdout) as { rotations: { state: string; oldKey: { name: string } }[] }
  expect(rotations[0]).toMatchObject({ state: 'done', oldKey: { name: 'Both' } })
})
