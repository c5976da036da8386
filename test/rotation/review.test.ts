import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { KeysError } from '../../src/errors.ts'
import { createJournals } from '../../src/rotation/journal.ts'
import { parseMark } from '../../src/rotation/marked-name.ts'
import { abortRotation, rotate } from '../../src/rotation/rotate.ts'
import type { RotationOptions, RotationServices, Verify } from '../../src/rotation/run.ts'
import type { Target } from '../../src/targets/target.ts'
import { realFetch, setStage, type Stage } from './stage.ts'

let stage: Stage
beforeEach(async () => {
  stage = await setStage()
})
afterEach(() => stage.end())

const verifyOf = (run: Verify['run']): Verify => ({
  command: 'x',
  timeoutMs: 1_000,
  exists: async () => true,
  run,
})
const failing = verifyOf(async () => {
  throw new KeysError('verify-failed', 'no')
})

function call(secret: string): Promise<Response> {
  return fetch(`${stage.sandbox.url}/templates?limit=1`, { headers: { authorization: `Bearer ${secret}` } })
}
const key = (id: string | undefined) => stage.sandbox.keys().find((each) => each.id === id)
const machine = (name: string, more: Partial<RotationServices> = {}) =>
  stage.services({
    stateDir: path.join(stage.directory, name),
    journals: createJournals(path.join(stage.directory, name)),
    ...more,
  })
const ordinary = () => stage.sandbox.keys().filter(({ access }) => access !== 'admin')

/** Runs the line and dies at the n-th point (a request or a journal write, before or after) that matches. */
async function dieAt(
  options: RotationOptions,
  point: string | RegExp,
  nth = 1,
  more: Partial<RotationServices> = {},
) {
  let left = nth
  let die = () => {}
  const death = new Promise<'dead'>((resolve) => (die = () => resolve('dead')))
  const never = new Promise<never>(() => {})
  const check = async (what: string) => {
    if (typeof point === 'string' ? what === point : point.test(what)) {
      if (--left === 0) {
        die()
        await never
      }
    }
    if (left <= 0) await never
  }
  const base = stage.services(more)
  const services: RotationServices = {
    ...base,
    processes: { pid: 99_999, startOf: async () => undefined },
    api: stage.client(undefined, async (url, init) => {
      const what = `${init.method} ${new URL(url).pathname}`
      await check(`before ${what}`)
      const answer = await realFetch(url, init)
      await check(`after ${what}`)
      return answer
    }),
    journals: {
      ...base.journals,
      async save(journal) {
        await check(`before save ${journal.state}${journal.retiring ? ' retiring' : ''}`)
        await base.journals.save(journal)
        await check(`after save ${journal.state}${journal.retiring ? ' retiring' : ''}`)
      },
    },
  }
  const result = await Promise.race([death, rotate(services, stage.old.id, options)])
  expect(result, JSON.stringify(result)).toBe('dead')
}

