import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { rotate } from '../../src/rotation/rotate.ts'
import { Secret } from '../../src/secret.ts'
import { dieAt, failing } from './machines.ts'
import { setStage, type Stage } from './stage.ts'

let stage: Stage
beforeEach(async () => {
  stage = await setStage()
})
afterEach(() => stage.end())

describe('going on from a journal', () => {
  it('every secret in it is known before anything is said', async () => {
    await dieAt(stage, 'after saving delivered')
    const learnt: string[] = []
    const services = stage.services({ learn: (secret) => learnt.push(secret.reveal()) })
    const successor = await stage.held()
    expect((await rotate(services, stage.old.id, stage.options())).error).toBeUndefined()
    expect(learnt).toContain(successor)
    expect(learnt).toContain(stage.old.secret.reveal())
    expect(stage.key(stage.old.id)?.status, 'deleted without being asked to').toBe('revoked')
  })

  it('what was asked for at first is still done, and what is asked for now as well', async () => {
    await dieAt(stage, 'after saving minted', { deleteOld: true })
    const { receipt } = await rotate(stage.services(), stage.old.id, stage.options())
    expect(receipt.state).toBe('done')
    expect(stage.key(stage.old.id)).toBeUndefined()
    const next = stage.active()[0] ?? expect.fail()
    await dieAt({ ...stage, old: next }, 'after saving minted')
    await rotate(stage.services(), next.id, stage.options({ deleteOld: true }))
    expect(stage.key(next.id)).toBeUndefined()
    expect(stage.active()).toHaveLength(1)
  })

  it('other targets are refused, whichever their order', async () => {
    await writeFile(path.join(stage.directory, 'key.txt'), stage.old.secret.reveal())
    const env = stage.target('env:.env#PICTIFY_API_KEY')
    const file = stage.target('file:key.txt')
    await dieAt(stage, 'after saving minted', { targets: [env, file] })
    const before = stage.sandbox.requests.length
    for (const targets of [[env], [file], [env, stage.target('file:other.txt')]]) {
      const run = rotate(stage.services(), stage.old.id, stage.options({ targets }))
      await expect(run).rejects.toMatchObject({ code: 'rotation-differs', exit: 2 })
    }
    expect(stage.sandbox.requests.slice(before).filter(({ method }) => method !== 'GET')).toEqual([])
    const swapped = stage.options({ targets: [file, env] })
    expect((await rotate(stage.services(), stage.old.id, swapped)).error).toBeUndefined()
  })

  it.each([
    ['the fingerprinted one', {}],
    ['of the key’s type where none is known', { targets: 'exec:cat >taken' }],
  ])('an old secret that is not %s is refused', async (_what, { targets }: { targets?: string }) => {
    const to = targets === undefined ? {} : { targets: [stage.target(targets)] }
    await dieAt(stage, 'after saving minted', to)
    const given = targets === undefined ? 'pk_live_OtherOtherOther1' : 'pk_test_OtherOtherOther1'
    const run = rotate(stage.services(), stage.old.id, stage.options({ ...to, oldSecret: new Secret(given) }))
    await expect(run).rejects.toMatchObject({ code: 'invalid-secret' })
    expect(stage.active()).toHaveLength(2)
  })

  it('the old secret that is given only now is put back where it was not known', async () => {
    const targets = [stage.target('exec:cat >taken')]
    await dieAt(stage, 'after saving delivered', { targets })
    const options = stage.options({ targets, verify: failing, oldSecret: stage.old.secret })
    const { error } = await rotate(stage.services(), stage.old.id, options)
    expect(error, error?.message).toMatchObject({ exit: 6 })
    expect(stage.active().map(({ id }) => id)).toEqual([stage.old.id])
  })
})
