import { writeFile } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { rotate } from '../../src/rotation/rotate.ts'
import { dieAt, machine } from './machines.ts'
import { setStage, type Stage } from './stage.ts'

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
    await expect(again).rejects.toMatchObject({ exit: 1 })
  })
})