describe('keys that applications hold', () => {
  it('R1 another server with its own .env does not take down the first one', async () => {
    // server 1 rotates; the old key is still used by server 2, so it ends with 5
    await call(stage.old.secret.reveal())
    const first = await rotate(machine('one'), stage.old.id, stage.options({ idleMs: 600_000, waitMs: 500 }))
    expect(first.error).toMatchObject({ exit: 5 })
    const held = (await stage.held()) ?? ''
    await stage.clock.sleep(5_000)
    expect((await call(held)).status).toBe(200)
    // server 2 has the old one in its own file, and runs the same line
    await mkdir(path.join(stage.directory, 'two'))
    await writeFile(path.join(stage.directory, 'two/.env'), `PICTIFY_API_KEY=${stage.old.secret.reveal()}\n`)
    const targets = [stage.target('env:two/.env')]
    await rotate(machine('two-state'), stage.old.id, stage.options({ targets, idleMs: 600_000, waitMs: 500 }))
    expect((await call((await stage.held()) ?? '')).status, 'what server 1 holds').toBe(200)
  })

  it('R1b a line with a wrong target, from another machine, takes nothing down before it is refused', async () => {
    await call(stage.old.secret.reveal())
    const first = await rotate(machine('one'), stage.old.id, stage.options({ idleMs: 600_000, waitMs: 500 }))
    expect(first.error).toMatchObject({ exit: 5 })
    const held = (await stage.held()) ?? ''
    await call(held)
    const targets = [stage.target('env:production.env')]
    const verify = { ...failing, exists: async () => false }
    const refused = await rotate(machine('two'), stage.old.id, stage.options({ targets, verify })).catch(
      (error: unknown) => ({ error }),
    )
    expect((await call(held)).status, (refused.error as Error | undefined)?.message).toBe(200)
  })

  it('R1c the same after undoing that waits: another machine does not remove what is still in use', async () => {
    let secret = ''
    const verify = verifyOf(async (value) => {
      secret = value.reveal()
      throw new KeysError('verify-failed', 'no')
    })
    const first = await rotate(
      machine('one'),
      stage.old.id,
      stage.options({ verify, idleMs: 600_000, waitMs: 500 }),
    )
    expect(first.error).toMatchObject({ exit: 5 })
    await stage.clock.sleep(3_600_000)
    expect((await call(secret)).status).toBe(200)
    await rotate(machine('two'), stage.old.id, stage.options({ idleMs: 600_000, waitMs: 500 }))
    expect((await call(secret)).status).toBe(200)
  })

  it('R2 a stray that is in use is not removed when the old key is gone already', async () => {
    const targets = () => [stage.target('exec:cat >taken')]
    const taken = () => readFile(path.join(stage.directory, 'taken'), 'utf8')
    // the application uses what it was given
    const first = await rotate(
      stage.services(),
      stage.old.id,
      stage.options({ targets: targets(), waitMs: 500 }),
    )
    expect(first.error).toMatchObject({ exit: 5 })
    await stage.clock.sleep(2_100)
    const inUse = await taken()
    expect((await call(inUse)).status).toBe(200)
    await dieAt(stage.options({ targets: targets() }), 'after save retired retiring')
    expect(key(stage.old.id)?.status).toBe('revoked')
    // another machine; the application still calls with what it loaded, and loads anew only later
    const options = stage.options({
      targets: targets(),
      takeOver: true,
      idleMs: 600_000,
      usageLagMs: 0,
      waitMs: 1_000,
    })
    let refused = 0
    const report = async () => {
      if ((await call(inUse)).status !== 200) refused++
    }
    await call(inUse)
    const again = await rotate(machine('two', { report: () => void report() }), stage.old.id, options)
    expect((await call(inUse)).status, `${again.error?.message} ${refused}`).toBe(200)
  })

  it('R3a undoing that is resumed does not remove the only key that works', async () => {
    await dieAt(stage.options({ verify: failing }), 'after save aborting')
    stage.sandbox.dashboard.revoke(stage.old.id)
    const { error } = await rotate(stage.services(), stage.old.id, stage.options({ verify: failing }))
    expect((await call((await stage.held()) ?? '')).status, error?.message).toBe(200)
  })

  it('R3b undoing does not remove the only key that works when the old one is revoked while it waits', async () => {
    let revoked = false
    const services = stage.services({
      report: (event) => {
        if (event.event !== 'undo-wait' || revoked) return
        revoked = true
        stage.sandbox.dashboard.revoke(stage.old.id)
      },
    })
    const { error } = await rotate(services, stage.old.id, stage.options({ verify: failing, idleMs: 2_000 }))
    expect(revoked).toBe(true)
    expect(stage.active(), error?.message).not.toEqual([])
  })

  it('R4 --abort does not undo what another machine is at', async () => {
    await call(stage.old.secret.reveal())
    const first = await rotate(machine('one'), stage.old.id, stage.options({ idleMs: 600_000, waitMs: 500 }))
    expect(first.error).toMatchObject({ exit: 5 })
    // machine two goes on and is in the overlap
    const inOverlap = stage.options({ idleMs: 600_000, waitMs: 400_000 })
    let at = () => {}
    const there = new Promise<void>((resolve) => (at = resolve))
    const frozen = {
      ...stage.clock,
      sleep: async (ms: number, signal?: AbortSignal) => {
        if (ms > 10_000) {
          at()
          await new Promise(() => {})
        }
        await stage.clock.sleep(ms, signal)
      },
    }
    void rotate(machine('two', { clock: frozen }), stage.old.id, inOverlap)
    await there
    const own = stage.active().find(({ id }) => id === first.receipt.newKey?.id)
    expect(parseMark(own?.name ?? '')?.leaseUntil).toBeGreaterThan(stage.clock.now())
    const aborted = await abortRotation(machine('one'), stage.old.id, stage.options()).catch(
      (error: unknown) => ({ error }),
    )
    expect(aborted.error).toMatchObject({ exit: 8 })
    expect(key(first.receipt.newKey?.id)?.status).toBe('active')
  })

  it('R5 a run that slept past its lease does not give up the lease of the one that took over', async () => {
    await call(stage.old.secret.reveal())
    let slept = false
    const services = machine('one', {
      clock: {
        ...stage.clock,
        sleep: async (ms, signal) => {
          if (!slept && ms > 10_000) {
            slept = true
            await stage.clock.sleep(3_600_000)
            await call(stage.old.secret.reveal())
            // machine two takes over and is at it
            const options = stage.options({ idleMs: 600_000, waitMs: 900_000 })
            let at = () => {}
            const there = new Promise<void>((resolve) => (at = resolve))
            const frozen = {
              ...stage.clock,
              sleep: async (wait: number) => {
                if (wait > 10_000) {
                  at()
                  await new Promise(() => {})
                }
                await stage.clock.sleep(wait)
              },
            }
            void rotate(machine('two', { clock: frozen }), stage.old.id, options)
            await there
            expect(parseMark(stage.active()[0]?.name ?? '')?.leaseUntil).toBeGreaterThan(stage.clock.now())
          }
          await stage.clock.sleep(ms, signal)
        },
      },
    })
    const { error } = await rotate(
      services,
      stage.old.id,
      stage.options({ idleMs: 600_000, waitMs: 900_000 }),
    )
    expect(slept).toBe(true)
    const lease = parseMark(stage.active().find(({ id }) => id !== stage.old.id)?.name ?? '')?.leaseUntil
    expect(lease, error?.message).toBeGreaterThan(stage.clock.now())
  })

  it('R18 a compromised rotation that is undone does not remove the successor while it is used', async () => {
    const verify = verifyOf(async (secret) => {
      await call(secret.reveal())
      throw new KeysError('verify-failed', 'no')
    })
    const options = stage.options({ verify, compromised: 'no-overlap', idleMs: 600_000, waitMs: 500 })
    const { error, receipt } = await rotate(stage.services(), stage.old.id, options)
    expect(key(receipt.newKey?.id)?.status, error?.message).toBe('active')
  })
})

