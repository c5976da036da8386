import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { KeysError } from '../../src/errors.ts'
import { rotate } from '../../src/rotation/rotate.ts'
import { Secret } from '../../src/secret.ts'
import type { Target } from '../../src/targets/target.ts'
import { dieAt } from './machines.ts'
import { createShelf } from './shelf.ts'
import { setStage, type Stage } from './stage.ts'

let stage: Stage
beforeEach(async () => {
  stage = await setStage()
})
afterEach(() => stage.end())

describe('a target that keeps a value beside the one in use', () => {
  it('has the successor there, proved, before it is the one in use', async () => {
    const shelf = createShelf(stage.old.secret)
    const { error } = await rotate(stage.services(), stage.old.id, stage.options({ targets: [shelf.target] }))
    expect(error, error?.message).toBeUndefined()
    expect(shelf.done).toEqual(['stage', 'write'])
    expect(await stage.call(shelf.current())).toBe(200)
    expect(await stage.call(stage.old.secret)).not.toBe(200)
  })

  it('never has it in use where it was changed on its way there', async () => {
    const shelf = createShelf(stage.old.secret)
    const mangling: Target = { ...shelf.target, stage: async () => new Secret('pk_live_cut') }
    const { error } = await rotate(stage.services(), stage.old.id, stage.options({ targets: [mangling] }))
    expect(error).toMatchObject({ exit: 6 })
    expect(shelf.done).toEqual(['restore'])
    expect(shelf.current()).toBe(stage.old.secret)
    expect(stage.active().map(({ id }) => id)).toEqual([stage.old.id])
  })

  it('never has it in use where the API refuses it from there', async () => {
    const shelf = createShelf(stage.old.secret)
    const staged: Target = {
      ...shelf.target,
      async stage(...given) {
        // revoked in the dashboard by somebody who takes it for a stray
        for (const key of stage.active()) if (key.id !== stage.old.id) stage.sandbox.dashboard.revoke(key.id)
        return (await shelf.target.stage?.(...given)) as Secret
      },
    }
    const { error } = await rotate(stage.services(), stage.old.id, stage.options({ targets: [staged] }))
    expect(error).toMatchObject({ exit: 6 })
    expect(shelf.done).not.toContain('write')
    expect(shelf.current()).toBe(stage.old.secret)
    expect(shelf.pending()).toBeUndefined()
  })

  it('is staged again where staging failed, and then written', async () => {
    const shelf = createShelf(stage.old.secret)
    const failures = [new KeysError('target-unclear', 'no answer', { hint: 'again' })]
    const flaky: Target = {
      ...shelf.target,
      async stage(...given) {
        const failure = failures.shift()
        if (failure) throw failure
        return (await shelf.target.stage?.(...given)) as Secret
      },
    }
    const { error } = await rotate(stage.services(), stage.old.id, stage.options({ targets: [flaky] }))
    expect(error, error?.message).toBeUndefined()
    expect(shelf.done).toEqual(['stage', 'write'])
  })

  it('is staged and written anew by the run after one that died between the two', async () => {
    const shelf = createShelf(stage.old.secret)
    let isFirst = true
    const dying: Target = {
      ...shelf.target,
      async write(...given) {
        if (isFirst) {
          isFirst = false
          throw new KeysError('internal', 'dead')
        }
        await shelf.target.write(...given)
      },
    }
    await dieAt(stage, 'before saving delivered', { targets: [dying] })
    const { error } = await rotate(stage.services(), stage.old.id, stage.options({ targets: [dying] }))
    expect(error, error?.message).toBeUndefined()
    expect(await stage.call(shelf.current())).toBe(200)
    expect(stage.active()).toHaveLength(1)
  })
})
