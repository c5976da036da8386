// The process that calls the keychain, and what is made of its answers. In the keychain's place are stand-ins for the
// process, and for the binding that it loads; a real Secret Service is in keychain.servers.ts.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createKeychain, keychainName, type KeychainOptions } from '../../src/credentials/keychain.ts'
import { Secret } from '../../src/secret.ts'

const key = new Secret('pk_live_aZ09aZ09aZ09aZ09aZ09aZ09aZ09wxyz')
const built = fileURLToPath(new URL('../../dist/', import.meta.url))

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'pictify-keychain-process-'))
  for (const name of ['bin', 'dist']) await mkdir(path.join(folder, name))
  await writeFile(path.join(folder, 'bin', 'program.js'), '')
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const standIn = (code: string) => writeFile(path.join(folder, 'dist', 'keychain.js'), code)
/** The real process, with a binding of this code beside it. */
async function realProcess(binding?: string): Promise<void> {
  for (const name of ['keychain.js', 'package.json'])
    await copyFile(path.join(built, name), path.join(folder, 'dist', name))
  if (binding === undefined) return
  const place = path.join(folder, 'node_modules', '@napi-rs', 'keyring')
  await mkdir(place, { recursive: true })
  await writeFile(path.join(place, 'index.js'), binding)
}
const open = (given: Partial<KeychainOptions> = {}) =>
  createKeychain({
    platform: 'linux',
    execPath: process.execPath,
    program: path.join(folder, 'bin', 'program.js'),
    env: { PATH: process.env['PATH'] },
    limitMs: 60_000,
    signal: new AbortController().signal,
    mayAsk: true,
    loginLine: (profile, ...flags) => ['pictify-keys login', ...flags, profile].join(' '),
    onWait: () => undefined,
    ...given,
  })

const isGone = (pid: number) => {
  try {
    process.kill(pid, 0)
    return false
  } catch {
    return true
  }
}

describe('what the process is given', () => {
  test('is the secret on stdin; its arguments and its environment know nothing of it', async () => {
    await standIn(`
      process.stdin.once('data', (text) => {
        const seen = { request: JSON.parse(text), argv: process.argv, env: process.env }
        require('node:fs').writeFileSync(__dirname + '/seen.json', JSON.stringify(seen))
        process.stdout.write(JSON.stringify({ held: seen.request.secret }) + '\\n')
      })`)
    const env = {
      PATH: process.env['PATH'],
      PICTIFY_ADMIN_KEY: key.reveal(),
      ELSEWHERE: 'pk_live_of-another-account-altogether',
      DBUS_SESSION_BUS_ADDRESS: 'unix:path=/run/bus',
      NODE_OPTIONS: '--trace-warnings',
      NODE_DEBUG: 'child_process',
    }
    expect((await open({ env }).write('acme', key))?.reveal()).toBe(key.reveal())
    const seen = JSON.parse(await readFile(path.join(folder, 'dist', 'seen.json'), 'utf8')) as {
      request: object
      argv: string[]
      env: Record<string, string>
    }
    expect(seen.request).toMatchObject({
      operation: 'write',
      service: 'pictify-keys',
      account: 'acme',
      secret: key.reveal(),
    })
    expect(seen.argv.slice(1)).toEqual([path.join(folder, 'dist', 'keychain.js')])
    expect(Object.keys(seen.env)).toEqual(expect.arrayContaining(['DBUS_SESSION_BUS_ADDRESS']))
    for (const name of ['PICTIFY_ADMIN_KEY', 'NODE_OPTIONS', 'NODE_DEBUG'])
      expect(seen.env).not.toHaveProperty(name)
  })
})