describe('one-way targets', () => {
  it('R6a what an earlier machine wrote to one is not left with a key that was deleted', async () => {
    const make = (put: string) => [stage.target('env:.env#PICTIFY_API_KEY'), stage.target(`exec:${put}`)]
    const put = 'test -e broken && exit 3; cat >taken'
    const first = await rotate(
      machine('one'),
      stage.old.id,
      stage.options({ targets: make(put), waitMs: 500 }),
    )
    expect(first.error).toMatchObject({ exit: 5 })
    await writeFile(path.join(stage.directory, 'broken'), '')
    const { error } = await rotate(
      machine('two'),
      stage.old.id,
      stage.options({ targets: make(put), oldSecret: stage.old.secret }),
    )
    const taken = await readFile(path.join(stage.directory, 'taken'), 'utf8')
    expect(`${(await call(taken)).status} ${error?.exit} ${error?.message}`).toMatch(/^200 /)
  })

  it('R27 undoing what another machine delivered does not remove the variable or the file', async () => {
    const file = path.join(stage.directory, 'key.txt')
    await writeFile(stage.envFile, `PORT=80\nPICTIFY_API_KEY=${stage.old.secret.reveal()}\n`)
    await writeFile(file, stage.old.secret.reveal())
    const targets = () => [stage.target('env:.env'), stage.target('file:key.txt')]
    await call(stage.old.secret.reveal())
    const first = await rotate(
      machine('one'),
      stage.old.id,
      stage.options({ targets: targets(), idleMs: 600_000, waitMs: 500 }),
    )
    expect(first.error).toMatchObject({ exit: 5 })
    const { error } = await rotate(
      machine('two'),
      stage.old.id,
      stage.options({ targets: targets(), verify: failing }),
    )
    const text = await readFile(file, 'utf8').catch((cause: unknown) => String(cause))
    expect(`${await readFile(stage.envFile, 'utf8')}${text} ${error?.exit} ${error?.message}`).toMatch(
      /PICTIFY_API_KEY=pk_live.*\npk_live_/,
    )
  })

  it('R6b a write that may have happened is undone also when the next attempt failed cleanly', async () => {
    let place = stage.old.secret.reveal()
    let tries = 0
    const oneWay: Target = {
      name: 'exec:x',
      place: 'x',
      readback: 'none',
      check: async () => {},
      read: async () => {
        throw new KeysError('target-failed', 'one way')
      },
      write: async (secret) => {
        if (++tries > 1) throw new KeysError('target-failed', 'it ended with exit code 3')
        place = secret.reveal()
        throw new KeysError('target-unclear', 'it did not end within 60s')
      },
      restore: async (held) => void (place = held?.value.reveal() ?? ''),
    }
    const targets = [stage.target('env:.env#PICTIFY_API_KEY'), oneWay]
    const { error } = await rotate(stage.services(), stage.old.id, stage.options({ targets }))
    expect((await call(place)).status, `${error?.exit} ${error?.message}`).toBe(200)
  })

  it('R7 a command that says no, as the only target, ends with 6 and leaves no key', async () => {
    const targets = [stage.target('exec:cat >/dev/null; exit 3')]
    const { error } = await rotate(stage.services(), stage.old.id, stage.options({ targets }))
    expect(ordinary()).toHaveLength(1)
    expect(error, error?.message).toMatchObject({ exit: 6 })
  })

  it('R14 probes of another machine are not the use of an application', async () => {
    const targets = () => [stage.target('env:.env#PICTIFY_API_KEY'), stage.target('exec:cat >taken')]
    const options = () => stage.options({ targets: targets(), waitMs: 500 })
    const one = await rotate(machine('one'), stage.old.id, options())
    expect(one.error).toMatchObject({ exit: 5 })
    await stage.clock.sleep(5_000)
    const two = await rotate(machine('two'), stage.old.id, options())
    expect(two.error, two.error?.message).toMatchObject({ exit: 5 })
    const again = await rotate(machine('one'), stage.old.id, options())
    expect(again.error, JSON.stringify(again.receipt.evidence)).toMatchObject({ exit: 5 })
    expect(key(stage.old.id)?.status).toBe('active')
  })

  it('R25 a command is another place from another folder', async () => {
    const { parseTarget } = await import('../../src/targets/index.ts')
    const deps = { env: {}, showSecret: undefined, debug: () => {}, secrets: () => [] }
    const at = (cwd: string) => parseTarget('exec:./put.sh', { ...deps, cwd }).place
    expect(at('/srv/a')).not.toBe(at('/srv/b'))
  })
})

