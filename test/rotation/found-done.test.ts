import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { rotate } from '../../src/rotation/rotate.ts'
import { dieAt, machine } from './machines.ts'
import { realFetch, setStage, type Stage } from './stage.ts'

let stage: Stage
beforeEach(async () => {
  stage = await setStage()
})
afterEach(() => stage.end())

const lastPoint = 'after PUT /api-keys/:id'

describe('a rotation that was killed when its successor had the plain name already', () => {
  it('is found done on another machine, by the id of the old key', async () => {
    await dieAt(stage, lastPoint)
    const { receipt, error } = await rotate(machine(stage, 'two'), stage.old.id, stage.options())
    expect(error).toBeUndefined()
    expect(receipt).toMatchObject({ state: 'done', newKey: { id: stage.active()[0]?.id } })
    expect(receipt.notes).toEqual([expect.stringContaining('it was done before')])
    expect(stage.ordinary()).toHaveLength(2)
    // and from then on by its receipt
    await writeFile(stage.envFile, 'PICTIFY_API_KEY=pk_live_0000000000000000000000000000')
    const again = await rotate(machine(stage, 'two'), stage.old.id, stage.options())
    expect(again.receipt).toEqual(receipt)
  })

  it('is not, where a target holds another key', async () => {
    await dieAt(stage, lastPoint)
    const other = stage.sandbox.dashboard.create({ name: 'Another' })
    await writeFile(stage.envFile, `PICTIFY_API_KEY=${other.secret.reveal()}\n`)
    const again = rotate(machine(stage, 'two'), stage.old.id, stage.options())
    await expect(again).rejects.toMatchObject({ exit: 1 })
    expect(stage.key(other.id)?.status).toBe('active')
  })

  it('has its old key deleted, where that was asked for', async () => {
    await dieAt(stage, lastPoint, { deleteOld: true })
    expect(stage.key(stage.old.id)?.status).toBe('revoked')
    const { error } = await rotate(machine(stage, 'two'), stage.old.id, stage.options({ deleteOld: true }))
    expect(error).toBeUndefined()
    expect(stage.ordinary().map(({ name, status }) => ({ name, status }))).toEqual([
      { name: 'Production Server', status: 'active' },
    ])
  })

  it('is not found done where a target cannot be read', async () => {
    await dieAt(stage, lastPoint)
    const targets = [stage.target('env:.env#PICTIFY_API_KEY'), stage.target('exec:cat >taken')]
    const again = rotate(machine(stage, 'two'), stage.old.id, stage.options({ targets }))
    await expect(again).rejects.toThrow('is revoked already')
  })

  it.each([
    ['another key', (secret: string) => `PICTIFY_API_KEY=${secret}\n`],
    ['nothing', () => 'PORT=80\n'],
    ['an empty variable', () => 'PICTIFY_API_KEY=\n'],
  ])('is not found done where one of several targets holds %s', async (_what, contentOf) => {
    await dieAt(stage, lastPoint)
    const other = stage.sandbox.dashboard.create({ name: 'Production Server', type: 'live' })
    await writeFile(path.join(stage.directory, 'other.env'), contentOf(other.secret.reveal()))
    for (const names of [
      ['.env', 'other.env'],
      ['other.env', '.env'],
    ]) {
      const targets = names.map((name) => stage.target(`env:${name}`))
      const again = rotate(machine(stage, 'two'), stage.old.id, stage.options({ targets }))
      await expect(again).rejects.toThrow('is revoked already')
    }
  })

  it('is not found done by a key of its name and another type', async () => {
    stage.sandbox.dashboard.revoke(stage.old.id)
    const other = stage.sandbox.dashboard.create({ name: 'Production Server', type: 'test' })
    await writeFile(stage.envFile, `PICTIFY_API_KEY=${other.secret.reveal()}\n`)
    const again = rotate(machine(stage, 'two'), stage.old.id, stage.options())
    await expect(again).rejects.toThrow('is revoked already')
  })

  it('is not found done while the old key is not deleted, as was asked for; and is when it is gone', async () => {
    await dieAt(stage, lastPoint, { deleteOld: true })
    const broken = stage.sandbox.addFault('status-503:DELETE /api-keys/*')
    const options = stage.options({ deleteOld: true })
    const two = machine(stage, 'two')
    await expect(rotate(two, stage.old.id, options)).rejects.toMatchObject({ status: 503 })
    broken()
    const api = stage.client(undefined, (url, init) => {
      // Somebody else is faster.
      if (init.method === 'DELETE') stage.sandbox.dashboard.delete(stage.old.id)
      return realFetch(url, init)
    })
    const { receipt, error } = await rotate({ ...two, api }, stage.old.id, options)
    expect([receipt.state, error]).toEqual(['done', undefined])
  })

  it('tells which secret is to be masked', async () => {
    await dieAt(stage, lastPoint)
    const learnt: string[] = []
    const services = machine(stage, 'two', { learn: (secret) => learnt.push(secret.reveal()) })
    await rotate(services, stage.old.id, stage.options())
    expect(learnt).toContain(await stage.held())
  })
})

it('a rotation is not found done while its old key works, though a target holds a key of its name', async () => {
  const other = stage.sandbox.dashboard.create({ name: 'Production Server', type: 'live' })
  await writeFile(stage.envFile, `PICTIFY_API_KEY=${other.secret.reveal()}\n`)
  const run = rotate(stage.services(), stage.old.id, stage.options())
  await expect(run).rejects.toMatchObject({ code: 'target-refused' })
})
