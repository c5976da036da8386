import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { KeysError } from '../../src/errors.ts'
import { rotate } from '../../src/rotation/rotate.ts'
import type { Target } from '../../src/targets/target.ts'
import { dieAt, failing, leaveOpen, machine, verifyOf } from './machines.ts'
import { setStage, type Stage } from './stage.ts'

let stage: Stage
beforeEach(async () => {
  stage = await setStage()
})
afterEach(() => stage.end())

describe('undoing', () => {
  /** A second target whose every write fails like that, and that answers nobody from then on. */
  function goingDown(code: 'target-failed' | 'target-unclear'): Target {
    const target = stage.target('file:key.txt')
    const down = () =>
      Promise.reject(new KeysError('target-failed', 'file:key.txt: nobody there', { hint: 'see' }))
    let isDown = false
    return {
      ...target,
      read: (...args) => (isDown ? down() : target.read(...args)),
      async write() {
        isDown = true
        throw new KeysError(code, 'file:key.txt: nobody there', { hint: 'see' })
      },
      restore: down,
    }
  }

  it('needs nothing of a target that took nothing and is down', async () => {
    await writeFile(path.join(stage.directory, 'key.txt'), stage.old.secret.reveal())
    const targets = [stage.target('env:.env#PICTIFY_API_KEY'), goingDown('target-failed')]
    const { error } = await rotate(stage.services(), stage.old.id, stage.options({ targets }))
    expect(error).toMatchObject({ exit: 6 })
    expect(await readFile(stage.envFile, 'utf8')).toBe(stage.envBefore)
    expect(stage.active().map(({ id }) => id)).toEqual([stage.old.id])
  })

  it('names the one target that may have taken it and is down, and the command that goes on', async () => {
    await writeFile(path.join(stage.directory, 'key.txt'), stage.old.secret.reveal())
    const targets = [stage.target('env:.env#PICTIFY_API_KEY'), goingDown('target-unclear')]
    const { error, receipt } = await rotate(stage.services(), stage.old.id, stage.options({ targets }))
    expect(error).toMatchObject({
      exit: 7,
      message: 'could not put the old value back: file:key.txt: nobody there',
      hint: `both keys work; mend the target, then: pictify-keys rotate ${receipt.id} --abort`,
    })
    expect(await readFile(stage.envFile, 'utf8')).toBe(stage.envBefore)
    expect(stage.active()).toHaveLength(2)
  })

  it('that is resumed does not remove the only key that works', async () => {
    await dieAt(stage, 'after saving aborting', { verify: failing })
    stage.sandbox.dashboard.revoke(stage.old.id)
    const { error } = await rotate(stage.services(), stage.old.id, stage.options({ verify: failing }))
    expect(await stage.call(await stage.held()), error?.message).toBe(200)
    const again = await rotate(stage.services(), stage.old.id, stage.options())
    expect([again.error, again.receipt.state]).toEqual([undefined, 'done'])
  })

  it('that is resumed keeps the reason that it began with', async () => {
    await dieAt(stage, 'after saving aborting', { verify: failing })
    const { receipt } = await rotate(stage.services(), stage.old.id, stage.options())
    expect(receipt).toMatchObject({
      ...{ state: 'aborted' },
      failure: { code: 'verify-failed', message: 'the verify command ended with 1' },
    })
  })

  it('gives no target the old value back that does not work any more by then', async () => {
    const target = stage.target('env:.env#PICTIFY_API_KEY')
    let restored = 0
    const targets: Target[] = [
      {
        ...target,
        async restore(...args) {
          restored += 1
          await target.restore(...args)
        },
      },
    ]
    const services = stage.services({
      report: (event) => {
        if (event.event === 'state' && event.state === 'aborting')
          stage.sandbox.dashboard.revoke(stage.old.id)
      },
    })
    const { error } = await rotate(services, stage.old.id, stage.options({ targets, verify: failing }))
    expect(await stage.call(await stage.held()), error?.message).toBe(200)
    expect(restored).toBe(0)
  })

  it('waits for the whole quiet time after what it put back, however idle the successor was', async () => {
    const verify = verifyOf(async () => {
      await stage.clock.sleep(hourMs)
      throw new KeysError('verify-failed', 'no')
    })
    let restoredAt = 0
    let removedAt = 0
    const services = stage.services({
      report: (event) => {
        if (event.event === 'target' && event.state === 'restored') restoredAt = stage.clock.now()
        if (event.event === 'state' && event.state === 'aborted') removedAt = stage.clock.now()
      },
    })
    const options = stage.options({ verify, idleMs: 60_000, waitMs: 120_000 })
    const { error } = await rotate(services, stage.old.id, options)
    expect(error, error?.message).toMatchObject({ exit: 6 })
    expect(removedAt - restoredAt).toBeGreaterThanOrEqual(60_000)
  })

  it('does not remove the only key that works when the old one is revoked while it waits', async () => {
    // An application has loaded the successor: undoing waits until it is idle.
    const verify = verifyOf(async (secret) => {
      await stage.call(secret)
      throw new KeysError('verify-failed', 'no')
    })
    let revokedAt = 0
    let mendedAt = 0
    const services = stage.services({
      report: (event) => {
        // What is put back does not work from here on; it must not take the whole wait until that is seen.
        if (event.event === 'state' && event.state === 'accepted') mendedAt = stage.clock.now()
        if (event.event !== 'undo-wait' || revokedAt > 0) return
        revokedAt = stage.clock.now()
        stage.sandbox.dashboard.revoke(stage.old.id)
      },
    })
    const options = stage.options({ verify, idleMs: 60_000, waitMs: 120_000 })
    const { error } = await rotate(services, stage.old.id, options)
    expect(revokedAt).toBeGreaterThan(0)
    expect(mendedAt - revokedAt).toBeLessThan(30_000)
    expect(await stage.call(await stage.held()), error?.message).toBe(200)
  })

  it('does not remove it either where nothing is waited for', async () => {
    const target = stage.target('env:.env#PICTIFY_API_KEY')
    const targets: Target[] = [
      {
        ...target,
        async restore(...args) {
          await target.restore(...args)
          stage.sandbox.dashboard.revoke(stage.old.id)
        },
      },
    ]
    const options = stage.options({ verify: failing, evidence: false, targets })
    const { error } = await rotate(stage.services(), stage.old.id, options)
    expect(await stage.call(await stage.held()), error?.message).toBe(200)
  })

  it('what another machine delivered does not remove the variable or the file', async () => {
    const file = path.join(stage.directory, 'key.txt')
    await writeFile(stage.envFile, `PORT=80\nPICTIFY_API_KEY=${stage.old.secret.reveal()}\n`)
    await writeFile(file, stage.old.secret.reveal())
    const targets = () => [stage.target('env:.env'), stage.target('file:key.txt')]
    await leaveOpen(stage, machine(stage, 'one'), { targets: targets() })
    const options = stage.options({ targets: targets(), verify: failing })
    const { error } = await rotate(machine(stage, 'two'), stage.old.id, options)
    expect(await readFile(stage.envFile, 'utf8'), error?.message).toMatch(
      /^PORT=80\nPICTIFY_API_KEY=pk_live_/,
    )
    expect(await readFile(file, 'utf8'), error?.message).toMatch(/^pk_live_/)
  })

  it('puts back what was delivered to the same place under another spelling', async () => {
    await dieAt(stage, 'after saving delivered')
    const options = stage.options({ targets: [stage.target('env:./.env')], verify: failing })
    const { error } = await rotate(stage.services(), stage.old.id, options)
    expect(error, error?.message).toMatchObject({ exit: 6 })
    expect(await readFile(stage.envFile, 'utf8')).toBe(stage.envBefore)
  })
})

