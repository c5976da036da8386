import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parseTarget } from '../../src/targets/index.ts'
import { loadSdk } from '../../src/targets/sdk.ts'
import { failure } from './contract.ts'
import { testDeps } from './deps.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'pictify-sdk-'))
})
afterEach(() => rm(folder, { recursive: true }))

const library = '@aws-sdk/client-secrets-manager'
const missing = () => {
  const error = new Error(`Cannot find package '${library}'`)
  return Promise.reject(Object.assign(error, { code: 'ERR_MODULE_NOT_FOUND' }))
}
/** What is said of a library that is not there, to a program that was started from that path. */
const told = (program: string, load: () => Promise<unknown> = missing) =>
  failure(loadSdk(library, { name: 'aws-sm:prod/app', program }, load))

test('gives what it loaded', async () => {
  expect(await loadSdk(library, { name: 'x', program: '' }, async () => ({ answer: 42 }))).toEqual({
    answer: 42,
  })
})

test('a missing library is named with the line that installs it', async () => {
  expect(await told('/srv/pictify-keys/bin/pictify-keys.js')).toMatchObject({
    code: 'target-refused',
    message: `aws-sm:prod/app: ${library} is not installed`,
    hint: `npm i ${library}@3`,
  })
})

test('beside a global program it is installed globally, beside a project’s own in the project', async () => {
  const program = path.join(folder, 'node_modules', 'pictify-keys', 'bin', 'pictify-keys.js')
  expect((await told(program)).hint).toBe(`npm i -g ${library}@3`)
  await writeFile(path.join(folder, 'package.json'), '{}')
  expect((await told(program)).hint).toBe(`npm i ${library}@3`)
})

test('of a program that is started by a link, it is where that leads', async () => {
  const program = path.join(folder, 'lib', 'node_modules', 'pictify-keys', 'bin', 'pictify-keys.js')
  await mkdir(path.dirname(program), { recursive: true })
  await writeFile(program, '')
  await symlink(program, path.join(folder, 'pictify-keys'))
  expect((await told(path.join(folder, 'pictify-keys'))).hint).toBe(`npm i -g ${library}@3`)
})

test('a program that npx fetched gets it by the same line', async () => {
  const home = path.join(folder, '_npx', '0a1b')
  await mkdir(home, { recursive: true })
  await writeFile(path.join(home, 'package.json'), '{}')
  const program = path.join(home, 'node_modules', 'pictify-keys', 'bin', 'pictify-keys.js')
  expect((await told(program)).hint).toBe(`npx -p pictify-keys -p ${library}@3 pictify-keys …`)
})

test('one that is there and cannot be loaded is told apart', async () => {
  const error = await told('/x', () => Promise.reject(new SyntaxError('Unexpected token')))
  expect(error).toMatchObject({
    message: `aws-sm:prod/app: ${library} cannot be loaded`,
    hint: `install it anew: npm i ${library}@3`,
  })
})

describe('installed by pnpm, which keeps it in a folder of its own', () => {
  const program = (home: string) =>
    path.join(home, 'node_modules/.pnpm/pictify-keys@0.1.0/node_modules/pictify-keys/bin/pictify-keys.js')

  test.each([
    ['app', `pnpm add ${library}@3`],
    ['pnpm/global/5', `pnpm add -g ${library}@3`],
    ['pnpm/dlx-0a1b', `pnpm --package=pictify-keys --package=${library}@3 dlx pictify-keys …`],
  ])('in %s: %s', async (place, line) => {
    const home = path.join(folder, place)
    await mkdir(home, { recursive: true })
    await writeFile(path.join(home, 'package.json'), '{}')
    expect((await told(program(home))).hint).toBe(line)
  })
})

describe('where NODE_DEBUG has Node print the headers of requests', () => {
  const load = (NODE_DEBUG: string) =>
    loadSdk(library, { name: 'aws-sm:a', program: '', env: { NODE_DEBUG } }, async () => 'loaded')

  test.each(['http', 'HTTPS', 'fs,net', 'timer, http', 'ht*', '*'])(
    '%s: it is not loaded',
    async (sections) => {
      const error = await failure(load(sections))
      expect(error).toMatchObject({
        code: 'target-refused',
        hint: 'leave http, https, net (and *) out of NODE_DEBUG; --debug shows the calls',
      })
      expect(error.message).toMatch(/^aws-sm:a: NODE_DEBUG asks Node for (http|net)/)
    },
  )

  test.each(['aws-sm:app', 'gcp-sm:projects/some-project/secrets/app'])(
    '%s asks for nothing',
    async (spec) => {
      const env = { NODE_DEBUG: 'https', AWS_REGION: 'eu-west-1' }
      const error = await failure(parseTarget(spec, testDeps('/', { env })).check())
      expect(error).toMatchObject({ code: 'target-refused' })
      expect(error.message).toContain('NODE_DEBUG asks Node for https')
    },
  )

  test.each(['', 'http2', 'tls,stream,timer', 'h.tp', 'xhttp', 'http*x'])('%j: it is', async (sections) => {
    expect(await load(sections)).toBe('loaded')
  })

  test.each(['http', 'https', 'net'])('%s is what prints them, and no other section', async (section) => {
    const all = ['http', 'https', 'net', 'http2', 'tls', 'stream', 'timer', 'module', 'esm', 'worker']
    const others = all.filter((each) => !['http', 'https', 'net'].includes(each))
    expect(await printed(section)).toContain('hunter2')
    expect(await printed(others.join(','))).not.toContain('hunter2')
  })

  /** What Node says on stderr of requests with a token in its header. */
  async function printed(sections: string): Promise<string> {
    const script = `
      for (const protocol of ['http', 'https']) {
        const headers = { authorization: 'Bearer hunter2' }
        const request = require('node:' + protocol).request(protocol + '://127.0.0.1:9', { headers })
        request.on('error', () => {})
        request.end()
      }`
    const env = { PATH: process.env['PATH'], NODE_DEBUG: sections }
    return (await promisify(execFile)(process.execPath, ['-e', script], { env })).stderr
  }
})
