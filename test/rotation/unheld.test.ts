import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { rotate } from '../../src/rotation/rotate.ts'
import { dieAt, machine } from './machines.ts'
import { setStage, type Stage } from './stage.ts'

// A mistyped target is filled all the same, and a batch job that calls once a day is idle all the while.

let stage: Stage
beforeEach(async () => {
  stage = await setStage()
})
afterEach(() => stage.end())

const mistyped = () => stage.options({ targets: [stage.target('env:.env#PICTIFY_API_KYE')], waitMs: 500 })
const isOldAlive = () => stage.key(stage.old.id)?.status === 'active'

describe('a target that held no key before, of a key that is used,', () => {
  beforeEach(async () => {
    await stage.call(stage.old.secret)
    await stage.clock.sleep(3_600_000)
  })

  it('leaves the old key alive until an application has used the new one', async () => {
    const { error, receipt } = await rotate(stage.services(), stage.old.id, mistyped())
    expect(error).toMatchObject({ exit: 5 })
    expect(error?.message).toContain('env:.env#PICTIFY_API_KYE held no key before')
    expect(isOldAlive()).toBe(true)

    await stage.clock.sleep(60_000)
    await stage.call(stage.key(receipt.newKey?.id)?.secret)
    const again = await rotate(stage.services(), stage.old.id, mistyped())
    expect(again.error, again.error?.message).toBeUndefined()
    expect(isOldAlive()).toBe(false)
  })

  it('does so on another machine too', async () => {
    await dieAt(stage, 'after saving verified', { machine: 'one', ...mistyped() })
    const options = { ...mistyped(), takeOver: true }
    const { error } = await rotate(machine(stage, 'two'), stage.old.id, options)
    expect(error).toMatchObject({ exit: 5 })
    expect(isOldAlive()).toBe(true)
  })

  it('is filled at once where the evidence is waived', async () => {
    const options = { ...mistyped(), evidence: false }
    const { error } = await rotate(stage.services(), stage.old.id, options)
    expect(error).toBeUndefined()
  })
})

it('so does a key that was never used: what is to use it may be deployed and not have called yet', async () => {
  const { error } = await rotate(stage.services(), stage.old.id, mistyped())
  expect(error).toMatchObject({ exit: 5 })
  expect(error?.hint).toContain('--abort')
  expect(isOldAlive()).toBe(true)
})

it('so does a variable that is there and empty', async () => {
  await writeFile(stage.envFile, 'PICTIFY_API_KEY=\n')
  const { error } = await rotate(stage.services(), stage.old.id, stage.options({ waitMs: 500 }))
  expect(error).toMatchObject({ exit: 5 })
  expect(isOldAlive()).toBe(true)
})

it('beside a variable that is empty, another machine knows the old secret in a further target', async () => {
  await writeFile(path.join(stage.directory, 'empty.env'), 'PICTIFY_API_KEY=\n')
  const targets = [stage.target('env:empty.env'), stage.target('env:.env')]
  await dieAt(stage, 'after writing value', { machine: 'one', targets })
  const options = stage.options({ targets, takeOver: true })
  const { error } = await rotate(machine(stage, 'two'), stage.old.id, options)
  expect(error, error?.message).toBeUndefined()
  expect(await stage.call(await stage.held())).toBe(200)
})

it('a variable that is there and empty holds nobody’s secret, on another machine too', async () => {
  await writeFile(stage.envFile, 'PICTIFY_API_KEY=\n')
  await dieAt(stage, 'after saving minted', { machine: 'one' })
  const options = stage.options({ takeOver: true, evidence: false })
  const { error, receipt } = await rotate(machine(stage, 'two'), stage.old.id, options)
  expect(error, error?.message).toBeUndefined()
  expect(await stage.held()).toBe(stage.key(receipt.newKey?.id)?.secret.reveal())
  expect(stage.ordinary()).toHaveLength(2)
})
