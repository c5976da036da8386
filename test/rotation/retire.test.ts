import { readFile, writeFile } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { rotate } from '../../src/rotation/rotate.ts'
import { dieAt, leaveOpen } from './machines.ts'
import { realFetch, setStage, type Stage } from './stage.ts'

let stage: Stage
beforeEach(async () => {
  stage = await setStage()
})
afterEach(() => stage.end())

/** Services under which something happens right before the old key is revoked. */
function atRetire(act: () => void) {
  return stage.services({
    report: (event) => {
      if (event.event === 'step' && event.step === 'retire') act()
    },
  })
}

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

  it('that fails is not taken for done: the old key works, and is put back', async () => {
    stage.sandbox.addFault(`status-503:POST /api-keys/${stage.old.id}/revoke`)
    const { error, receipt } = await rotate(stage.services(), stage.old.id, stage.options())
    expect(error, error?.message).toMatchObject({ exit: 6 })
    expect(receipt.state).toBe('aborted')
    expect(await readFile(stage.envFile, 'utf8')).toBe(stage.envBefore)
    expect(stage.active().map(({ id }) => id)).toEqual([stage.old.id])
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

  it('nor while the API fails', async () => {
    const services = atRetire(() => stage.sandbox.addFault('status-500:GET /api-keys$'))
    const { receipt, error } = await rotate(services, stage.old.id, stage.options())
    expect(error, error?.message).toMatchObject({ exit: 5 })
    expect(receipt.state).toBe('overlapping')
    stage.sandbox.clearFaults()
    const again = await rotate(stage.services(), stage.old.id, stage.options())
    expect(again.error, again.error?.message).toBeUndefined()
  })

  it('does not happen when the successor is found gone at the last look, and all is put back', async () => {
    const services = atRetire(() => {
      for (const { id } of stage.active()) if (id !== stage.old.id) stage.sandbox.dashboard.revoke(id)
    })
    const { error } = await rotate(services, stage.old.id, stage.options())
    expect(error, error?.message).toMatchObject({ exit: 6 })
    expect(await readFile(stage.envFile, 'utf8')).toBe(stage.envBefore)
    expect(await stage.call(stage.old.secret)).toBe(200)
  })

  it('nor when the API refuses the successor by then', async () => {
    const services = atRetire(() => stage.sandbox.addFault('refuse:GET /templates'))
    const { error } = await rotate(services, stage.old.id, stage.options())
    expect(error, error?.message).toMatchObject({ exit: 6 })
    expect(await readFile(stage.envFile, 'utf8')).toBe(stage.envBefore)
    expect(stage.active().map(({ id }) => id)).toEqual([stage.old.id])
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

describe('the secret that was replaced', () => {
  /** A client to which the API says something else, once the old key is revoked, when it is called with its secret. */
  const clientTold = (answer: () => Response | undefined) =>
    stage.client(undefined, async (url, init) => {
      const isIt = init.headers['authorization'] === `Bearer ${stage.old.secret.reveal()}`
      const isRevoked = stage.key(stage.old.id)?.status === 'revoked'
      return (isIt && isRevoked ? answer() : undefined) ?? realFetch(url, init)
    })

  it('is told of when it works still, being that of another key', async () => {
    const other = stage.sandbox.dashboard.create({
      ...{ name: 'Staging', type: 'live', createdAt: stage.old.createdAt },
    })
    await writeFile(stage.envFile, `PICTIFY_API_KEY=${other.secret.reveal()}\n`)
    // Without an audit log nobody can tell beforehand whose it is.
    stage.sandbox.addFault('html:GET /audit-logs')
    const { error, receipt } = await rotate(stage.services(), stage.old.id, stage.options())
    expect(error, error?.message).toMatchObject({ code: 'rotation-needs-person', exit: 7 })
    expect(error?.message).toContain('still works')
    expect(receipt.state).toBe('done')
    expect(receipt.notes).toEqual([expect.stringContaining('the secret the targets held before works')])
  })

  it('is no matter when the API takes it for a while after the revoke', async () => {
    let left = 3
    const api = clientTold(() => (left-- > 0 ? Response.json({ templates: [] }) : undefined))
    const { error, receipt } = await rotate(stage.services({ api }), stage.old.id, stage.options())
    expect(error, error?.message).toBeUndefined()
    expect(receipt.notes).toEqual([])
  })

  it('is told of as unproved, and no more, when the API will not say', async () => {
    const api = clientTold(() => new Response('', { status: 503 }))
    const { error, receipt } = await rotate(stage.services({ api }), stage.old.id, stage.options())
    expect(error, error?.message).toBeUndefined()
    expect(receipt.notes).toEqual([expect.stringContaining('would not say')])
  })
})

it('a delete of the old key that fails leaves the rotation open, and the same line ends it', async () => {
  const broken = stage.sandbox.addFault('status-503:DELETE /api-keys/*')
  const options = stage.options({ deleteOld: true })
  const { error, receipt } = await rotate(stage.services(), stage.old.id, options)
  expect(error, error?.message).toMatchObject({ exit: 7 })
  expect(receipt.state).toBe('retired')
  broken()
  const again = await rotate(stage.services(), stage.old.id, options)
  expect(again.error, again.error?.message).toBeUndefined()
  expect(stage.key(stage.old.id)).toBeUndefined()
})
