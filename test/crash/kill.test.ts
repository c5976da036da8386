import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseMark } from '../../src/rotation/marked-name.ts'
import { createSandbox, type Sandbox, type SandboxKey } from '../../src/sandbox/server.ts'
import { createHome, type Home } from '../cli/program.ts'
import { secretIn } from './files.ts'

// The real program in a real process, killed while it waits for an answer that does not come.

let sandbox: Sandbox
let home: Home
let old: SandboxKey
const line = ['rotate', 'Production Server', '--to', 'env:.env', '--settle', '200ms', '--idle', '0s'].concat([
  '--usage-lag',
  '0s',
  '--wait',
  '20s',
  '--json',
])

beforeEach(async () => {
  sandbox = await createSandbox({ propagationMs: 100, plan: 'business' })
  home = await createHome({ PICTIFY_API_URL: sandbox.url, PICTIFY_ADMIN_KEY: sandbox.adminKey.reveal() })
  old = sandbox.dashboard.create({ name: 'Production Server', createdAt: Date.now() - 86_400_000 })
  await writeFile(path.join(home.directory, '.env'), `PICTIFY_API_KEY=${old.secret.reveal()}\n`)
})
afterEach(async () => {
  await sandbox.close()
  await home.remove()
})

/** Starts the line with the API stalling at a request, waits until it is there, and ends the process. */
async function killAt(method: string, pathPrefix: string, count: number, signal: NodeJS.Signals = 'SIGKILL') {
  const already = seen(method, pathPrefix)
  sandbox.addFault(`stall:${method} ${pathPrefix}@${count}+`)
  const running = home.start(line)
  await running.until(() => seen(method, pathPrefix) >= already + count)
  running.child.kill(signal)
  const ran = await running.ended
  sandbox.clearFaults()
  return ran
}

function seen(method: string, prefix: string): number {
  return sandbox.requests.filter((request) => request.method === method && request.path.startsWith(prefix))
    .length
}

const ordinary = () => sandbox.keys().filter(({ access }) => access !== 'admin')

const held = async () => secretIn(await readFile(path.join(home.directory, '.env'), 'utf8'))

async function expectRotated(): Promise<void> {
  expect(ordinary()).toHaveLength(2)
  const active = ordinary().filter(({ status }) => status === 'active')
  expect(active).toHaveLength(1)
  expect(active[0]).toMatchObject({ name: 'Production Server', type: 'live' })
  expect(active[0]?.id).not.toBe(old.id)
  expect(await held()).toBe(active[0]?.secret.reveal())
}

describe('a rotation killed with SIGKILL', () => {
  it('right after the mint is finished by the same line, with the same secret and one new key', async () => {
    const running = home.start(line)
    await running.until(() =>
      sandbox.requests.some(({ method, status }) => method === 'POST' && status === 201),
    )
    // What is probed from here on is the successor, again and again.
    const probed = seen('GET', '/templates')
    sandbox.addFault('stall:GET /templates')
    await running.until(() => seen('GET', '/templates') > probed)
    running.child.kill('SIGKILL')
    await running.ended
    sandbox.clearFaults()
    const minted = ordinary().find(({ id }) => id !== old.id)
    expect(minted?.name).toMatch(/^Production Server \(rotating key_/)
    expect(await held()).toBe(old.secret.reveal())

    const again = await home.run(line)
    expect(again.exit, again.stderr).toBe(0)
    await expectRotated()
    expect(await held()).toBe(minted?.secret.reveal())
    expect(JSON.parse(again.stdout)).toMatchObject({
      rotation: { state: 'done', newKey: { id: minted?.id } },
    })
  })

  it('while the answer to the mint is on its way is finished by the same line, with one new key', async () => {
    sandbox.addFault('lose-answer:POST /api-keys$@1')
    await killAt('POST', '/api-keys', 2)
    const again = await home.run(line)
    expect(again.exit, again.stderr).toBe(0)
    await expectRotated()
  })
})

describe('a rotation that is interrupted', () => {
  const signals = ['SIGINT', 'SIGHUP'] as const
  it.each(signals)(
    'by %s stops at the next safe point, dies of it, and is finished by the same line',
    async (signal) => {
      // it waits here for the new key to have spread
      const running = home.start([...line, '--settle', '20s'])
      await running.until(() => seen('GET', '/templates') >= 3)
      running.child.kill(signal)
      const ran = await running.ended
      expect(ran.signal, ran.stderr).toBe(signal)
      const minted = ordinary().find(({ id }) => id !== old.id)
      expect(parseMark(minted?.name ?? '')).toMatchObject({ leaseUntil: 0 })
      expect(await held()).toBe(old.secret.reveal())

      const again = await home.run(line)
      expect(again.exit, again.stderr).toBe(0)
      expect(await held()).toBe(minted?.secret.reveal())
    },
  )
})
