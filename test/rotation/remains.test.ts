import { afterEach, beforeEach, expect, it } from 'vitest'
import { rotate } from '../../src/rotation/rotate.ts'
import { dieAt, failing, machine } from './machines.ts'
import { setStage, type Stage } from './stage.ts'

let stage: Stage
beforeEach(async () => {
  stage = await setStage()
})
afterEach(() => stage.end())

/** A machine undoes its rotation, and dies between the revoke of its successor and the delete. */
const dieRevoked = () => dieAt(stage, 'before DELETE /api-keys/:id', { machine: 'one', verify: failing })

it('a successor that was revoked when its run died is deleted by the next run, wherever that is', async () => {
  await dieRevoked()
  const [dead] = stage.ordinary().filter(({ status }) => status === 'revoked')
  expect(dead?.name).toContain('(rotating ')
  const { error } = await rotate(machine(stage, 'two'), stage.old.id, stage.options())
  expect(error).toBeUndefined()
  expect(stage.key(dead?.id)).toBeUndefined()
  expect(
    stage
      .ordinary()
      .map(({ status }) => status)
      .sort(),
  ).toEqual(['active', 'revoked'])
})

it('also when the key that it was to follow was rotated meanwhile', async () => {
  await dieRevoked()
  const [dead] = stage.ordinary().filter(({ status }) => status === 'revoked')
  stage.sandbox.dashboard.revoke(stage.old.id)
  const other = stage.sandbox.dashboard.create({ name: stage.old.name, type: 'live', access: 'full' })
  const options = stage.options({ targets: [stage.target('file:other.txt')], evidence: false })
  expect((await rotate(machine(stage, 'two'), other.id, options)).error).toBeUndefined()
  expect(stage.key(dead?.id)).toBeUndefined()
})

it('and a revoked key of another name, or without a mark, is left alone', async () => {
  const other = stage.sandbox.dashboard.create({ name: 'Other', type: 'live', access: 'full' })
  const options = stage.options({
    targets: [stage.target('file:other.txt')],
    evidence: false,
    verify: failing,
  })
  await dieAt(stage, 'before DELETE /api-keys/:id', { machine: 'one', verify: failing })
  const plain = stage.sandbox.dashboard.create({ name: stage.old.name, type: 'live', access: 'full' })
  stage.sandbox.dashboard.revoke(plain.id)
  const before = stage.ordinary().length
  await rotate(machine(stage, 'two'), other.id, options)
  expect(stage.ordinary()).toHaveLength(before)
  expect(stage.key(plain.id)?.status).toBe('revoked')
})