describe('undoing leaves the successor of a dead run', () => {
  it('that came back to life and delivered it', async () => {
    const targets = [stage.target('env:.env#PICTIFY_API_KEY'), stage.target('exec:cat >taken')]
    await dieAt(stage, 'after saving minted', { machine: 'one', targets })
    await dieAt(stage, 'after saving minted', { machine: 'two', targets, takeOver: true })
    await stage.clock.sleep(hourMs)
    const options = stage.options({ targets, waitMs: 500 })
    expect((await rotate(machine(stage, 'one'), stage.old.id, options)).error).toMatchObject({ exit: 5 })
    // The application is a batch job: idle for as long as anybody asks.
    await stage.clock.sleep(hourMs)
    const { error } = await rotate(machine(stage, 'two'), stage.old.id, options)
    expect(await stage.call(await stage.held()), error?.message).toBe(200)
  })

  it('that was in use elsewhere, and that a target holds by now', async () => {
    const elsewhere = [stage.target('env:other.env')]
    await writeFile(path.join(stage.directory, 'other.env'), stage.envBefore)
    await dieAt(stage, 'after saving delivered', { machine: 'one', targets: elsewhere })
    const lost = stage.active().find(({ id }) => id !== stage.old.id)?.secret
    expect(await stage.call(lost)).toBe(200)
    const verify = verifyOf(async () => {
      await writeFile(stage.envFile, `PICTIFY_API_KEY=${lost?.reveal()}\n`)
      throw new KeysError('verify-failed', 'no')
    })
    const options = stage.options({ verify, takeOver: true, idleMs: 600_000, waitMs: 900_000 })
    const { error, receipt } = await rotate(machine(stage, 'two'), stage.old.id, options)
    expect(error, error?.message).toMatchObject({ exit: 6 })
    expect(receipt.notes).toContainEqual(expect.stringContaining('may still be in use'))
    expect(await stage.call(await stage.held())).toBe(200)
  })

  it('that a target which cannot be read may hold still', async () => {
    const targets = [stage.target('exec:cat >taken')]
    await dieAt(stage, 'after saving delivered', { machine: 'one', targets })
    await stage.clock.sleep(hourMs)
    stage.sandbox.addFault('refuse-new')
    const options = stage.options({ targets, takeOver: true, settleMs: 300 })
    const { error } = await rotate(machine(stage, 'two'), stage.old.id, options)
    stage.sandbox.clearFaults()
    expect(error, error?.message).toMatchObject({ exit: 6 })
    expect(await stage.call(await readFile(path.join(stage.directory, 'taken'), 'utf8'))).toBe(200)
  })
})

const hourMs = 3_600_000

it('undoing does not come near a target that was never written', async () => {
  await writeFile(path.join(stage.directory, 'calls'), '')
  const targets = [
    stage.target('env:.env#PICTIFY_API_KEY'),
    stage.target('exec:cat >/dev/null; exit 3'),
    stage.target('exec:cat >/dev/null; echo "$PICTIFY_KEYS_ACTION" >>calls'),
  ]
  const broken: Target = {
    ...stage.target('file:key.txt'),
    write: async () => {
      throw new KeysError('target-refused', 'no')
    },
  }
  const { error, receipt } = await rotate(
    stage.services(),
    stage.old.id,
    stage.options({ targets: [broken, ...targets] }),
  )
  expect(error).toMatchObject({ exit: 6 })
  expect(receipt.notes).toEqual([])
  expect(await readFile(path.join(stage.directory, 'calls'), 'utf8')).toBe('')
  expect(await readFile(stage.envFile, 'utf8')).toBe(stage.envBefore)
})
