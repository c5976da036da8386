import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseMark } from '../../src/rotation/marked-name.ts'
import { abortRotation, rotate } from '../../src/rotation/rotate.ts'
import { dieAt, failing, leaveOpen, machine, suspendInOverlap } from './machines.ts'
import { setStage, type Stage } from './stage.ts'

let stage: Stage
beforeEach(async () => {
  stage = await setStage()
})
afterEach(() => stage.end())

const leaseOf = (id: string | undefined) => parseMark(stage.key(id)?.name ?? '')?.leaseUntil

describe('the lease in a marked name', () => {
  it('keeps --abort from undoing what another machine is at', async () => {
    const { receipt } = await leaveOpen(stage, machine(stage, 'one'))
    await suspendInOverlap(stage, 'two')
    expect(leaseOf(receipt.newKey?.id)).toBeGreaterThan(stage.clock.now())
    const { error } = await abortRotation(machine(stage, 'one'), stage.old.id, stage.options())
    expect(error).toMatchObject({ exit: 8 })
    expect(stage.key(receipt.newKey?.id)?.status).toBe('active')
  })

  it('does not, with --take-over', async () => {
    const { receipt } = await leaveOpen(stage, machine(stage, 'one'))
    await suspendInOverlap(stage, 'two')
    const options = stage.options({ takeOver: true })
    const aborted = await abortRotation(machine(stage, 'one'), stage.old.id, options)
    expect([aborted.error, aborted.receipt.state]).toEqual([undefined, 'aborted'])
    expect(stage.key(receipt.newKey?.id)).toBeUndefined()
    expect(await stage.held()).toBe(stage.old.secret.reveal())
  })

  it('keeps an undo from removing what another machine has claimed while it waited', async () => {
    let isClaimed = false
    const services = machine(stage, 'one', {
      clock: {
        ...stage.clock,
        async sleep(ms, signal) {
          const isLate = stage.events.some(({ event }) => event === 'undo-wait')
          if (isLate && !isClaimed) {
            isClaimed = true
            await dieAt(stage, 'after PUT /api-keys/:id', { machine: 'two', takeOver: true })
          }
          await stage.clock.sleep(ms, signal)
        },
      },
    })
    const options = stage.options({ verify: failing, idleMs: 30_000, waitMs: 60_000 })
    const { receipt, error } = await rotate(services, stage.old.id, options)
    expect(isClaimed).toBe(true)
    expect(error, error?.message).toMatchObject({ exit: 8 })
    expect(stage.key(receipt.newKey?.id)?.status).toBe('active')
  })

  it.each([
    ['the successor is looked at', 'refuse:GET /api-keys/*@2'],
    ['it has a journal', 'refuse:PUT /api-keys/*@2'],
  ])('holds nobody up when taking over failed before %s', async (_what, fault) => {
    await leaveOpen(stage, machine(stage, 'one'))
    await stage.clock.sleep(1_000)
    stage.sandbox.addFault(fault)
    await expect(rotate(machine(stage, 'two'), stage.old.id, stage.options())).rejects.toMatchObject({
      code: 'invalid-api-key',
    })
    const { error } = await rotate(machine(stage, 'two'), stage.old.id, stage.options())
    expect(error, error?.message).toBeUndefined()
  })

  it('is not given up by a run that slept past its own, and was taken over from', async () => {
    let hasSlept = false
    const services = machine(stage, 'one', {
      clock: {
        ...stage.clock,
        async sleep(ms, signal) {
          if (!hasSlept && ms > 10_000) {
            hasSlept = true
            await stage.clock.sleep(3_600_000)
            await stage.call(stage.old.secret)
            await suspendInOverlap(stage, 'two')
          }
          await stage.clock.sleep(ms, signal)
        },
      },
    })
    await stage.call(stage.old.secret)
    const options = stage.options({ idleMs: 600_000, waitMs: 900_000 })
    const { receipt, error } = await rotate(services, stage.old.id, options)
    expect(hasSlept).toBe(true)
    expect(leaseOf(receipt.newKey?.id), error?.message).toBeGreaterThan(stage.clock.now())
  })

  it('lasts until the run has ended by itself, undoing included', async () => {
    const began = stage.clock.now()
    const target = stage.target('env:.env#PICTIFY_API_KEY')
    const options = stage.options({ targets: [target], waitMs: 900_000, idleMs: 150_000 })
    let firstLease: number | undefined
    const late: number[] = []
    let lastWait = 0
    const services = stage.services({
      clock: {
        ...stage.clock,
        // The old key is in use for most of the wait, the successor all the time.
        async sleep(ms, signal) {
          if (stage.clock.now() - began < 600_000) await stage.call(stage.old.secret)
          const successor = stage.active().find(({ id }) => id !== stage.old.id)
          firstLease ??= leaseOf(successor?.id)
          await stage.call(successor?.secret)
          await stage.clock.sleep(ms, signal)
        },
      },
      report: (event) => {
        // Right before the old key is revoked, somebody changes the target: the rotation is undone.
        if (event.event === 'evidence' && event.missing.length === 0) target.read = async () => undefined
        if (event.event !== 'undo-wait') return
        lastWait = stage.clock.now()
        if (lastWait > (leaseOf(event.newKey) ?? 0)) late.push(lastWait)
      },
    })
    const { error } = await rotate(services, stage.old.id, options)
    expect(error, error?.message).toMatchObject({ exit: 5 })
    expect(late).toEqual([])
    expect(lastWait, 'it lasted longer than the lease it began with').toBeGreaterThan(firstLease ?? Infinity)
  })
})