describe('going on', () => {
  it('R8 a machine whose rotation another one ended is not stuck, and is not told to create a key', async () => {
    await dieAt(stage.options(), 'after save minted', 1, {
      stateDir: path.join(stage.directory, 'one'),
      journals: createJournals(path.join(stage.directory, 'one')),
    })
    const two = await rotate(machine('two'), stage.old.id, stage.options({ takeOver: true }))
    expect(two.error).toBeUndefined()
    const again = await rotate(machine('one'), 'Production Server', stage.options())
    expect(again.error?.exit, `${again.error?.message} / ${again.error?.hint}`).not.toBe(7)
  })

  it('R8b is the same again and again, also with --abort and --take-over', async () => {
    await dieAt(stage.options(), 'after save minted', 1, {
      stateDir: path.join(stage.directory, 'one'),
      journals: createJournals(path.join(stage.directory, 'one')),
    })
    await rotate(machine('two'), stage.old.id, stage.options({ takeOver: true }))
    await rotate(machine('one'), 'Production Server', stage.options())
    const aborted = await abortRotation(machine('one'), 'Production Server', stage.options()).catch(
      (error: unknown) => ({ error }),
    )
    // It was closed when its line was run: there is nothing left to abort.
    expect(aborted.error).toMatchObject({ code: 'rotation-not-found' })
  })

  it('R9a killed right after the secret is in escrow, with a list that lags: the secret is not thrown away', async () => {
    stage.sandbox.addFault('lag-list=30s')
    await dieAt(stage.options(), 'after save planned', 2)
    const { error } = await rotate(stage.services(), stage.old.id, stage.options())
    await stage.clock.sleep(60_000)
    const left = ordinary().filter(({ name }) => name.includes('(rotating'))
    expect(left, `${error?.exit} ${error?.message}`).toEqual([])
  })

  it('R9b an answer that names no key, with a list that lags, leaves no orphan', async () => {
    stage.sandbox.addFault('mystery-shape')
    stage.sandbox.addFault('lag-list=30s')
    const { error } = await rotate(stage.services(), stage.old.id, stage.options())
    await stage.clock.sleep(60_000)
    const left = ordinary().filter(({ name }) => name.includes('(rotating'))
    expect(left, `${error?.exit} ${error?.message}`).toEqual([])
  })

  it('R9c a lost answer, then 429 to the end, with a list that lags, leaves no orphan', async () => {
    stage.sandbox.addFault('lose-answer:POST /api-keys$@1')
    stage.sandbox.addFault('status-429:POST /api-keys$@2+')
    stage.sandbox.addFault('lag-list=120s')
    const { error, receipt } = await rotate(stage.services(), stage.old.id, stage.options())
    await stage.clock.sleep(300_000)
    const left = ordinary().filter(({ name }) => name.includes('(rotating'))
    expect(receipt.state === 'aborted' && left.length > 0, `${error?.exit} ${error?.message}`).toBe(false)
  })

  it('R9d the same without a lag: a repeated 401 after a lost answer', async () => {
    stage.sandbox.addFault('lose-answer:POST /api-keys$@1')
    stage.sandbox.addFault('refuse:POST /api-keys$@2+')
    const { error, receipt } = await rotate(stage.services(), stage.old.id, stage.options())
    const left = ordinary().filter(({ name }) => name.includes('(rotating'))
    expect(receipt.state === 'aborted' && left.length > 0, `${error?.exit} ${error?.message}`).toBe(false)
  })

  it('R11a the same place by another spelling is gone on with', async () => {
    await dieAt(stage.options(), 'after save minted')
    const targets = [stage.target('env:./.env')]
    const { error } = await rotate(stage.services(), stage.old.id, stage.options({ targets }))
    expect(error, error?.message).toBeUndefined()
  })

  it('R11b the same place by another spelling is undone', async () => {
    await dieAt(stage.options(), 'after save delivered')
    const targets = [stage.target('env:./.env')]
    const { error } = await rotate(
      stage.services(),
      stage.old.id,
      stage.options({ targets, verify: failing }),
    )
    expect(error, error?.message).toMatchObject({ exit: 6 })
  })

  it('R12 a revoke that did not happen needs its evidence again', async () => {
    await dieAt(stage.options(), /^after save overlapping retiring/)
    expect(key(stage.old.id)?.status).toBe('active')
    // a week later somebody is back on the old key
    await stage.clock.sleep(7 * 86_400_000)
    await call(stage.old.secret.reveal())
    const { error } = await rotate(
      stage.services(),
      stage.old.id,
      stage.options({ idleMs: 600_000, waitMs: 500 }),
    )
    expect(key(stage.old.id)?.status, error?.message).toBe('active')
  })

  it('R24 a target that no longer holds the successor is not a success when the old key was revoked meanwhile', async () => {
    await call(stage.old.secret.reveal())
    const first = await rotate(
      stage.services(),
      stage.old.id,
      stage.options({ idleMs: 600_000, waitMs: 500 }),
    )
    expect(first.error).toMatchObject({ exit: 5 })
    await writeFile(stage.envFile, stage.envBefore)
    stage.sandbox.dashboard.revoke(stage.old.id)
    const again = await rotate(stage.services(), stage.old.id, stage.options())
    expect(
      again.error,
      `${again.receipt.state}: the target holds ${(await call((await stage.held()) ?? '')).status}`,
    ).toBeDefined()
  })
})

