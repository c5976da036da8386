import { readFile } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { rotate } from '../../src/rotation/rotate.ts'
import type { Target } from '../../src/targets/target.ts'
import { dieAt, machine } from './machines.ts'
import { setStage, type Stage } from './stage.ts'

let stage: Stage
let cluster: string | undefined
beforeEach(async () => {
  stage = await setStage()
  cluster = 'the first cluster'
})
afterEach(() => stage.end())

/** A name that means another place as soon as somebody switches. */
function switched(): Target {
  return { ...stage.target('env:.env#PICTIFY_API_KEY'), identify: async () => cluster }
}
const options = () => stage.options({ targets: [switched()] })

describe('a name that means another place by now', () => {
  it('is not written to', async () => {
    await dieAt(stage, 'before saving accepted', { targets: [switched()] })
    cluster = 'the second cluster'
    const { error } = await rotate(stage.services(), stage.old.id, options())
    expect(error).toMatchObject({
      exit: 6,
      message:
        'rotation undone: env:.env#PICTIFY_API_KEY is in the second cluster now, and was in the first cluster before',
    })
    expect(await readFile(stage.envFile, 'utf8')).toBe(stage.envBefore)
  })

  it('is not undone there: a person is told, and both keys stay', async () => {
    await dieAt(stage, 'before saving verified', { targets: [switched()] })
    cluster = 'the second cluster'
    const failing = { ...options(), verify: undefined }
    const target = failing.targets[0] as Target
    // what the other cluster holds under that name
    const elsewhere: Target = { ...target, read: async () => ({ value: stage.old.secret }) }
    const { error } = await rotate(stage.services(), stage.old.id, { ...failing, targets: [elsewhere] })
    expect(error).toMatchObject({ exit: 7 })
    expect(error?.message).toContain('is in the second cluster now, and was in the first cluster before')
    expect(stage.active()).toHaveLength(2)
    cluster = 'the first cluster'
    const again = await rotate(stage.services(), stage.old.id, options())
    expect(again.error).toMatchObject({ exit: 6 })
    expect(await readFile(stage.envFile, 'utf8')).toBe(stage.envBefore)
    expect(stage.active().map(({ id }) => id)).toEqual([stage.old.id])
  })

  it('is told of by another machine too, which looked for itself', async () => {
    await dieAt(stage, 'before saving verified', { targets: [switched()] })
    const { error } = await rotate(machine(stage, 'two'), stage.old.id, { ...options(), takeOver: true })
    expect(error, error?.message).toBeUndefined()
  })

  it('is not undone there either, where it was made by the rotation', async () => {
    cluster = undefined
    const made = {
      ...switched(),
      identify: async () => ((await stage.held()) === stage.old.secret.reveal() ? undefined : cluster),
    }
    cluster = 'where it was made'
    await dieAt(stage, 'before saving verified', { targets: [made] })
    cluster = 'elsewhere'
    const elsewhere: Target = { ...made, read: async () => ({ value: stage.old.secret }) }
    const { error } = await rotate(stage.services(), stage.old.id, stage.options({ targets: [elsewhere] }))
    expect(error).toMatchObject({ exit: 7 })
    expect(error?.message).toContain('is in elsewhere now, and was in where it was made before')
  })

  it('says nothing where it was not there when the rotation was planned', async () => {
    cluster = undefined
    await dieAt(stage, 'before saving accepted', { targets: [switched()] })
    cluster = 'made since'
    const { error } = await rotate(stage.services(), stage.old.id, options())
    expect(error, error?.message).toBeUndefined()
  })
})
