import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { abortRotation, rotate } from '../../src/rotation/rotate.ts'
import { dieAt, machine } from './machines.ts'
import { setStage, type Stage } from './stage.ts'

let stage: Stage
beforeEach(async () => {
  stage = await setStage()
})
afterEach(() => stage.end())

describe('going on', () => {
  it('on a machine whose rotation another one has ended closes it, and is not told to create a key', async () => {
    await dieAt(stage, 'after saving minted', { machine: 'one' })
    const two = await rotate(machine(stage, 'two'), stage.old.id, stage.options({ takeOver: true }))
    expect(two.error).toBeUndefined()
    const again = await rotate(machine(stage, 'one'), 'Production Server', stage.options())
    expect(again.error?.message).toContain('was rotated elsewhere meanwhile')
    expect(again.error).toMatchObject({ code: 'rotation-locked' })
    const aborted = abortRotation(machine(stage, 'one'), 'Production Server', stage.options())
    await expect(aborted, 'nothing is left to abort').rejects.toMatchObject({ code: 'rotation-not-found' })
  })

  it('after the end gives the receipt again, but not for other targets', async () => {
    const done = await rotate(stage.services(), stage.old.id, stage.options())
    const again = await rotate(stage.services(), stage.old.id, stage.options())
    expect(again.receipt).toEqual(done.receipt)
    const elsewhere = stage.options({ targets: [stage.target('env:other.env#PICTIFY_API_KEY')] })
    const run = rotate(stage.services(), stage.old.id, elsewhere)
    await expect(run).rejects.toMatchObject({ code: 'rotation-differs', exit: 2 })
  })

  it('knows a place by another spelling', async () => {
    await dieAt(stage, 'after saving minted')
    const options = stage.options({ targets: [stage.target('env:./.env')] })
    const { error } = await rotate(stage.services(), stage.old.id, options)
    expect(error, error?.message).toBeUndefined()
  })
})
