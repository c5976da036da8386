import { readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import type { Secret } from '../../src/secret.ts'
import { parseTarget } from '../../src/targets/index.ts'
import type { Target } from '../../src/targets/target.ts'
import { failure, old, successor } from './contract-fixture.ts'
import { describeOneWayTarget } from './contract-one-way.ts'
import { testDeps } from './deps.ts'
import { temporaryFolder } from './file-contract.ts'

const folder = temporaryFolder()

describe('exec, as every one-way target', () => {
  const file = () => join(folder(), 'value')
  describeOneWayTarget({
    async place() {
      return {
        spec: `exec:cat > "${file()}"`,
        put: async (value) => (value === undefined ? rm(file(), { force: true }) : writeFile(file(), value)),
        value: async () => readFile(file(), 'utf8').catch(() => undefined),
      }
    },
    env: () => ({}),
  })
})

describe('manual, as every one-way target', () => {
  let there: string | undefined
  describeOneWayTarget({
    async place() {
      return {
        spec: 'manual:the dashboard',
        put: async (value) => void (there = value),
        value: async () => there,
      }
    },
    deps: () => ({ showSecret: async (_label, secret) => void (there = secret.reveal()) }),
  })
})

type Sent = { action: string; secret: string }

/** What is asked of whoever puts the secret in its place. */
describe.each<{ kind: string; make: () => { target: Target; sent: () => Promise<Sent[]> } }>([
  {
    kind: 'exec',
    make: () => ({
      // Each call makes a file of its own: its name says what was asked for, its bytes what came.
      target: parseTarget('exec:cat > "$(ls | wc -l | tr -d " ").$PICTIFY_KEYS_ACTION"', testDeps(folder())),
      sent: async () =>
        Promise.all(
          (await readdir(folder())).sort().map(async (name) => ({
            action: name.split('.')[1] ?? '',
            secret: await readFile(join(folder(), name), 'utf8'),
          })),
        ),
    }),
  },
  {
    kind: 'manual',
    make: () => {
      const sent: Sent[] = []
      const showSecret = async (_label: string, secret: Secret, action: string) => {
        sent.push({ action, secret: secret.reveal() })
      }
      return {
        target: parseTarget('manual:the dashboard', testDeps(folder(), { showSecret })),
        sent: async () => sent,
      }
    },
  },
])('$kind', ({ make }) => {
  test('check sends nothing; again is again, whatever is expected', async () => {
    const { target, sent } = make()
    await target.check()
    expect(await sent()).toEqual([])
    await target.write(successor, undefined)
    await target.write(successor, { value: old })
    const write = { action: 'write', secret: successor.reveal() }
    expect(await sent()).toEqual([write, write])
  })

  test('restore sends the old value; what is not known cannot be sent', async () => {
    const { target, sent } = make()
    expect(await failure(target.restore(undefined, successor))).toMatchObject({
      code: 'target-failed',
      hint: 'give the old secret by --old-secret-stdin',
    })
    expect(await sent()).toEqual([])
    await target.restore({ value: old }, successor)
    expect(await sent()).toEqual([{ action: 'restore', secret: old.reveal() }])
  })
})

describe('exec', () => {
  test('the secret is in no argument and no environment of the child', async () => {
    await writeFile(
      join(folder(), 'store.js'),
      `const { readFileSync, writeFileSync } = require('node:fs')
       const of = (name) => readFileSync('/proc/' + process.pid + '/' + name, 'latin1')
       const parent = (name) => readFileSync('/proc/' + process.ppid + '/' + name, 'latin1')
       const input = readFileSync(0, 'utf8')
       writeFileSync('seen', JSON.stringify({
         input, own: of('cmdline') + of('environ'), shell: parent('cmdline') + parent('environ') }))`,
    )
    const env = {
      PATH: process.env['PATH'],
      PICTIFY_ADMIN_KEY: 'pk_live_TheAdminsOwn',
      PICTIFY_API_KEY: old.reveal(),
      URL: `https://x:${successor.reveal()}@host`,
      OTHER: 'stays',
    }
    const deps = testDeps(folder(), { env, secrets: () => [old] })
    // Two commands, so that the shell stays and can be looked at.
    await parseTarget(`exec:"${process.execPath}" store.js && true`, deps).write(successor, { value: old })
    const seen = JSON.parse(await readFile(join(folder(), 'seen'), 'utf8')) as Record<string, string>
    expect(seen['input']).toBe(successor.reveal())
    for (const place of [seen['own'], seen['shell']]) {
      expect(place).toContain('store.js')
      expect(place).toContain('OTHER=stays')
      expect(place).toContain('PICTIFY_KEYS_ACTION=write')
      expect(place).not.toMatch(/pk_live_|PICTIFY_ADMIN_KEY/)
    }
  })

  test('a failure says how it ended and what it said last, masked; all it said is in the debug log, masked', async () => {
    const debug = vi.fn<(text: string) => void>()
    const target = parseTarget(
      'exec:read -r line; echo first; echo "no: $line" >&2; exit 3',
      testDeps(folder(), { debug }),
    )
    const error = await failure(target.write(successor, undefined))
    expect(error).toMatchObject({ code: 'target-failed', hint: 'it said: no: [secret]' })
    expect(error.message).toMatch(/^exec:read .*: it ended with exit code 3$/)
    const logged = debug.mock.calls.flat().join('\n')
    expect(logged).toMatch(/first/)
    expect(logged).toMatch(/no: \[secret\]/)
    expect(logged).not.toContain(successor.reveal())
  })

  test('a child that was killed, and one that says nothing', async () => {
    const killed = await failure(
      parseTarget('exec:kill -9 $$', testDeps(folder())).write(successor, undefined),
    )
    expect(killed.message).toMatch(/: it was ended by SIGKILL$/)
    expect(killed.hint).toBe('it said nothing; run it by hand to see why')
  })

  test('a command that is not there is refused by check; one that cannot be told passes', async () => {
    const missing = await failure(parseTarget('exec:no-such-store --put', testDeps(folder())).check())
    expect(missing).toMatchObject({
      code: 'target-refused',
      message: 'exec:no-such-store --put: there is no such command',
    })
    await parseTarget('exec:A=1 no-such-store', testDeps(folder())).check()
  })

  test('a working directory that is gone', async () => {
    const deps = testDeps(join(folder(), 'gone'))
    expect(await failure(parseTarget('exec:cat', deps).write(successor, undefined))).toMatchObject({
      code: 'target-failed',
    })
    expect(await failure(parseTarget('exec:cat', deps).check())).toMatchObject({ code: 'target-refused' })
  })
})

describe('manual', () => {
  test('where nobody can be asked it is refused before anything is minted, and says what to use', async () => {
    const target = parseTarget('manual:Heroku', testDeps(folder()))
    const error = await failure(target.check())
    expect(error).toMatchObject({ code: 'needs-answer', exit: 2 })
    expect(error.hint).toMatch(/exec:<command>/)
    expect(await failure(target.write(successor, undefined))).toMatchObject({ code: 'needs-answer' })
  })

  test('the person is told the label; what they end with is passed on', async () => {
    const refusal = new Error('interrupted')
    const showSecret = vi.fn().mockRejectedValue(refusal)
    const target = parseTarget('manual: Heroku, config vars ', testDeps(folder(), { showSecret }))
    await expect(target.write(successor, undefined)).rejects.toBe(refusal)
    expect(showSecret).toHaveBeenCalledWith('Heroku, config vars', successor, 'write')
  })
})
