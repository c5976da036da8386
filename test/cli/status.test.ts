import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { formatMark } from '../../src/rotation/marked-name.ts'
import type { Check, StatusReport } from '../../src/ui/status.ts'
import { errorOf } from './account.ts'
import { openScreen } from './screen.ts'
import { leftOpen, openRotating, quick, waits, type Rotating } from './rotating.ts'

let account: Rotating
beforeEach(async () => {
  account = await openRotating()
})
afterEach(() => account.end())

const bin = new URL('../../package.json', import.meta.url)
type Options = Parameters<Rotating['run']>[1]
async function look(options?: Options, ...flags: string[]) {
  const ran = await account.run(['status', '--json', ...flags], options)
  const { status } = JSON.parse(ran.stdout) as { status: StatusReport }
  const named = (name: string): Check[] => status.checks.filter(({ check }) => check === name)
  return { ...ran, status, named }
}
const inFuture = () => Date.now() + 3_600_000
function mark(name: string, leaseUntil: number) {
  const fields = { oldId: account.old.id, rotationId: '7f3a9c', fingerprint: 'none', leaseUntil }
  return formatMark({ plain: name, ...fields, holder: leaseUntil === 0 ? '' : 'abcd' })
}

test('a line for everything that is looked at; all of it in order', async () => {
  const { stdout, exit } = await account.run(['status'])
  expect(exit).toBe(0)
  const lines = stdout.trimEnd().split('\n')
  expect(lines.pop()).toBe('everything is in order')
  expect(lines.pop()).toBe('')
  expect(lines.map((line) => /^ok {7}(\w+) {2,}\S/.exec(line)?.[1])).toEqual(
    'versions profile connection credential api clock plan keys rate state rotations journals locks others'.split(
      ' ',
    ),
  )
  expect(stdout).not.toContain(account.sandbox.adminKey.reveal())
})

test('what the program needs of Node is what its package says', async () => {
  const { engines } = JSON.parse(await readFile(bin, 'utf8')) as { engines: { node: string } }
  const { status } = await look()
  expect(engines.node).toBe(`>=${status.node.oldest}`)
  expect(status.node).toMatchObject({ version: process.versions.node, supported: true })
})

