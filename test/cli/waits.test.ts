import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { commands } from '../../src/commands/index.ts'
import { errorOf, openAccount, untimed } from './account.ts'
import type { Ran } from './program.ts'
import { openRotating, quick, type Rotating } from './rotating.ts'

// Without a terminal: whatever is waited for has an end, and is said.

/** Waits of ten seconds and more take a hundredth of that; none is what these tests are about. */
const inHaste = `data:text/javascript,${encodeURIComponent(`
  const slow = setTimeout
  globalThis.setTimeout = (call, ms, ...rest) => slow(call, ms >= 10000 ? ms / 100 : ms, ...rest)
`)}`

let account: Rotating
beforeEach(async () => {
  account = await openRotating()
})
afterEach(() => account.end())

interface Event extends Record<string, unknown> {
  event: string
  at: string
}
function eventsOf({ stderr }: Ran): Event[] {
  const lines = stderr.trimEnd().split('\n')
  return lines.map((line) => JSON.parse(line) as Event).filter(({ event }) => event !== undefined)
}
const named = (ran: Ran, name: string) => eventsOf(ran).filter(({ event }) => event === name)

describe('every command ends by itself, asks nobody, and draws nothing', () => {
  // the sandbox runs until it is stopped, which is what it is for
  const names = commands.map(({ name }) => name).filter((name) => name !== 'sandbox')

  test.each(names.flatMap((name) => [[name, 'closed'] as const, [name, 'never ending'] as const]))(
    '%s, stdin %s',
    async (name, stdin) => {
      const options = { preload: inHaste, endlessInput: stdin === 'never ending' }
      const lines = [[name], [name, 'Production Server'], [name, 'Production Server', '--json']]
      for (const line of name === 'create' ? lines.slice(0, 2) : lines) {
        const ran = await account.run(line, options)
        expect(ran.signal).toBeNull()
        // done, refused, usage, not found, not signed in
        expect([0, 1, 2, 3, 4], `${line.join(' ')}: ${ran.stderr}`).toContain(ran.exit)
        expect(ran.stderr).not.toContain('unforeseen')
        expect(ran.stderr).not.toMatch(/\u001b|\r/)
        if (!line.includes('--json'))
          expect(ran.stderr).toMatch(/^(?:\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ {2}.*\n)*$/)
      }
    },
  )
})

describe('stdin that does not end is waited for a minute', () => {
  test.each([
    ['login', ['login', '--store', 'file']],
    ['rotate --old-secret-stdin', ['rotate', 'Production Server', '--to', 'env:.env', '--old-secret-stdin']],
  ])('by %s, and that is said', async (_, line) => {
    const env = line[0] === 'login' ? { PICTIFY_ADMIN_KEY: undefined } : {}
    const ran = await account.run([...line, '--json'], { endlessInput: true, preload: inHaste, env })
    expect(ran.exit).toBe(2)
    expect(named(ran, 'stdin-wait')).toMatchObject([{ waitEndsInMs: 59_000 }])
    expect(errorOf(ran)).toMatchObject({ code: 'needs-answer' })
    expect(errorOf(ran).message).toContain('did not end within 1m')
  })
})

describe('the API', () => {
  test('that does not answer', async () => {
    account.sandbox.addFault('stall')
    const ran = await account.run(['list', '--json', '--timeout', '300ms'])
    expect(ran.exit).toBe(1)
    expect(errorOf(ran).code).toBe('timed-out')
    expect(named(ran, 'wait')).toMatchObject([{ reason: 'failure', what: 'listing keys' }])
  })

  test('that fails again and again', async () => {
    account.sandbox.addFault('status-503')
    const ran = await account.run(['list', '--json'])
    expect(ran.exit).toBe(1)
    expect(named(ran, 'wait')).toHaveLength(3)
    for (const { ms } of named(ran, 'wait')) expect(ms).toBeLessThanOrEqual(4_000)
  })

  test('that limits the rate: as long as it says, and a minute at most', async () => {
    const takeAway = account.sandbox.addFault('status-429=1s')
    const running = account.home.start(['list'])
    await running.until(() => running.output().stderr.includes('rate limit'))
    takeAway()
    expect((await running.ended).exit).toBe(0)
    account.sandbox.addFault('status-429=2m')
    const ran = await account.run(['list', '--json'])
    expect(ran.exit).toBe(9)
    expect(errorOf(ran)).toMatchObject({ code: 'rate-limit', status: 429 })
    expect(named(ran, 'wait')).toEqual([])
  })
})