describe('interruption', () => {
  it('R16 undoing that fails after the second Ctrl-C says so', async () => {
    const stop = new AbortController()
    const undo = new AbortController()
    const target = stage.target('env:.env#PICTIFY_API_KEY')
    const targets: Target[] = [
      {
        ...target,
        restore: async () => {
          throw new KeysError('target-failed', 'env: the disk is full')
        },
      },
    ]
    const verify = verifyOf(async (_secret, signal) => {
      stop.abort()
      undo.abort()
      signal.throwIfAborted()
    })
    const { receipt, error } = await rotate(
      stage.services({ stop: stop.signal, undo: undo.signal }),
      stage.old.id,
      stage.options({ targets, verify }),
    )
    expect(receipt.state).toBe('aborting')
    expect(`${error?.message} / ${error?.hint}`).toContain('the disk is full')
  })

  it('R16b after it is undone, nobody is told that both keys are there', async () => {
    const stop = new AbortController()
    const undo = new AbortController()
    const verify = verifyOf(async (_secret, signal) => {
      stop.abort()
      undo.abort()
      signal.throwIfAborted()
    })
    const { receipt, error } = await rotate(
      stage.services({ stop: stop.signal, undo: undo.signal }),
      stage.old.id,
      stage.options({ verify }),
    )
    expect(receipt.state).toBe('aborted')
    expect(error?.hint).not.toContain('both keys')
  })

  it('R16c interrupted once the old key is revoked, nobody is told that both keys are as they were', async () => {
    const stop = new AbortController()
    const services = stage.services({
      stop: stop.signal,
      report: (event) => {
        if (event.event !== 'step' || event.step !== 'finish') return
        stop.abort()
        stage.sandbox.addFault('status-503:GET /templates')
      },
    })
    const { receipt, error } = await rotate(services, stage.old.id, stage.options())
    expect(receipt.state, error?.message).toBe('retired')
    expect(error?.hint).not.toContain('both keys')
  })

  it('R20 a Ctrl-C while another machine’s secret is being proved does not wait for the whole lag', async () => {
    await call(stage.old.secret.reveal())
    const first = await rotate(machine('one'), stage.old.id, stage.options({ idleMs: 600_000, waitMs: 500 }))
    expect(first.error).toMatchObject({ exit: 5 })
    const other = stage.sandbox.dashboard.create({
      name: 'x',
      type: 'live',
      access: 'full',
      createdAt: Date.now() - 1e9,
    })
    await writeFile(stage.envFile, `PICTIFY_API_KEY=${other.secret.reveal()}\n`)
    // Without an audit log the secret's owner is found by the key's last use, which shows late.
    stage.sandbox.addFault('html:GET /audit-logs')
    const stop = new AbortController()
    let stoppedAt = 0
    const services = machine('two', {
      stop: stop.signal,
      clock: {
        ...stage.clock,
        sleep: async (ms, signal) => {
          if (!stop.signal.aborted) {
            stoppedAt = stage.clock.now()
            stop.abort()
          }
          await stage.clock.sleep(ms, signal)
        },
      },
    })
    await rotate(services, stage.old.id, stage.options({ usageLagMs: 300_000 })).catch(() => undefined)
    expect(stage.clock.now() - stoppedAt).toBeLessThan(60_000)
  }, 60_000)
})