describe('a process that', () => {
  test('never answers is ended when the time is over', async () => {
    await standIn(
      `require('node:fs').writeFileSync(__dirname + '/pid', String(process.pid)); process.stdin.resume()`,
    )
    await expect(open({ limitMs: 1_500 }).read('acme')).rejects.toMatchObject({
      code: 'keychain-timeout',
      exit: 4,
      message: 'the Secret Service has not answered within 1.5 s',
    })
    const pid = Number(await readFile(path.join(folder, 'dist', 'pid'), 'utf8'))
    while (!isGone(pid)) await new Promise((resolve) => setTimeout(resolve, 10))
  })

  test.each([
    ['ends without a word', 'process.exit(3)', 'its process ended with 3'],
    ['is killed', `process.kill(process.pid, 'SIGKILL')`, 'its process ended with SIGKILL'],
    [
      'is cut short in its answer',
      `require('node:fs').writeSync(1, '{"held":'); process.exit()`,
      'ended with 0',
    ],
  ])('%s is an error, and never "there is no key"', async (_, code, why) => {
    await standIn(code)
    await expect(open().read('acme')).rejects.toMatchObject({
      code: 'credential-store',
      message: expect.stringContaining(why) as string,
    })
  })

  test('says that the entry is still there after it was removed is not believed to have removed it', async () => {
    await standIn(`process.stdin.once('data', () => process.stdout.write('{"held":"x"}\\n'))`)
    await expect(open().remove('acme')).rejects.toMatchObject({ code: 'credential-store' })
  })

  test('cannot be started is an error', async () => {
    await expect(open({ execPath: path.join(folder, 'no-node') }).read('acme')).rejects.toMatchObject({
      code: 'credential-store',
    })
  })
})

test('a binding that is not installed is said to be so, with the way to install it', async () => {
  await realProcess()
  await expect(open({ platform: 'freebsd' }).read('acme')).rejects.toMatchObject({
    code: 'keychain-unavailable',
    message: expect.stringContaining('@napi-rs/keyring does not load on freebsd') as string,
    hint: expect.stringMatching(/--include=optional.*PICTIFY_ADMIN_KEY.*--store file/) as string,
  })
})

test('what the binding throws is an error with its words', async () => {
  await realProcess(
    `exports.AsyncEntry = class { async getPassword() { throw new Error('the disk is on fire') } }`,
  )
  await expect(open().read('acme')).rejects.toMatchObject({
    code: 'credential-store',
    message: 'the Secret Service failed: the disk is on fire',
  })
})

test('on Linux the Secret Service is asked for by name, so that nothing that forgets takes its place', async () => {
  await realProcess(`
    exports.AsyncEntry = class {
      constructor(...given) { this.given = given }
      async getPassword() { return JSON.stringify(this.given) }
    }`)
  expect(JSON.parse((await open().read('acme'))?.reveal() ?? '')).toEqual([
    'pictify-keys',
    'acme',
    { linux: { store: 'secret-service' } },
  ])
})

test('that of macOS, which does not tell whether it would ask, is not asked where nobody may be', async () => {
  await standIn(`process.stdin.once('data', () => process.stdout.write('{"held":"x"}\\n'))`)
  const silent = open({ platform: 'darwin', mayAsk: false })
  await expect(silent.read('acme')).rejects.toMatchObject({ code: 'keychain-locked' })
  expect((await open({ platform: 'win32', mayAsk: false }).read('acme'))?.reveal()).toBe('x')
})

test('the keychain goes by the name that its system has for it', () => {
  expect((['darwin', 'win32', 'linux', 'freebsd'] as const).map(keychainName)).toEqual([
    'the macOS Keychain',
    'the Windows Credential Manager',
    'the Secret Service',
    'the Secret Service',
  ])
})

describe('the process by itself', () => {
  let child: ChildProcess
  afterEach(() => child.kill('SIGKILL'))

  /** It has been asked, and its binding does not answer. */
  async function asked(limitMs: number): Promise<void> {
    await realProcess(`
      exports.AsyncEntry = class {
        getPassword() { require('node:fs').writeSync(2, 'asked'); return new Promise(() => {}) }
      }`)
    child = spawn(process.execPath, [path.join(folder, 'dist', 'keychain.js')], { stdio: 'pipe' })
    const request = { operation: 'read', service: 'pictify-keys', account: 'acme', limitMs }
    child.stdin?.write(`${JSON.stringify(request)}\n`)
    await once(child.stderr as NodeJS.ReadableStream, 'data')
  }

  test('does not outlive whoever asked it', async () => {
    await asked(600_000)
    child.stdin?.destroy()
    expect(await once(child, 'exit')).toEqual([null, 'SIGKILL'])
  })

  test('ends when its time is over', async () => {
    await asked(300)
    expect(await once(child, 'exit')).toEqual([null, 'SIGKILL'])
  })

  test.runIf(process.platform !== 'win32')('leaves Ctrl-C to whoever asked it', async () => {
    await asked(600_000)
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) child.kill(signal)
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(child.exitCode ?? child.signalCode).toBeNull()
  })
})
