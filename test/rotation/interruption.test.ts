import { writeFile } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { KeysError } from '../../src/errors.ts'
import { rotate } from '../../src/rotation/rotate.ts'
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
})
