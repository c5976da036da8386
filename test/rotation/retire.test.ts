import { writeFile } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { rotate } from '../../src/rotation/rotate.ts'
import { dieAt, leaveOpen } from './machines.ts'
import { realFetch, setStage, type Stage } from './stage.ts'

let stage: Stage
beforeEach(async () => {
  stage = await setStage()
})
afterEach(() => stage.end())

describe('the revoke of the old key', () => {
  it('needs its evidence again when it did not happen the first time', async () => {
    await dieAt(stage, 'after saving overlapping, retiring')
    expect(stage.key(stage.old.id)?.status).toBe('active')
    // A week later somebody is back on the old key.
    await stage.clock.sleep(7 * 86_400_000)
    await stage.call(stage.old.secret)
    const options = stage.options({ idleMs: 600_000, waitMs: 500 })
    const { error } = await rotate(stage.services(), stage.old.id, options)
    expect(stage.key(stage.old.id)?.status, error?.message).toBe('active')
  })

  it('is asked for again by the same line when it was answered, and did nothing', async () => {
    const deaf = stage.client(undefined, async (url, init) => {
      if (!url.endsWith(`${stage.old.id}/revoke`)) return realFetch(url, init)
      return realFetch(url.replace('/revoke', ''), { ...init, method: 'GET' })
    })
    const first = await rotate(stage.services({ api: deaf }), stage.old.id, stage.options())
    expect(first.error).toMatchObject({ exit: 7 })
    const again = await rotate(stage.services(), stage.old.id, stage.options())
    expect(stage.key(stage.old.id)?.status, again.error?.message).toBe('revoked')
  })

  it('is not given up, and all undone, for one list that is refused right before it', async () => {
    const services = stage.services({
      report: (event) => {
        if (event.event === 'step' && event.step === 'retire')
          stage.sandbox.addFault('status-429=90s:GET /api-keys$@1')
      },
    })
    const { receipt, error } = await rotate(services, stage.old.id, stage.options())
    expect(receipt.state, error?.message).not.toBe('aborted')
  })

  it('is no success when somebody else revokes the successor right after it', async () => {
    const api = stage.client(undefined, async (url, init) => {
      // The last request of all gives the successor the plain name; everything else was looked at by then.
      const successor = stage.active().find(({ id }) => url.endsWith(`/api-keys/${id}`))
      if (init.method === 'PUT' && successor) stage.sandbox.dashboard.revoke(successor.id)
      return realFetch(url, init)
    })
    const { receipt, error } = await rotate(stage.services({ api }), stage.old.id, stage.options())
    expect(error, receipt.state).toMatchObject({
      exit: 7,
      message: expect.stringContaining('revoked') as string,
    })
  })

  it('by somebody else makes no success of a target that does not hold the successor any more', async () => {
    await leaveOpen(stage, stage.services())
    await writeFile(stage.envFile, 'PICTIFY_API_KEY=pk_live_of_somebody_else\n')
    stage.sandbox.dashboard.revoke(stage.old.id)
    const again = await rotate(stage.services(), stage.old.id, stage.options())
    expect(again.error, again.receipt.state).toBeDefined()
  })

  it('by somebody else, who put the old value back before, gets the successor into the target again', async () => {
    const { receipt } = await leaveOpen(stage, stage.services())
    await writeFile(stage.envFile, stage.envBefore)
    stage.sandbox.dashboard.revoke(stage.old.id)
    const again = await rotate(stage.services(), stage.old.id, stage.options())
    expect(again.error, again.error?.message).toBeUndefined()
    expect(await stage.held()).toBe(stage.key(receipt.newKey?.id)?.secret.reveal())
  })
})