describe('--self and --compromised', () => {
  const admin = () => stage.sandbox.keys().find(({ access }) => access === 'admin')
  it('R15a undoing --self asks with the credential, whatever the first target held', async () => {
    await writeFile(path.join(stage.directory, 'admin.env'), `ADMIN=${stage.sandbox.adminKey.reveal()}\n`)
    const targets = [stage.target('env:.env#PICTIFY_API_KEY'), stage.target('env:admin.env#ADMIN')]
    const options = stage.options({ self: true, targets, verify: failing })
    const { error } = await rotate(stage.services(), admin()?.id ?? '', options)
    expect(error, `${error?.message}`).toMatchObject({ exit: 6 })
  })

  it('R15b --self with a one-way target knows the old secret: it is the credential', async () => {
    const targets = [stage.target('exec:cat >taken')]
    const options = stage.options({ self: true, targets, verify: failing })
    const { error } = await rotate(stage.services(), admin()?.id ?? '', options)
    expect(error, error?.message).toMatchObject({ exit: 6 })
  })

  it('R15c --self that is undone right after it became the successor is undone at once', async () => {
    await writeFile(path.join(stage.directory, 'admin.env'), '')
    const stop = new AbortController()
    const undo = new AbortController()
    const targets = [stage.target('env:admin.env#ADMIN')]
    const services = stage.services({
      stop: stop.signal,
      undo: undo.signal,
      report: (event) => {
        if (event.event === 'state' && event.state === 'accepted') {
          stop.abort()
          undo.abort()
        }
      },
    })
    const { receipt } = await rotate(services, admin()?.id ?? '', stage.options({ self: true, targets }))
    expect(receipt.state).toBe('aborted')
  })

  it('R17 --abort after --revoke-first has revoked does not say that all is as it was', async () => {
    const options = stage.options({ compromised: 'revoke-first' })
    await dieAt(options, /^before POST \/api-keys$/)
    expect(key(stage.old.id)?.status).toBe('revoked')
    const outcome = await abortRotation(stage.services(), stage.old.id, options).catch((error: unknown) => ({
      error,
      receipt: undefined,
    }))
    expect(outcome.error, JSON.stringify(outcome.receipt?.state)).toBeDefined()
  })

  it('R19 another admin key of which the program was just used is not taken for the credential', async () => {
    const other = stage.sandbox.dashboard.create({
      name: 'ops',
      type: 'live',
      access: 'admin',
      createdAt: Date.now() - 1e9,
    })
    for await (const _ of stage.client(other.secret).keys.list()) break
    await writeFile(stage.envFile, `PICTIFY_API_KEY=${other.secret.reveal()}\n`)
    const outcome = await rotate(stage.services(), other.id, stage.options()).catch((error: unknown) => ({
      error,
    }))
    expect(outcome.error, (outcome.error as Error | undefined)?.message).toBeUndefined()
  })

  it('R2b --revoke-first asked of a rotation that is open revokes first', async () => {
    await dieAt(stage.options(), 'after save minted')
    const seen: (string | undefined)[] = []
    const services = stage.services({
      report: (event) => {
        if (event.event === 'step' && event.step === 'deliver') seen.push(key(stage.old.id)?.status)
      },
    })
    await rotate(services, stage.old.id, stage.options({ compromised: 'revoke-first' }))
    expect(seen).toEqual(['revoked'])
  })
})

describe('the lease', () => {
  it('R22 lasts until the run has ended by itself, undoing included', async () => {
    let late = 0
    const busy = () => call(stage.old.secret.reveal())
    await busy()
    const began = stage.clock.now()
    let successor = ''
    const services = stage.services({
      clock: {
        ...stage.clock,
        sleep: async (ms, signal) => {
          if (stage.clock.now() - began < 800_000) await busy()
          successor =
            stage
              .active()
              .find(({ id }) => id !== stage.old.id)
              ?.secret.reveal() ?? ''
          if (successor !== '') await call(successor)
          await stage.clock.sleep(ms, signal)
        },
      },
      report: (event) => {
        if (event.event === 'evidence' && event.missing.length === 0) {
          // the target is changed behind our back right before retire
          const target = options.targets[0] as { read: Target['read'] }
          target.read = async () => undefined
        }
        if (event.event !== 'undo-wait') return
        successor =
          stage.sandbox
            .keys()
            .find(({ id }) => id === event.newKey)
            ?.secret.reveal() ?? ''
        const lease = parseMark(key(event.newKey)?.name ?? '')?.leaseUntil ?? 0
        if (stage.clock.now() > lease) late++
      },
    })
    const options = stage.options({ waitMs: 900_000, idleMs: 10_000 })
    const { error } = await rotate(services, stage.old.id, options)
    expect(`${late} ${error?.exit} ${error?.message}`).toMatch(/^0 [65]/)
  })
})

describe('secrets', () => {
  it('R23 a secret in the verify command is not in the receipt or the journal', async () => {
    const verify = {
      ...verifyOf(async () => {}),
      command: `curl -H 'Authorization: Bearer ${stage.old.secret.reveal()}' x`,
    }
    await expect(rotate(stage.services(), stage.old.id, stage.options({ verify }))).rejects.toMatchObject({
      code: 'invalid-secret',
    })
    expect(ordinary()).toHaveLength(1)
  })
})

