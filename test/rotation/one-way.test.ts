import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { KeysError } from '../../src/errors.ts'
import { rotate } from '../../src/rotation/rotate.ts'
import type { RotationServices } from '../../src/rotation/run.ts'
import type { Clock } from '../../src/clock.ts'
import type { Target } from '../../src/targets/target.ts'
import { dieAt, machine } from './machines.ts'
import { createMortal } from './mortal.ts'
import { setStage, type Stage } from './stage.ts'

let stage: Stage
beforeEach(async () => {
  stage = await setStage()
})
afterEach(() => stage.end())

/** Beside the .env, a command that takes the secret: what it did cannot be read back. */
const targets = (command: string) => [
  stage.target('env:.env#PICTIFY_API_KEY'),
  stage.target(`exec:${command}`),
]

describe('a target that cannot be read', () => {
  it('that an earlier machine wrote to is not left with a key that was deleted', async () => {
    const command = 'test -e broken && exit 3; cat >taken'
    const options = stage.options({ targets: targets(command), waitMs: 500 })
    const first = await rotate(machine(stage, 'one'), stage.old.id, options)
    expect(first.error).toMatchObject({ exit: 5 })
    await writeFile(path.join(stage.directory, 'broken'), '')
    const undo = stage.options({ targets: targets(command), oldSecret: stage.old.secret })
    const { error } = await rotate(machine(stage, 'two'), stage.old.id, undo)
    const taken = await readFile(path.join(stage.directory, 'taken'), 'utf8')
    expect(await stage.call(taken), error?.message).toBe(200)
  })

  it('and that somebody else changed is left alone, without the old secret: nothing was put there', async () => {
    const oneWay: Target = {
      name: 'exec:x',
      place: 'x',
      readback: 'none',
      check: async () => {},
      read: async () => {
        throw new KeysError('target-failed', 'one way')
      },
      write: async () => {
        throw new KeysError('target-changed', 'exec:x: somebody changed it')
      },
      restore: async () => expect.unreachable(),
    }
    const options = stage.options({ targets: [oneWay] })
    const { error } = await rotate(stage.services(), stage.old.id, options)
    expect(error).toMatchObject({ code: 'rotation-undone', exit: 6 })
  })

  it('and may have been written is undone, also when the next attempt failed cleanly', async () => {
    let place = stage.old.secret.reveal()
    let attempts = 0
    const oneWay: Target = {
      name: 'exec:x',
      place: 'x',
      readback: 'none',
      check: async () => {},
      read: async () => {
        throw new KeysError('target-failed', 'one way')
      },
      write: async (secret) => {
        if (++attempts > 1) throw new KeysError('target-failed', 'it ended with exit code 3')
        place = secret.reveal()
        throw new KeysError('target-unclear', 'it did not end within 60s')
      },
      restore: async (held) => void (place = held?.value.reveal() ?? ''),
    }
    const options = stage.options({ targets: [stage.target('env:.env#PICTIFY_API_KEY'), oneWay] })
    const { error } = await rotate(stage.services(), stage.old.id, options)
    expect(attempts).toBeGreaterThan(1)
    expect(await stage.call(place), error?.message).toBe(200)
  })

  it.each([
    ['with an audit log', []],
    ['without one', ['html:GET /audit-logs']],
  ])(
    'does not take the probes of another machine for an application that uses the successor, %s',
    async (_what, faults) => {
      for (const fault of faults) stage.sandbox.addFault(fault)
      const run = (name: string) => {
        const options = stage.options({ targets: targets('cat >taken'), waitMs: 500 })
        return rotate(machine(stage, name), stage.old.id, options)
      }
      expect((await run('one')).error).toMatchObject({ exit: 5 })
      await stage.clock.sleep(5_000)
      expect((await run('two')).error).toMatchObject({ exit: 5 })
      const again = await run('one')
      expect(again.error, JSON.stringify(again.receipt.evidence)).toMatchObject({ exit: 5 })
      expect(stage.key(stage.old.id)?.status).toBe('active')
    },
  )

  it('is not left, for all the time that its use is waited for, with a successor that the API refuses', async () => {
    const services = stage.services({
      report: (event) => {
        if (event.event === 'step' && event.step === 'verify') stage.sandbox.addFault('refuse:GET /templates')
      },
    })
    const place = path.join(stage.directory, 'taken')
    const options = { targets: [stage.target(`exec:cat >${place}`)], oldSecret: stage.old.secret }
    const { error } = await rotate(services, stage.old.id, stage.options(options))
    expect(error, error?.message).toMatchObject({ exit: 6 })
    expect(await readFile(place, 'utf8')).toBe(stage.old.secret.reveal())
  })

  it('nor does the run that was taken over from while it waited', async () => {
    stage.sandbox.addFault('html:GET /audit-logs')
    await stage.call(stage.old.secret)
    let isTakenOver = false
    const clock: Clock = {
      ...stage.clock,
      async sleep(ms, signal) {
        if (ms >= 10_000 && !isTakenOver) {
          isTakenOver = true
          const options = stage.options({ targets: targets('cat >taken'), waitMs: 500, takeOver: true })
          const other = await rotate(machine(stage, 'two'), stage.old.id, options)
          expect(other.error).toMatchObject({ exit: 5 })
        }
        await stage.clock.sleep(ms, signal)
      },
    }
    const waits = { idleMs: 100_000, waitMs: 400_000 }
    const options = stage.options({ targets: targets('cat >taken'), ...waits })
    const { error } = await rotate(machine(stage, 'one', { clock }), stage.old.id, options)
    expect(isTakenOver).toBe(true)
    expect(error, error?.message).toMatchObject({ exit: 8, hint: 'run the same command again' })
    expect(stage.key(stage.old.id)?.status).toBe('active')
    const again = await rotate(machine(stage, 'one'), stage.old.id, options)
    expect(again.error, again.error?.message).toMatchObject({ exit: 5 })
    expect(again.error?.message).toContain('no application has used')
  })

  it('is given a fresh successor where the dead run had revoked the old key, and the lost one goes', async () => {
    const target = () => [stage.target('exec:cat >taken')]
    const taken = () => readFile(path.join(stage.directory, 'taken'), 'utf8')
    // The application reads its key each time it calls; our own last use of it is some seconds ago by then.
    let refusals = 0
    const use = async (services: RotationServices) => {
      const clock: Clock = {
        ...services.clock,
        async sleep(ms, signal) {
          await stage.clock.sleep(ms + 2_000, signal)
          const held = await taken().catch(() => stage.old.secret.reveal())
          if ((await stage.call(held)) !== 200) refusals += 1
        },
      }
      return { ...services, clock }
    }
    const first = await use(stage.services())
    const mortal = createMortal(stage, stage.options({ targets: target(), waitMs: 60_000 }), {
      diesAt: { point: 'after POST /api-keys/:id/revoke' },
    })
    await Promise.race([
      mortal.death,
      rotate({ ...mortal.services, clock: first.clock }, stage.old.id, mortal.options),
    ])
    const lost = stage.active()[0]
    expect(lost?.name).toContain('rotating')

    const options = stage.options({ targets: target(), waitMs: 60_000, takeOver: true })
    const { error } = await rotate(await use(machine(stage, 'two')), stage.old.id, options)
    expect(error, error?.message).toBeUndefined()
    expect(refusals).toBe(0)
    expect(stage.active()).toMatchObject([{ name: 'Production Server' }])
    expect(stage.active()[0]?.id).not.toBe(lost?.id)
    expect(await taken()).toBe(stage.active()[0]?.secret.reveal())
  })

  it('is given a fresh successor where somebody has deleted the old key, too', async () => {
    const targets = [stage.target('exec:cat >taken')]
    const given = { targets, deleteOld: true, evidence: false }
    await dieAt(stage, 'after saving retired, retiring', { machine: 'one', ...given })
    stage.sandbox.dashboard.delete(stage.old.id)
    const options = stage.options({ ...given, takeOver: true })
    const { error } = await rotate(machine(stage, 'two'), 'Production Server', options)
    expect(error, error?.message).toBeUndefined()
    const taken = await readFile(path.join(stage.directory, 'taken'), 'utf8')
    expect(stage.ordinary().map(({ name, secret }) => [name, secret.reveal()])).toEqual([
      ['Production Server', taken],
    ])
  })
})