describe('rotations', () => {
  test('open here: their step, and both ways on', async () => {
    await account.run(['rotate', account.old.id, '--to', 'env:.env', ...leftOpen])
    const { status, named, exit } = await look()
    const [{ id = '' } = {}] = status.rotations
    expect(exit).toBe(0)
    expect(named('rotations')).toMatchObject([{ state: 'warning', code: 'rotation-open' }])
    expect(named('rotations')[0]?.message).toContain(
      `Production Server (${account.old.id}) is not over: overlapping`,
    )
    expect(status.elsewhere).toEqual([])
    // the commands that it gives work
    const [, command = ''] = /or undo it: pictify-keys (.*)$/.exec(named('rotations')[0]?.hint ?? '') ?? []
    expect(command).toBe(`rotate ${id} --abort`)
    expect((await account.run([...command.split(' '), ...waits])).exit).toBe(0)
    expect((await look()).status).toMatchObject({ rotations: [], problems: [] })
  })

  test('of other machines: at work, waiting, and dead', async () => {
    const create = (name: string, leaseUntil: number) =>
      account.sandbox.dashboard.create({ name: mark(name, leaseUntil), createdAt: 0 })
    const running = create('Running', inFuture())
    const waiting = create('Waiting', 0)
    const dead = create('Dead', Date.now() - 60_000)
    const { status, named, exit } = await look()
    expect(exit).toBe(0)
    const ids = Object.fromEntries(status.elsewhere.map(({ newKey, state }) => [newKey.id, state]))
    expect(ids).toEqual({ [running.id]: 'running', [waiting.id]: 'waiting', [dead.id]: 'dead' })
    const of = (id: string) => named('others').find(({ message }) => message.includes(id))
    expect(of(running.id)).toMatchObject({ state: 'ok' })
    expect(of(waiting.id)).toMatchObject({ state: 'warning', code: 'rotation-open' })
    expect(of(dead.id)).toMatchObject({ state: 'warning', code: 'orphan' })
    expect(of(dead.id)?.hint).toContain(`pictify-keys rotate ${account.old.id} --to`)
  })

  test('that left a revoked successor behind: the command deletes it', async () => {
    const { id } = account.sandbox.dashboard.create({ name: mark('Dead', 0), createdAt: 0 })
    account.sandbox.dashboard.revoke(id)
    const { status, named } = await look()
    expect(status.orphans).toMatchObject([{ id }])
    const [, command = ''] = /^pictify-keys (.*?) \(/.exec(named('orphans')[0]?.hint ?? '') ?? []
    expect((await account.run([...command.split(' '), '--yes'])).exit).toBe(0)
    expect((await look()).status).toMatchObject({ orphans: [], problems: [] })
  })
})

describe('the state directory', () => {
  const inState = (name: string) => path.join(account.home.stateDir, name)
  async function put(file: string, text: string) {
    await mkdir(path.dirname(inState(file)), { recursive: true, mode: 0o700 })
    await writeFile(inState(file), text)
  }

  test('that cannot be is wrong, and decides the exit', async () => {
    const stateDir = path.join(account.home.directory, '.env', 'state')
    const { named, exit, stderr } = await look(undefined, '--state-dir', stateDir)
    expect(exit).toBe(1)
    expect(named('state')).toMatchObject([{ state: 'wrong', code: 'state-directory' }])
    expect(errorOf({ stderr } as never).code).toBe('state-directory')
  })

  test.each(['rotations', 'locks'])('with a file in the place of its folder %s', async (name) => {
    await put(name, 'a file')
    const { named, exit, stderr } = await look()
    expect(exit).toBe(1)
    expect(named('state')).toMatchObject([{ state: 'wrong', code: 'state-directory' }])
    expect(errorOf({ stderr } as never).message).toContain(inState(name))
    // the rest was looked at all the same
    expect(named('others')).toMatchObject([{ state: 'ok' }])
  })

  test('that everyone can write in is wrong before anything lies in it, as for a rotation', async () => {
    await mkdir(account.home.stateDir)
    await chmod(account.home.stateDir, 0o777)
    const { named, exit, stderr } = await look()
    expect(exit).toBe(1)
    expect(named('state')).toMatchObject([{ state: 'wrong', code: 'state-directory' }])
    expect(errorOf({ stderr } as never).message).toContain('can be written by everyone')
    const rotated = await account.run(['rotate', account.old.id, '--to', 'env:.env', ...quick])
    expect(errorOf(rotated).code).toBe('state-directory')
    expect(await readdir(account.home.stateDir)).toEqual([])
  })

  test.each([
    [0o700, 'writable, yours alone'],
    [0o775, 'writable; its folders are yours alone'],
    [0o1777, 'writable; its folders are yours alone'],
  ])('is said to be yours alone where it is (%o)', async (mode, words) => {
    await mkdir(account.home.stateDir)
    await chmod(account.home.stateDir, mode)
    const { named, exit } = await look()
    expect(exit).toBe(0)
    expect(named('state')).toMatchObject([
      { state: 'ok', message: expect.stringMatching(`${words}$`) as string },
    ])
  })

  test('with what is no lock in the place of one', async () => {
    await put('locks/key_a.lock', 'no lock')
    const { named, exit } = await look()
    expect(exit).toBe(1)
    expect(named('locks')).toMatchObject([{ state: 'wrong', code: 'state-directory' }])
  })

  test('with a spoilt journal and one that was set aside', async () => {
    await put('rotations/key_a.7f3a9c.json', '{"version":')
    await put('rotations/key_b.7f3a9d.json.0a1b2c3d.set-aside', '{}')
    const { status, named, exit } = await look()
    expect(exit).toBe(0)
    expect(named('journals').map(({ code }) => code)).toEqual(['journal-unreadable', 'set-aside'])
    expect(status.setAside).toEqual([inState('rotations/key_b.7f3a9d.json.0a1b2c3d.set-aside')])
    expect(named('journals')[1]?.hint).toContain(`rm ${status.setAside[0]}`)
  })

  test('with the lock of a process that is gone, and of another host', async () => {
    const holder = {
      pid: 2 ** 22 + 1,
      start: 'x',
      nonce: '0123456789abcdef',
      since: '2026-01-01T00:00:00.000Z',
    }
    const { hostname } = await import('node:os')
    await put('locks/key_a.lock', JSON.stringify({ ...holder, host: hostname() }))
    await put('locks/key_b.lock', JSON.stringify({ ...holder, host: 'elsewhere' }))
    const { status, named, exit } = await look()
    expect(exit).toBe(0)
    expect(status.locks.map(({ keyId, state }) => [keyId, state])).toEqual([
      ['key_a', 'stale'],
      ['key_b', 'elsewhere'],
    ])
    expect(named('locks').map(({ code }) => code)).toEqual(['stale-lock', 'rotation-locked'])
  })

  test('with the lock of a run that is at work', async () => {
    account.sandbox.addFault('stall:POST /api-keys$')
    const running = account.home.start(['rotate', account.old.id, '--to', 'env:.env', ...quick])
    await running.until(() => account.sandbox.requests.some(({ method }) => method === 'POST'))
    const { status, named } = await look()
    running.child.kill('SIGKILL')
    await running.ended
    expect(status.locks).toMatchObject([{ keyId: account.old.id, state: 'held', pid: running.child.pid }])
    expect(named('locks')).toMatchObject([{ state: 'ok' }])
    expect((await look()).named('locks')).toMatchObject([{ state: 'warning', code: 'stale-lock' }])
  })
})

describe('the connection', () => {
  test('says which proxy is in force, without its password, and whom it trusts', async () => {
    const env = {
      HTTPS_PROXY: 'http://user:pass@127.0.0.1:9',
      NODE_TLS_REJECT_UNAUTHORIZED: '0',
      NO_PROXY: 'other',
    }
    const { status, named, stdout, exit } = await look({ env }, '--api-url', 'https://api.example')
    expect(exit).toBe(1)
    expect(status.connection).toMatchObject({ encrypted: true, verified: false, proxy: 'http://127.0.0.1:9' })
    expect(named('connection')).toMatchObject([{ state: 'warning', code: 'tls-unverified' }])
    expect(stdout).not.toContain('user:pass')
    expect(named('api')).toMatchObject([{ state: 'wrong', code: 'connection-failed' }])
    for (const check of ['clock', 'plan', 'keys', 'rate', 'others']) {
      expect(named(check)).toMatchObject([{ state: 'unknown' }])
    }
  })

  test('in clear to another machine is a warning', async () => {
    const flags = ['--api-url', 'http://192.0.2.1', '--insecure-http', '--timeout', '200ms']
    const { named, status } = await look({ env: { HTTP_PROXY: account.sandbox.url } }, ...flags)
    expect(named('connection')).toMatchObject([{ state: 'warning', code: 'insecure-url' }])
    expect(status.connection).toMatchObject({ encrypted: false, proxy: account.sandbox.url })
  })
})

test('without the API nothing is said to be in order that was not looked at', async () => {
  const ran = await account.run(['status', '--api-url', 'http://127.0.0.1:1'])
  expect(ran.exit).toBe(1)
  expect(ran.stdout).not.toContain('everything is in order')
  expect(ran.stdout).toMatch(/^wrong +api .*refused the connection\n +→ \S/m)
  expect(ran.stdout).toMatch(/1 wrong, 5 not known\n$/)
})

test('a rate limit that is used up is a warning', async () => {
  for (let count = 0; count < 299; count++) {
    await fetch(`${account.sandbox.url}/api-keys?limit=1`, {
      headers: { authorization: `Bearer ${account.sandbox.adminKey.reveal()}` },
    })
  }
  const { named, exit } = await look()
  expect(exit).toBe(0)
  expect(named('rate')).toMatchObject([{ state: 'warning', code: 'rate-limit' }])
  expect(named('rate')[0]?.message).toMatch(/^0 of 300 requests a minute left/)
})

test('at a terminal what is wrong is said once, with what to do; a log has it where errors are', async () => {
  const args = ['status', '--api-url', 'http://127.0.0.1:1']
  const screen = openScreen(account.home, args, { columns: 120, rows: 40 })
  expect((await screen.ended).exit).toBe(1)
  expect(screen.raw().match(/refused the connection/g)).toHaveLength(1)
  expect(screen.text()).toMatch(/1 wrong, 5 not known\s*$/)
  expect((await account.run(args)).stderr).toContain('refused the connection')
})
