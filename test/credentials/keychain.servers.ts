// The calls of the keychain against a real Secret Service: what each failure becomes, and that none of them lasts.
import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest'
import { createKeychain, type Keychain } from '../../src/credentials/keychain.ts'
import { Secret } from '../../src/secret.ts'
import { type KeychainFacts, openSecretService, type SecretService } from './secret-service.ts'

const facts = inject('servers')['keychain'] as KeychainFacts | undefined
const program = fileURLToPath(new URL('../../bin/pictify-keys.js', import.meta.url))
const key = new Secret('pk_live_aZ09aZ09aZ09aZ09aZ09aZ09aZ09wxyz')

describe.skipIf(!facts)('the keychain, a real Secret Service', () => {
  let service: SecretService
  let waits: number[]
  let stop: AbortController
  beforeEach(async () => {
    service = await openSecretService(facts as KeychainFacts)
    waits = []
    stop = new AbortController()
  })
  afterEach(() => service.end())

  const open = (given: { limitMs?: number; env?: Record<string, string>; mayAsk?: boolean } = {}): Keychain =>
    createKeychain({
      platform: 'linux',
      execPath: process.execPath,
      program,
      env: { PATH: process.env['PATH'], ...(given.env ?? service.env) },
      limitMs: given.limitMs ?? 20_000,
      signal: stop.signal,
      mayAsk: given.mayAsk ?? true,
      loginLine: () => 'pictify-keys login',
      onWait: (limitMs) => waits.push(limitMs),
    })

  test('keeps what the real secret-tool finds, and finds what that keeps', async () => {
    const keychain = open()
    expect(await keychain.read('acme')).toBeUndefined()
    expect((await keychain.write('acme', key))?.reveal()).toBe(key.reveal())
    expect(await service.lookup('acme')).toBe(key.reveal())
    expect(await service.lookup('default')).toBeUndefined()
    await service.store('acme', 'pk_live_of-another-program')
    expect((await keychain.read('acme'))?.reveal()).toBe('pk_live_of-another-program')
    await keychain.remove('acme')
    expect(await service.lookup('acme')).toBeUndefined()
    // what is not there is removed already
    await keychain.remove('acme')
    expect(waits).toEqual([])
  })

  test('proves that it can be written to, and leaves nothing behind', async () => {
    await open().write('acme', key)
    await open().proveWritable('acme')
    expect(await service.lookup('acme')).toBe(key.reveal())
    expect(await service.lookup('acme (write test)')).toBeUndefined()
    await service.lock()
    await expect(open().proveWritable('acme')).rejects.toMatchObject({ code: 'keychain-locked' })
  })

  test('that is locked is an error for every call, and changes nothing', async () => {
    await open().write('acme', key)
    await service.lock()
    const locked = { code: 'keychain-locked', exit: 4, hint: expect.stringContaining('unlock it') as string }
    await expect(open().read('acme')).rejects.toMatchObject(locked)
    await expect(open().write('acme', new Secret('pk_live_another'))).rejects.toMatchObject(locked)
    await expect(open().write('other', key)).rejects.toMatchObject(locked)
    await expect(open().remove('acme')).rejects.toMatchObject(locked)
    await service.unlock()
    expect(await service.lookup('acme')).toBe(key.reveal())
    expect(await service.lookup('other')).toBeUndefined()
  })

  test('that asks for its password in a window that nobody sees is waited for as long as the limit says', async () => {
    await open().write('acme', key)
    await service.lock()
    await service.hideWindow()
    const late = { code: 'keychain-timeout', hint: expect.stringContaining('in a window') as string }
    await expect(open({ limitMs: 3_000 }).read('acme')).rejects.toMatchObject(late)
    await expect(open({ limitMs: 3_000 }).write('acme', key)).rejects.toMatchObject(late)
    // it was told that something is being waited for
    expect(waits).toEqual([3_000, 3_000])
    expect(await processWith('dist/keychain.js')).toBeUndefined()
    // the window went with who had asked for it
    await service.unlock()
    expect(await service.lookup('acme')).toBe(key.reveal())
  })

  test('whose entry is there twice, or is no text, is an error and not a guess', async () => {
    await open().write('acme', key)
    await service.store('acme', 'pk_live_second', ['made-by', 'another program'])
    await expect(open().read('acme')).rejects.toMatchObject({ code: 'keychain-entry' })
    await expect(open().write('acme', key)).rejects.toMatchObject({ code: 'keychain-entry' })
    await service.storeBytes('spoilt', Buffer.from([0xff, 0xfe, 0x00]))
    await expect(open().read('spoilt')).rejects.toMatchObject({ code: 'keychain-entry' })
  })

  test('that may not ask is read where it is open; locked, it says so and puts no question in a window', async () => {
    const silent = open({ mayAsk: false })
    expect(await silent.read('acme')).toBeUndefined()
    await open().write('acme', key)
    expect((await silent.read('acme'))?.reveal()).toBe(key.reveal())
    await service.lock()
    await service.hideWindow()
    await expect(silent.read('acme')).rejects.toMatchObject({ code: 'keychain-locked' })
    expect(waits).toEqual([])
    // with leave to ask it does, and nobody sees the window
    await expect(open({ limitMs: 2_000 }).read('acme')).rejects.toMatchObject({ code: 'keychain-timeout' })
  })

  test('whose daemon hangs is not waited for', async () => {
    await open().write('acme', key)
    service.hang()
    await expect(open().read('acme')).rejects.toMatchObject({ code: 'keychain-timeout', exit: 4 })
    service.goOn()
    expect((await open().read('acme'))?.reveal()).toBe(key.reveal())
  })

  test('is asked by a process that has the secret neither in its arguments nor in its environment', async () => {
    service.hangBus()
    // its limit ends it; until then it stands still with the secret it was given
    const writing = open({ limitMs: 6_000, env: { ...service.env, PICTIFY_ADMIN_KEY: key.reveal() } }).write(
      'acme',
      key,
    )
    const settled = expect(writing).rejects.toMatchObject({
      code: 'keychain-timeout',
      message:
        'the Secret Service has not answered within 6 s; whether it did what it was asked is not known',
    })
    let child: string | undefined
    while (child === undefined) child = await processWith('dist/keychain.js')
    const seen = await everyProcess()
    expect(seen.some(({ text }) => text.includes('dist/keychain.js'))).toBe(true)
    const telling = seen.filter(({ text }) => text.includes(key.reveal().slice(8)))
    expect(telling.map(({ file }) => file)).toEqual([])
    await settled
    expect(waits).toEqual([6_000])
    expect(await processWith('dist/keychain.js')).toBeUndefined()
  })

  test('that hangs lets go when the program is interrupted, and leaves no process behind', async () => {
    service.hangBus()
    const reading = open().read('acme')
    while ((await processWith('dist/keychain.js')) === undefined);
    stop.abort(new Error('interrupted'))
    await expect(reading).rejects.toThrow('interrupted')
    while ((await processWith('dist/keychain.js')) !== undefined);
    await expect(open().read('acme')).rejects.toThrow('interrupted')
  })

  test('whose daemon or bus is gone, or that never was, cannot be reached', async () => {
    await open().write('acme', key)
    const gone = { code: 'keychain-unavailable', exit: 4 }
    await expect(open({ env: {} }).read('acme')).rejects.toMatchObject(gone)
    await expect(
      open({ env: { DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nowhere' } }).write('acme', key),
    ).rejects.toMatchObject(gone)
    service.die()
    await expect(open().read('acme')).rejects.toMatchObject(gone)
    service.bus.kill('SIGKILL')
    await expect(open().read('acme')).rejects.toMatchObject(gone)
  })
})

/** What /proc tells of each process: its arguments and its environment. */
async function everyProcess(): Promise<{ file: string; text: string }[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
  const read = async (file: string) => ({ file, text: await readFile(file, 'utf8').catch(() => '') })
  return Promise.all(pids.flatMap((pid) => [read(`/proc/${pid}/cmdline`), read(`/proc/${pid}/environ`)]))
}

/** A child of this process that was started with it. */
async function processWith(argument: string): Promise<string | undefined> {
  const { stdout } = await promisify(execFile)('ps', ['-o', 'pid=,stat=,args=', '--ppid', `${process.pid}`])
  return stdout.split('\n').find((line) => line.includes(argument) && !/^\s*\d+\s+Z/.test(line))
}
