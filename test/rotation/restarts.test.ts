import { readFile } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { KeysError } from '../../src/errors.ts'
import { leaseBound } from '../../src/rotation/claim.ts'
import { createJournals } from '../../src/rotation/journal.ts'
import { abortRotation, rotate } from '../../src/rotation/rotate.ts'
import type { Restart } from '../../src/targets/restart.ts'
import type { Verify } from '../../src/rotation/run.ts'
import { dieAt, failing, verifyOf } from './machines.ts'
import { setStage, type Stage } from './stage.ts'

let stage: Stage
let done: string[]
beforeEach(async () => {
  stage = await setStage()
  done = []
})
afterEach(() => stage.end())

function restart(more: Partial<Restart> = {}): Restart {
  return {
    name: 'deployment/web',
    timeoutMs: 60_000,
    check: async () => {},
    async run(cause) {
      done.push(`${cause} while ${(await stage.held()) === stage.old.secret.reveal() ? 'old' : 'new'}`)
    },
    ...more,
  }
}
const options = (more = {}) => stage.options({ restarts: [restart()], ...more })
const failed = (message: string) => new KeysError('target-failed', message, { hint: 'look at it' })

describe('what is started anew', () => {
  it('is so once every target holds the successor, and the receipt names it', async () => {
    const { error, receipt } = await rotate(stage.services(), stage.old.id, options())
    expect(error, error?.message).toBeUndefined()
    expect(done).toEqual([`${receipt.id}-delivered-1 while new`])
    expect(receipt.restarts).toEqual(['deployment/web'])
    const states = stage.events.flatMap((event) => (event.event === 'restart' ? [event.state] : []))
    expect(states).toEqual(['started', 'running'])
  })

  it('is looked at before anything is minted', async () => {
    const refused = new KeysError('target-refused', 'no right to patch it', { hint: 'grant it' })
    const restarts = [restart({ check: () => Promise.reject(refused) })]
    await expect(rotate(stage.services(), stage.old.id, options({ restarts }))).rejects.toBe(refused)
    expect(stage.ordinary()).toHaveLength(1)
    expect(done).toEqual([])
  })

  it('undoes the rotation when it does not come up, and is started anew with the old key', async () => {
    const restarts = [
      restart({
        async run(cause) {
          done.push(cause.replace(/^[0-9a-f]+/, ''))
          if (cause.includes('-delivered-')) throw failed('deployment/web: it does not come up')
        },
      }),
    ]
    const { error } = await rotate(stage.services(), stage.old.id, options({ restarts }))
    expect(error).toMatchObject({ exit: 6, message: 'rotation undone: deployment/web: it does not come up' })
    expect(done).toEqual(['-delivered-1', '-undone-1'])
    expect(await readFile(stage.envFile, 'utf8')).toBe(stage.envBefore)
    expect(stage.active().map(({ id }) => id)).toEqual([stage.old.id])
  })

  it('is started anew after an undo for another reason', async () => {
    const { error, receipt } = await rotate(stage.services(), stage.old.id, options({ verify: failing }))
    expect(error).toMatchObject({ exit: 6 })
    expect(done).toEqual([`${receipt.id}-delivered-1 while new`, `${receipt.id}-undone-1 while old`])
  })

  it('is not, where the undone rotation had not touched a target', async () => {
    await dieAt(stage, 'before saving accepted', { restarts: [restart()] })
    const { receipt } = await abortRotation(stage.services(), stage.old.id, options())
    expect(receipt.state).toBe('aborted')
    expect(done).toEqual([])
  })

  it('that cannot be started anew on the way back is named, and the rest is undone', async () => {
    const restarts = [
      restart({
        async run(cause) {
          if (cause.includes('-undone-')) throw failed('deployment/web: it does not come up')
        },
      }),
    ]
    const { error, receipt } = await rotate(
      stage.services(),
      stage.old.id,
      options({ restarts, verify: failing }),
    )
    expect(error).toMatchObject({ exit: 6 })
    expect(receipt.notes).toEqual([
      'it may still have the key that was undone: deployment/web: it does not come up',
    ])
    expect(stage.active().map(({ id }) => id)).toEqual([stage.old.id])
  })

  it('is asked for with the same cause by the run after one that died in it', async () => {
    await dieAt(stage, 'before saving verified', { restarts: [restart()] })
    const { error, receipt } = await rotate(stage.services(), stage.old.id, options())
    expect(error, error?.message).toBeUndefined()
    expect(done).toEqual([`${receipt.id}-delivered-1 while new`, `${receipt.id}-delivered-1 while new`])
  })

  it('is started once more where the successor is delivered once more, for the old key is gone by then', async () => {
    const services = stage.services({
      report: (event) => {
        if (event.event === 'target' && event.state === 'restored')
          stage.sandbox.dashboard.revoke(stage.old.id)
      },
    })
    const { error, receipt } = await rotate(services, stage.old.id, options({ verify: failsOnce() }))
    expect(error, error?.message).toBeUndefined()
    expect(receipt.state).toBe('done')
    expect(done.at(-1)).toBe(`${receipt.id}-delivered-2 while new`)
  })

  /** Says no the first time. */
  function failsOnce(): Verify {
    let isFirst = true
    return verifyOf(async () => {
      if (!isFirst) return
      isFirst = false
      throw new KeysError('verify-failed', 'it fails', { hint: 'mend it' })
    })
  }

  it('is no other than it was begun with: that was not looked at, and may be past its time', async () => {
    await dieAt(stage, 'before saving verified', { restarts: [restart()] })
    const restarts = [restart(), restart({ name: 'deployment/wbe' })]
    await expect(rotate(stage.services(), stage.old.id, options({ restarts }))).rejects.toMatchObject({
      code: 'rotation-differs',
      message: expect.stringContaining(
        'was begun with --restart deployment/web, and not with deployment/wbe',
      ) as string,
    })
    expect(done).toHaveLength(1)
    expect(stage.active()).toHaveLength(2)
  })

  it('is in the journal, so that --resume knows it', async () => {
    await dieAt(stage, 'before saving verified', { restarts: [restart()] })
    const [entry] = await createJournals(`${stage.directory}/state`).list()
    expect(entry && 'journal' in entry && entry.journal.restarts).toEqual(['deployment/web'])
  })

  it('lengthens the lease by the time it may take, both ways', () => {
    expect(leaseBound(options()) - leaseBound(stage.options())).toBe(120_000)
  })

  it('stops waiting at an interruption, and goes on with the next run', async () => {
    const stop = new AbortController()
    const restarts = [
      restart({
        async run(_cause, signal) {
          stop.abort()
          signal?.throwIfAborted()
        },
      }),
    ]
    const { error } = await rotate(stage.services({ stop: stop.signal }), stage.old.id, options({ restarts }))
    expect(error).toMatchObject({ code: 'interrupted' })
    expect(stage.active()).toHaveLength(2)
    const again = await rotate(stage.services(), stage.old.id, options())
    expect(again.error, again.error?.message).toBeUndefined()
  })
})
