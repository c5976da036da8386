import { spawn, type ChildProcess } from 'node:child_process'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createProcesses } from '../../src/processes.ts'
import { openRotating, quick, type Rotating } from '../cli/rotating.ts'
import type { Running } from '../cli/program.ts'

// The lock of a key on one machine, between real processes.

let account: Rotating
let line: string[]
const children: ChildProcess[] = []
beforeEach(async () => {
  account = await openRotating()
  line = ['rotate', account.old.id, '--to', 'env:.env', ...quick]
})
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  await account.end()
})

const locks = () => path.join(account.home.stateDir, 'locks')
const lockFile = () => path.join(locks(), `${account.old.id}.lock`)

/** Starts the line, and waits until it has the lock and stands still: the API does not answer its mint. */
async function stallAtTheMint(): Promise<Running> {
  const takeAway = account.sandbox.addFault('stall:POST /api-keys$')
  const running = account.home.start(line)
  children.push(running.child)
  await running.until(() => account.sandbox.requests.some(({ method }) => method === 'POST'))
  takeAway()
  return running
}

async function expectRotated(): Promise<void> {
  const active = account.sandbox
    .keys()
    .filter(({ status, access }) => status === 'active' && access !== 'admin')
  expect(active.map(({ name }) => name)).toEqual(['Production Server'])
  expect(active[0]?.id).not.toBe(account.old.id)
  expect(await account.read('.env')).toContain(active[0]?.secret.reveal())
  expect(await readdir(locks())).toEqual([])
}

describe('the lock of a process', () => {
  it('that lives is never taken, and that of a dead one is', async () => {
    const running = await stallAtTheMint()
    const held = await readFile(lockFile(), 'utf8')
    expect(JSON.parse(held)).toMatchObject({ pid: running.child.pid })
    for (const more of [[], ['--take-over'], ['--resume']]) {
      const words = more.includes('--resume') ? ['rotate', '--resume', '--json'] : [...line, ...more]
      const ran = await account.run(words)
      expect(ran.exit, ran.stderr).toBe(8)
      expect(ran.stderr).toContain(`process ${running.child.pid}`)
    }
    expect(await readFile(lockFile(), 'utf8')).toBe(held)
    expect(account.keys()).toHaveLength(1)

    running.child.kill('SIGKILL')
    await running.ended
    expect(await readFile(lockFile(), 'utf8')).toBe(held)
    const again = await account.run(line)
    expect(again.exit, again.stderr).toBe(0)
    await expectRotated()
  })

  it('that is dead goes to one of several that want it', async () => {
    const running = await stallAtTheMint()
    running.child.kill('SIGKILL')
    await running.ended
    // Whoever gets it waits, for a key that is never accepted, until the others have ended.
    let others = 4
    let letGo = () => {}
    const release = new Promise<void>((resolve) => (letGo = resolve))
    account.sandbox.addFault('refuse-new')
    const patient = [...line, '--settle', '60s']
    const ran = await Promise.all(
      Array.from({ length: 5 }, async () => {
        const started = account.home.start(patient)
        children.push(started.child)
        const ended = await Promise.race([started.ended, release.then(() => undefined)])
        if (ended !== undefined && --others === 0) letGo()
        return ended
      }),
    )
    const exits = ran.flatMap((ended) => ended?.exit ?? [])
    expect(exits).toEqual([8, 8, 8, 8])
  })

  it('is not mistaken for one that has its pid by now', async () => {
    const running = await stallAtTheMint()
    running.child.kill('SIGKILL')
    await running.ended
    // After that one has ended: the system tells starts apart by hundredths of a second.
    const unrelated = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
    children.push(unrelated)
    const pid = unrelated.pid ?? 0
    const processes = createProcesses(process.pid, process.platform, (other) => process.kill(other, 0))
    const start = await processes.startOf(pid)
    const own = JSON.parse(await readFile(lockFile(), 'utf8')) as { start: string }
    const lock = { ...own, pid, host: hostname() }

    // The lock of that very process: it lives.
    await writeFile(lockFile(), JSON.stringify({ ...lock, start }))
    expect((await account.run(line)).exit).toBe(8)
    // The lock of an earlier process, whose pid it has got.
    await writeFile(lockFile(), JSON.stringify(lock))
    const ran = await account.run(line)
    expect(ran.exit, ran.stderr).toBe(0)
    await expectRotated()
  })
})
