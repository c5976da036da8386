import { writeFile } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Clock } from '../../src/clock.ts'
import { KeysError } from '../../src/errors.ts'
import { parseMark } from '../../src/rotation/marked-name.ts'
import { rotate } from '../../src/rotation/rotate.ts'
import type { RotationServices } from '../../src/rotation/run.ts'
import type { Target } from '../../src/targets/target.ts'
import { leaveOpen, machine, verifyOf } from './machines.ts'
import { setStage, type Stage } from './stage.ts'

let stage: Stage
beforeEach(async () => {
  stage = await setStage()
})
afterEach(() => stage.end())

/** A verify command during which the user presses Ctrl-C twice: stop, and undo. */
function interrupting() {
  const stop = new AbortController()
  const undo = new AbortController()
  const verify = verifyOf(async (_secret, signal) => {
    stop.abort()
    undo.abort()
    signal.throwIfAborted()
  })
  return { verify, services: stage.services({ stop: stop.signal, undo: undo.signal }) }
}

describe('a rotation that is interrupted', () => {
  it('says so when undoing it fails', async () => {
    const { services, verify } = interrupting()
    const target: Target = {
      ...stage.target('env:.env#PICTIFY_API_KEY'),
      restore: async () => {
        throw new KeysError('target-failed', 'env: the disk is full')
      },
    }
    const options = stage.options({ targets: [target], verify })
    const { receipt, error } = await rotate(services, stage.old.id, options)
    expect(receipt.state).toBe('aborting')
    expect(`${error?.message} / ${error?.hint}`).toContain('the disk is full')
  })

  it('does not say that both keys are there once it is undone', async () => {
    const { services, verify } = interrupting()
    const { receipt, error } = await rotate(services, stage.old.id, stage.options({ verify }))
    expect(receipt.state).toBe('aborted')
    expect(error?.hint).not.toContain('both keys')
  })

  it('does not say that both keys are as they were once the old one is revoked', async () => {
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

  it('does not wait for the whole usage lag while it proves whose secret a target holds', async () => {
    await leaveOpen(stage, machine(stage, 'one'))
    const other = stage.sandbox.dashboard.create({ name: 'other', createdAt: stage.old.createdAt })
    await writeFile(stage.envFile, `PICTIFY_API_KEY=${other.secret.reveal()}\n`)
    // Without an audit log the secret's owner is found by the key's last use, which shows late.
    stage.sandbox.addFault('html:GET /audit-logs')
    const stop = new AbortController()
    let stoppedAt: number | undefined
    const services = machine(stage, 'two', {
      stop: stop.signal,
      clock: {
        ...stage.clock,
        async sleep(ms, signal) {
          stoppedAt ??= stage.clock.now()
          stop.abort()
          await stage.clock.sleep(ms, signal)
        },
      },
    })
    const run = rotate(services, stage.old.id, stage.options({ usageLagMs: 300_000 }))
    await expect(run).rejects.toMatchObject({ name: 'AbortError' })
    expect(stage.clock.now() - (stoppedAt ?? 0)).toBeLessThan(60_000)
  })

  it('before anything is changed says so, and waits for no second one', async () => {
    const stop = new AbortController()
    const report: RotationServices['report'] = (event) => {
      if (event.event === 'step' && event.step === 'mint') stop.abort()
    }
    const { receipt, error } = await rotate(
      stage.services({ stop: stop.signal, report }),
      stage.old.id,
      stage.options(),
    )
    expect(error).toMatchObject({
      code: 'interrupted',
      hint: expect.stringContaining('nothing was changed') as string,
    })
    expect(receipt).toMatchObject({ state: 'planned', newKey: null })
    expect(stage.ordinary()).toHaveLength(1)
  })

  it('once stops, undoes nothing, and holds nobody up', async () => {
    const stop = new AbortController()
    const verify = verifyOf(async (_secret, signal) => {
      stop.abort()
      signal.throwIfAborted()
    })
    const { receipt, error } = await rotate(
      stage.services({ stop: stop.signal }),
      stage.old.id,
      stage.options({ verify }),
    )
    expect(error).toMatchObject({ code: 'interrupted' })
    expect(error?.hint).toContain('until then the old key works')
    expect(error?.hint).toContain(`pictify-keys rotate ${receipt.id} --resume`)
    expect(receipt.state).toBe('delivered')
    expect(stage.active()).toHaveLength(2)
    expect(parseMark(stage.key(receipt.newKey?.id)?.name ?? '')).toMatchObject({ leaseUntil: 0 })
    expect(await stage.held()).toBe(stage.key(receipt.newKey?.id)?.secret.reveal())
  })

  it('a second time in the second that follows is undone', async () => {
    const stop = new AbortController()
    const undo = new AbortController()
    const verify = verifyOf(async (_secret, signal) => {
      stop.abort()
      signal.throwIfAborted()
    })
    const clock: Clock = {
      ...stage.clock,
      // The second thought: here the other Ctrl-C comes, and the time never ends by itself.
      sleep: (ms, signal) => {
        if (!stop.signal.aborted || undo.signal.aborted) return stage.clock.sleep(ms, signal)
        undo.abort()
        return new Promise<never>(() => {})
      },
    }
    const services = stage.services({ stop: stop.signal, undo: undo.signal, clock })
    const { receipt, error } = await rotate(services, stage.old.id, stage.options({ verify }))
    expect(error?.hint).toContain('it was undone')
    expect(receipt.state).toBe('aborted')
    expect(await stage.held()).toBe(stage.old.secret.reveal())
    expect(stage.active()).toHaveLength(1)
  })

  it('twice goes forward where the old key was revoked first, and says that it may not work', async () => {
    const { services, verify } = interrupting()
    const options = stage.options({ verify, compromised: 'revoke-first' })
    const { receipt, error } = await rotate(services, stage.old.id, options)
    expect(receipt.state).toBe('delivered')
    expect(error).toMatchObject({
      code: 'interrupted',
      message: expect.not.stringContaining('undoing') as string,
    })
    expect(error?.hint).toContain('may not work any more')
    expect(await stage.call(await stage.held())).toBe(200)
  })
})

describe('a journal that cannot be written', () => {
  it.each(['accepted', 'delivered', 'overlapping', 'retired'])(
    'at %s stops the rotation where it is, and undoes nothing',
    async (state) => {
      const services = stage.services()
      const { journals } = services
      let isFull = true
      const save: typeof journals.save = async (journal) => {
        if (isFull && journal.state === state) throw new KeysError('state-directory', 'the disk is full')
        await journals.save(journal)
      }
      const line = () =>
        rotate({ ...services, journals: { ...journals, save } }, stage.old.id, stage.options())
      const { error } = await line()
      expect(error).toMatchObject({ exit: 7, code: 'rotation-needs-person' })
      expect(error?.message).toContain('the disk is full')
      expect(stage.ordinary()).toHaveLength(2)
      expect(await stage.call(await stage.held())).toBe(200)
      isFull = false
      expect((await line()).error).toBeUndefined()
      expect(stage.active().map(({ name }) => name)).toEqual(['Production Server'])
    },
  )
})