describe('a rotation', () => {
  const rotate = (...more: string[]) => ['rotate', account.old.id, '--to', 'env:.env', ...quick, ...more]

  test('whose successor is never accepted', { timeout: 60_000 }, async () => {
    account.sandbox.addFault('refuse-new')
    const ran = await account.run(rotate())
    expect(ran.exit, ran.stderr).toBe(6)
    const probes = named(ran, 'probe')
    expect(probes[0]).toMatchObject({ answer: 'refused' })
    expect(probes[0]?.['givesUpInMs']).toBeLessThanOrEqual(10_000)
    expect(probes.at(-1)).toMatchObject({ givesUpInMs: 0 })
  })

  test('whose target fails', async () => {
    const ran = await account.run(['rotate', account.old.id, '--to', 'exec:exit 1', ...quick])
    expect(ran.exit, ran.stderr).toBe(6)
    expect(named(ran, 'target-failed').map(({ attempt, attempts }) => [attempt, attempts])).toEqual([
      [1, 3],
      [2, 3],
      [3, 3],
    ])
  })

  test('whose target hangs', { timeout: 60_000 }, async () => {
    const ran = await account.run(['rotate', account.old.id, '--to', 'exec:sleep 600', ...quick], {
      preload: inHaste,
    })
    expect([6, 7], ran.stderr).toContain(ran.exit)
    expect(named(ran, 'target-failed')[0]?.['message']).toContain('did not end within 60s')
  })

  test('whose verify command hangs', async () => {
    const ran = await account.run(rotate('--verify', 'sleep 600', '--verify-timeout', '300ms'))
    expect(ran.exit, ran.stderr).toBe(6)
    expect(named(ran, 'verify')[0]).toMatchObject({ state: 'started', boundMs: 300 })
    expect(errorOf(ran).message).toContain('took longer than 300ms')
  })

  test('whose evidence does not come', async () => {
    const ran = await account.run(rotate('--overlap', '24h', '--wait', '1s'))
    expect(ran.exit, ran.stderr).toBe(5)
    expect(named(ran, 'evidence')[0]?.['waitEndsInMs']).toBeLessThanOrEqual(1_000)
  })

  test('whose successor may be in use when it is undone', async () => {
    const ran = await account.run(rotate('--verify', 'exit 1', '--idle', '1h', '--wait', '1s'))
    expect(ran.exit, ran.stderr).not.toBe(0)
    expect(named(ran, 'undo-wait')[0]?.['waitEndsInMs']).toBeLessThanOrEqual(1_000)
  })

  test('of a key that is being rotated here says by whom, elsewhere until when', async () => {
    account.sandbox.addFault('stall:POST /api-keys$')
    const running = account.home.start(rotate())
    await running.until(() => account.sandbox.requests.some(({ method }) => method === 'POST'))
    const here = await account.run(rotate())
    running.child.kill('SIGKILL')
    await running.ended
    expect(here.exit).toBe(8)
    expect(errorOf(here).message).toContain(`process ${running.child.pid}, since`)

    const other = await openRotating()
    const until = Math.ceil(Date.now() / 1_000 + 3_600).toString(36)
    const name = `Production Server (rotating ${other.old.id} #7f3a9c-none-${until}abcd)`
    other.sandbox.dashboard.create({ name, createdAt: Date.now() })
    const elsewhere = await other.run(['rotate', other.old.id, '--to', 'env:.env', ...quick])
    await other.end()
    expect(elsewhere.exit).toBe(8)
    expect(errorOf(elsewhere).message).toMatch(/until \d{4}-\d\d-\d\d \d\d:\d\d UTC at the latest/)
  })

  test('is never silent for a minute: every event has its time, and there is one at least', async () => {
    const line = rotate('--verify', 'sleep 3', '--verify-timeout', '10m')
    const ran = await account.run(line, { preload: inHaste })
    expect(ran.exit, ran.stderr).toBe(0)
    for (const { at } of eventsOf(ran)) expect(new Date(at).toISOString()).toBe(at)
    const still = named(ran, 'still-waiting')
    expect(still.length).toBeGreaterThanOrEqual(3)
    expect(still[0]?.['for']).toEqual(expect.any(String))
    expect(still[0]?.['waitEndsInMs']).toBeLessThanOrEqual(600_000)

    const words = rotate('--verify', 'sleep 3', '--verify-timeout', '10m').filter((word) => word !== '--json')
    words[1] = 'Production Server'
    const text = await account.run(words, { preload: inHaste })
    expect(untimed(text.stderr)).toMatch(/^still waiting, for \S+, \S.* more at most: \S/m)
  })
})

test('a stdout that nobody reads for a while loses nothing', async () => {
  const bin = fileURLToPath(new URL('../../bin/pictify-keys.js', import.meta.url))
  const many = await openAccount({ keys: 1_000, plan: 'enterprise' })
  try {
    for (const format of ['json', 'ndjson', 'csv']) {
      // more than a pipe holds
      const line = '"$0" "$@" | { sleep 1; cat; }'
      const child = spawn('sh', ['-c', line, process.execPath, bin, 'list', '--format', format], {
        env: many.home.env,
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      let text = ''
      for await (const chunk of child.stdout) text += String(chunk)
      expect(text.length).toBeGreaterThan(64 * 1024)
      for (const { id } of many.keys()) expect(text).toContain(id)
    }
  } finally {
    await many.end()
  }
})