describe('the program', () => {
  const quick = ['--settle', '200ms', '--idle', '0s', '--usage-lag', '0s', '--wait', '20s', '--json']
  async function open() {
    const { openAccount } = await import('../cli/account.ts')
    const account = await openAccount()
    const old = account.sandbox.dashboard.create({
      name: 'Production Server',
      createdAt: Date.now() - 86_400_000,
    })
    await writeFile(path.join(account.home.directory, '.env'), `PICTIFY_API_KEY=${old.secret.reveal()}\n`)
    return { account, old }
  }

  it('R10a --resume keeps the overlap that was asked for', async () => {
    const { account, old } = await open()
    const first = await account.run([
      'rotate',
      old.id,
      '--to',
      'env:.env',
      ...quick,
      '--overlap',
      '24h',
      '--wait',
      '0s',
    ])
    expect(first.exit, first.stderr).toBe(5)
    const again = await account.run(['rotate', '--resume', ...quick, '--wait', '3s'])
    const status = account.keys().find(({ id }) => id === old.id)?.status
    await account.end()
    expect(`${again.exit} ${status}`).toBe('5 active')
  }, 30_000)

  it('R10c --resume from another folder runs the verify command where it was named', async () => {
    const { account, old } = await open()
    await writeFile(path.join(account.home.directory, 'smoke.sh'), '#!/bin/sh\nexit 0\n', { mode: 0o755 })
    account.sandbox.addFault('stall:GET /templates@2+')
    const running = account.home.start([
      'rotate',
      old.id,
      '--to',
      'env:.env',
      '--verify',
      './smoke.sh',
      ...quick,
    ])
    while (!running.output().stderr.includes('"accept"'))
      await new Promise((resolve) => setTimeout(resolve, 5))
    running.child.kill('SIGKILL')
    await running.ended
    account.sandbox.clearFaults()
    const elsewhere = path.join(account.home.directory, 'elsewhere')
    await mkdir(elsewhere)
    const again = await account.run(['rotate', '--resume', ...quick], { cwd: elsewhere })
    await account.end()
    expect(again.exit, again.stderr.split('\n').slice(-3).join('\n')).toBe(0)
  }, 30_000)

  it('R13 --self --compromised ends with 0 and prints its receipt', async () => {
    const { account } = await open()
    await writeFile(
      path.join(account.home.directory, 'admin.env'),
      `ADMIN=${account.sandbox.adminKey.reveal()}\n`,
    )
    const id = account.sandbox.keys().find(({ access }) => access === 'admin')?.id ?? ''
    const ran = await account.run([
      'rotate',
      id,
      '--self',
      '--compromised',
      '--to',
      'env:admin.env#ADMIN',
      ...quick,
    ])
    await account.end()
    expect(`${ran.exit} ${ran.stdout.slice(0, 18)}`, ran.stderr.split('\n').slice(-3).join('\n')).toBe(
      '0 {"rotation":{"id":',
    )
  }, 30_000)

  it('R13b --compromised prints its receipt when the audit log cannot be read', async () => {
    const { account, old } = await open()
    account.sandbox.addFault('status-500:GET /audit-logs')
    const ran = await account.run(['rotate', old.id, '--compromised', '--to', 'env:.env', ...quick])
    await account.end()
    expect(`${ran.exit} ${ran.stdout.slice(0, 20)}`, ran.stderr.split('\n').slice(-3).join('\n')).toContain(
      '{"rotation":{"id":"',
    )
  }, 30_000)

  it('R21 a state directory whose locks cannot be written is told in words', async () => {
    const { account, old } = await open()
    await mkdir(account.home.stateDir, { recursive: true })
    const { execFileSync } = await import('node:child_process')
    const locks = path.join(account.home.stateDir, 'locks')
    await mkdir(locks)
    let mounted = true
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4k', 'tmpfs', locks], { stdio: 'ignore' })
      await writeFile(path.join(locks, 'fill'), Buffer.alloc(4096)).catch(() => undefined)
    } catch {
      mounted = false
      execFileSync('chattr', ['+i', locks])
    }
    const ran = await account.run(['rotate', old.id, '--to', 'env:.env', ...quick])
    execFileSync(mounted ? 'umount' : 'chattr', mounted ? [locks] : ['-i', locks])
    await account.end()
    expect(ran.stderr).not.toContain('"internal"')
  }, 30_000)

  it('R23b the old secret is not in the environment of a command that is a target', async () => {
    const { account, old } = await open()
    await account.run(
      [
        'rotate',
        old.id,
        '--to',
        'env:.env',
        '--to',
        'exec:cat >/dev/null; env >seen',
        ...quick,
        '--no-evidence',
      ],
      {
        env: { OLD_COPY: old.secret.reveal() },
      },
    )
    const seen = await readFile(path.join(account.home.directory, 'seen'), 'utf8')
    await account.end()
    expect(seen.includes(old.secret.reveal())).toBe(false)
  }, 30_000)

  it('R26 --if-older-than with a name that two keys have', async () => {
    const { account, old } = await open()
    const other = account.sandbox.dashboard.create({
      name: 'Production Server',
      createdAt: Date.now() - 86_400_000,
    })
    const first = await account.run([
      'rotate',
      old.id,
      '--to',
      'env:.env',
      ...quick,
      '--overlap',
      '24h',
      '--wait',
      '0s',
    ])
    expect(first.exit, first.stderr).toBe(5)
    const again = await account.run([
      'rotate',
      'Production Server',
      '--to',
      'env:.env',
      ...quick,
      '--wait',
      '0s',
    ])
    await account.end()
    expect(`${again.exit} ${other.id}`).toContain('2 ')
  }, 30_000)
})

