import { execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { access, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createProcesses } from '../../src/processes.ts'
import { acquireLock, type Lock, type Processes } from '../../src/rotation/lock.ts'

let stateDir: string
const file = () => path.join(stateDir, 'locks', 'key_a.lock')
beforeEach(async () => {
  stateDir = await mkdtemp(path.join(tmpdir(), 'locks-'))
})
afterEach(() => rm(stateDir, { recursive: true, force: true }))

const real = (pid = process.pid) => createProcesses(pid, process.platform, (other) => process.kill(other, 0))
/** Processes of which those in the set live; each has one start. */
const fake = (pid: number, alive: Set<number>): Processes => ({
  pid,
  startOf: async (other) => (alive.has(other) ? `start ${other}` : undefined),
})

describe('the lock of a key', () => {
  it('is held by one at a time, and free when it was given back', async () => {
    const lock = await acquireLock(stateDir, 'key_a', real(), false)
    await expect(acquireLock(stateDir, 'key_a', real(), false)).rejects.toMatchObject({
      code: 'rotation-locked',
      exit: 8,
    })
    await (await acquireLock(stateDir, 'key_b', real(), false)).release()
    await lock.release()
    await (await acquireLock(stateDir, 'key_a', real(), false)).release()
    expect(await readdir(path.join(stateDir, 'locks'))).toEqual([])
  })

  it('of a live process is not taken, not even by force', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
    try {
      await acquireLock(stateDir, 'key_a', real(child.pid ?? 0), false)
      await expect(acquireLock(stateDir, 'key_a', real(), true)).rejects.toMatchObject({ exit: 8 })
    } finally {
      child.kill('SIGKILL')
      await new Promise((resolve) => child.once('exit', resolve))
    }
    // Now it is dead, and the lock with it.
    await (await acquireLock(stateDir, 'key_a', real(), false)).release()
  })

  it('of a dead process is taken, though another has its pid by now', async () => {
    await acquireLock(stateDir, 'key_a', fake(4_000, new Set([4_000])), false)
    const reused: Processes = { pid: 5_000, startOf: async (pid) => `later start of ${pid}` }
    const lock = await acquireLock(stateDir, 'key_a', reused, false)
    expect(JSON.parse(await readFile(file(), 'utf8'))).toMatchObject({ pid: 5_000 })
    await lock.release()
  })

  it('of a dead process goes to one of many that want it', async () => {
    for (let round = 0; round < 40; round++) {
      const alive = new Set([1])
      await acquireLock(stateDir, 'key_a', fake(1, alive), false)
      alive.delete(1)
      const wanted = Array.from({ length: 8 }, (_, n) => {
        alive.add(100 + n)
        return acquireLock(stateDir, 'key_a', fake(100 + n, alive), false)
      })
      const results = await Promise.allSettled(wanted)
      const locks = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
      const refused = results.flatMap((result) =>
        result.status === 'rejected' ? [result.reason as unknown] : [],
      )
      expect(locks, `round ${round}`).toHaveLength(1)
      for (const reason of refused) expect(reason).toMatchObject({ code: 'rotation-locked' })
      await (locks[0] as Lock).release()
      expect(await readdir(path.join(stateDir, 'locks'))).toEqual([])
    }
  })

  it('leaves nothing of runs that were killed on the way to it, once it is had', async () => {
    const held = await acquireLock(stateDir, 'key_a', fake(1, new Set([1])), false)
    const names = await readdir(path.join(stateDir, 'locks'))
    expect(names).toEqual(['key_a.lock'])
    await held.release()
    const host = createHash('sha256').update(hostname()).digest('hex').slice(0, 8)
    const left = [
      // never linked; a lock on an earlier lock, and one on that
      `key_a.lock.${host}-4000-0123456789abcdef.new`,
      'key_a.lock.0123456789abcdef',
      'key_a.lock.0123456789abcdef.fedcba9876543210',
    ]
    const others = [
      `key_a.lock.${host}-6000-0123456789abcdef.new`,
      'key_a.lock.00000000-4000-0123456789abcdef.new',
      `key_b.lock.${host}-4000-0123456789abcdef.new`,
      'key_a.lock.notes',
    ]
    for (const name of [...left, ...others]) await writeFile(path.join(stateDir, 'locks', name), '')
    const lock = await acquireLock(stateDir, 'key_a', fake(5_000, new Set([5_000, 6_000])), false)
    await lock.release()
    expect((await readdir(path.join(stateDir, 'locks'))).sort()).toEqual(others.sort())
  })

  it('of a process of which nothing was known is taken when there is none of that pid', async () => {
    await acquireLock(stateDir, 'key_a', fake(4_000, new Set()), false)
    await (await acquireLock(stateDir, 'key_a', fake(5_000, new Set()), false)).release()
  })

  it('that another has by now is not given back for it', async () => {
    const lock = await acquireLock(stateDir, 'key_a', fake(1, new Set([1])), false)
    const theirs = JSON.stringify({
      ...{ pid: 2, start: 'x', host: hostname(), nonce: '0'.repeat(16), since: 'then' },
    })
    await writeFile(file(), theirs)
    await lock.release()
    expect(await readFile(file(), 'utf8')).toBe(theirs)
  })

  it('that is gone is given back all the same', async () => {
    const lock = await acquireLock(stateDir, 'key_a', real(), false)
    await rm(file())
    await lock.release()
  })

  it.each([
    ['has it, to one', false],
    ['had it meanwhile, to the other', true],
  ])('of a dead process goes, where two found it dead and one %s', async (_what, isGivenBack) => {
    const alive = new Set([4_000])
    await acquireLock(stateDir, 'key_a', fake(4_000, alive), false)
    alive.clear()
    for (const pid of [100, 200]) alive.add(pid)
    let first: Lock | undefined
    const late: Processes = {
      pid: 200,
      async startOf(pid) {
        // Between the look at the dead one's lock and the second look, under the lock on it.
        if (pid === 4_000 && first === undefined) {
          first = await acquireLock(stateDir, 'key_a', fake(100, alive), false)
          if (isGivenBack) await first.release()
        }
        return fake(200, alive).startOf(pid)
      },
    }
    const second = acquireLock(stateDir, 'key_a', late, false)
    if (isGivenBack) await second
    else await expect(second).rejects.toMatchObject({ code: 'rotation-locked' })
    expect(JSON.parse(await readFile(file(), 'utf8'))).toMatchObject({ pid: isGivenBack ? 200 : 100 })
  })

  it('of a dead process is not taken from another host that is about to take it, not even by force', async () => {
    await acquireLock(stateDir, 'key_a', fake(4_000, new Set([4_000])), false)
    const { nonce } = JSON.parse(await readFile(file(), 'utf8')) as { nonce: string }
    const theirs = { pid: 1, start: 'x', host: 'another-host', nonce: '0'.repeat(16), since: 'then' }
    await writeFile(`${file()}.${nonce}`, JSON.stringify(theirs))
    await expect(acquireLock(stateDir, 'key_a', fake(5_000, new Set()), true)).rejects.toMatchObject({
      code: 'rotation-locked',
    })
    expect(JSON.parse(await readFile(file(), 'utf8'))).toMatchObject({ pid: 4_000 })
  })

  it('is given back where what was left beside it cannot be removed', async () => {
    await mkdir(path.join(stateDir, 'locks', 'key_a.lock.0123456789abcdef'), { recursive: true, mode: 0o700 })
    await expect(acquireLock(stateDir, 'key_a', real(), false)).rejects.toMatchObject({
      code: 'state-directory',
      message: expect.stringContaining('cannot keep locks in') as string,
    })
    await expect(access(file())).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('leaves alone the lock on it that another has, who takes its holder for dead', async () => {
    const alive = new Set([4_000])
    await acquireLock(stateDir, 'key_a', fake(4_000, alive), false)
    alive.clear()
    const theirs: string[] = []
    const processes: Processes = {
      pid: 5_000,
      async startOf(pid) {
        // By then the lock that is to be ours has its name, which says its nonce.
        const ready = await readdir(path.join(stateDir, 'locks'))
        const [, nonce] = /-([0-9a-f]{16})\.new$/.exec(ready.join('\n')) ?? []
        if (pid === 4_000 && nonce !== undefined && theirs.length === 0) {
          theirs.push(`key_a.lock.${nonce}`, `key_a.lock.${nonce}.0123456789abcdef`)
          for (const name of theirs) await writeFile(path.join(stateDir, 'locks', name), '')
        }
        return pid === 5_000 ? 'start' : undefined
      },
    }
    const lock = await acquireLock(stateDir, 'key_a', processes, false)
    await lock.release()
    expect(theirs).toHaveLength(2)
    expect((await readdir(path.join(stateDir, 'locks'))).sort()).toEqual(theirs)
  })

  it('is not taken on what a defect of ours says of processes', async () => {
    const startOf = () => Promise.reject(new TypeError('ours'))
    await expect(acquireLock(stateDir, 'key_a', { pid: 1, startOf }, true)).rejects.toThrow(TypeError)
  })

  it('of another host stands until it is said to be gone', async () => {
    const lock = await acquireLock(stateDir, 'key_a', real(), false)
    const held = JSON.parse(await readFile(file(), 'utf8')) as object
    await lock.release()
    await writeFile(file(), JSON.stringify({ ...held, host: 'another-host', pid: 1 }))
    await expect(acquireLock(stateDir, 'key_a', real(), false)).rejects.toMatchObject({ exit: 8 })
    await (await acquireLock(stateDir, 'key_a', real(), true)).release()
  })

  it.each([
    ['a link to a lock', (path: string) => symlink(`${path}.other`, path)],
    ['a link to nothing, which is not waited for', (path: string) => symlink('nowhere', path)],
    ['a pipe, which is not waited for', (path: string) => promisify(execFile)('mkfifo', [path])],
    ['a folder', (path: string) => mkdir(path)],
    ['far too large', (path: string) => writeFile(path, Buffer.alloc(100_000))],
  ])('that is %s is named', async (_what, make) => {
    await (await acquireLock(stateDir, 'key_a', fake(4_000, new Set([4_000])), false)).release()
    const dead = { pid: 4_000, start: 'x', host: hostname(), nonce: '0'.repeat(16), since: 'then' }
    await writeFile(`${file()}.other`, JSON.stringify(dead))
    await make(file())
    await expect(acquireLock(stateDir, 'key_a', real(), true)).rejects.toMatchObject({
      code: 'state-directory',
      message: `${file()} is not a lock of ours`,
    })
    expect(await readFile(`${file()}.other`, 'utf8')).toBe(JSON.stringify(dead))
  })

  it.each([
    'mine',
    'null',
    '{}',
    '{"pid":"../1","host":"x","nonce":"0123456789abcdef"}',
    '{"pid":4000,"host":1,"nonce":"0123456789abcdef"}',
    '{"pid":4000,"host":"x","nonce":"../../../../etc/"}',
    '{"pid":4000,"host":"x"}',
  ])('that is %s is left alone, and named', async (text) => {
    await (await acquireLock(stateDir, 'key_a', real(), false)).release()
    await writeFile(file(), text)
    await expect(acquireLock(stateDir, 'key_a', real(), true)).rejects.toMatchObject({
      code: 'state-directory',
    })
    expect(await readFile(file(), 'utf8')).toBe(text)
  })
})