describe('clocks and answers', () => {
  it('R28 the propagation bound holds when the Date header is ahead of createdAt', async () => {
    const ahead = stage.client(undefined, async (url, init) => {
      const answer = await realFetch(url, init)
      const headers = new Headers(answer.headers as Headers)
      headers.set('date', new Date(stage.clock.now() + 600_000).toUTCString())
      return new Response(await answer.text(), { status: answer.status, headers })
    })
    let mintedAt = 0
    let acceptedAt = 0
    const services = stage.services({
      api: ahead,
      report: (event) => {
        if (event.event !== 'state') return
        if (event.state === 'minted') mintedAt = stage.clock.now()
        if (event.state === 'accepted') acceptedAt = stage.clock.now()
      },
    })
    await rotate(services, stage.old.id, stage.options({ settleMs: 30_000, waitMs: 500 }))
    expect(mintedAt).toBeGreaterThan(0)
    expect(acceptedAt - mintedAt).toBeGreaterThanOrEqual(29_000)
  })

  it('R29 an old key that is still active after its revoke is revoked by the same line', async () => {
    const deaf = stage.client(undefined, async (url, init) => {
      if (!url.endsWith(`${stage.old.id}/revoke`)) return realFetch(url, init)
      return realFetch(url.replace('/revoke', ''), { ...init, method: 'GET' })
    })
    const first = await rotate(stage.services({ api: deaf }), stage.old.id, stage.options())
    expect(first.error).toMatchObject({ exit: 7 })
    const again = await rotate(stage.services(), stage.old.id, stage.options())
    expect(key(stage.old.id)?.status, again.error?.message).toBe('revoked')
  })

  it('R30 a clock that jumps between answers never lets a used key go', async () => {
    await call(stage.old.secret.reveal())
    stage.sandbox.addFault('clock+10m@50%')
    const options = stage.options({ idleMs: 60_000, usageLagMs: 60_000, waitMs: 30_000 })
    const { error } = await rotate(stage.services(), stage.old.id, options)
    expect(key(stage.old.id)?.status, error?.message).toBe('active')
  })

  it('R31 one refused list right before the revoke does not undo a rotation that has waited for its evidence', async () => {
    const services = stage.services({
      report: (event) => {
        if (event.event === 'step' && event.step === 'retire')
          stage.sandbox.addFault('status-429=90s:GET /api-keys$@1')
      },
    })
    const { receipt, error } = await rotate(services, stage.old.id, stage.options())
    expect(receipt.state, error?.message).not.toBe('aborted')
  })

  it('R32 --self asked of another admin key does not overwrite the credential', async () => {
    const other = stage.sandbox.dashboard.create({
      name: 'ops',
      type: 'live',
      access: 'admin',
      createdAt: Date.now() - 1e9,
    })
    for await (const _ of stage.client(other.secret).keys.list()) break
    await writeFile(stage.envFile, `PICTIFY_API_KEY=${other.secret.reveal()}\n`)
    const { createCredentialTarget } = await import('../../src/targets/credential.ts')
    let stored: typeof stage.old.secret | undefined = stage.sandbox.adminKey
    const credential = createCredentialTarget('credential:default', {
      read: async () => stored,
      write: async (secret) => void (stored = secret),
      remove: async () => void (stored = undefined),
    })
    const targets = [stage.target('env:.env'), credential]
    await rotate(stage.services(), other.id, stage.options({ targets, self: true })).catch(() => undefined)
    expect(stored?.equals(stage.sandbox.adminKey)).toBe(true)
  })

  it('R33 an --old-secret-stdin that is not the old secret is refused', async () => {
    const wrong = stage.sandbox.dashboard.create({
      name: 't',
      type: 'test',
      access: 'full',
      createdAt: Date.now() - 1e9,
    })
    const targets = [stage.target('exec:cat >taken')]
    const options = stage.options({ targets, verify: failing, oldSecret: wrong.secret })
    const outcome = await rotate(stage.services(), stage.old.id, options).catch((error: unknown) => ({
      error,
    }))
    const taken = await readFile(path.join(stage.directory, 'taken'), 'utf8').catch(() => '')
    expect(taken, (outcome.error as Error | undefined)?.message).not.toBe(wrong.secret.reveal())
  })

  it('R34 a target that holds another key of the account is not overwritten', async () => {
    const staging = stage.sandbox.dashboard.create({
      name: 'Staging',
      type: 'live',
      access: 'full',
      createdAt: Date.now() - 1e9,
    })
    await writeFile(stage.envFile, `PICTIFY_API_KEY=${staging.secret.reveal()}\n`)
    const outcome = await rotate(stage.services(), stage.old.id, stage.options()).catch((error: unknown) => ({
      error,
      receipt: undefined,
    }))
    expect(
      `${outcome.receipt?.state} ${(await stage.held()) === staging.secret.reveal()} ${key(stage.old.id)?.status}`,
      (outcome.error as Error | undefined)?.message,
    ).toBe('undefined true active')
  })
})
