import { readFile, writeFile } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { KeysError } from '../../src/errors.ts'
import { parseMark } from '../../src/rotation/marked-name.ts'
import { rotate } from '../../src/rotation/rotate.ts'
import type { Target } from '../../src/targets/target.ts'
import { failing, verifyOf } from './machines.ts'
import { setStage, type Stage } from './stage.ts'

let stage: Stage
beforeEach(async () => {
  stage = await setStage()
})
afterEach(() => stage.end())

/** The old key works, the target is as it was byte for byte, and no key was added. */
async function expectUndone(): Promise<void> {
  expect(stage.active().map(({ id, name }) => ({ id, name }))).toEqual([
    { id: stage.old.id, name: 'Production Server' },
  ])
  expect(stage.ordinary()).toHaveLength(1)
  expect(await readFile(stage.envFile, 'utf8')).toBe(stage.envBefore)
}

/** One active key of the plain name, its secret in the target, the old one revoked, nothing else. */
async function expectRotated(): Promise<void> {
  const [successor, ...others] = stage.active()
  expect(others).toEqual([])
  expect(successor).toMatchObject({ name: 'Production Server', type: 'live', access: 'full' })
  expect(successor?.id).not.toBe(stage.old.id)
  expect(await stage.held()).toBe(successor?.secret.reveal())
  expect(stage.key(stage.old.id)?.status).toBe('revoked')
  expect(stage.ordinary()).toHaveLength(2)
}

describe('a rotation', () => {
  it('ends with the successor in the target under the plain name, and the old key revoked', async () => {
    const { receipt, error } = await rotate(stage.services(), 'Production Server', stage.options())
    expect(error).toBeUndefined()
    expect(receipt).toMatchObject({
      state: 'done',
      oldKey: { id: stage.old.id },
      targets: [{ name: 'env:.env#PICTIFY_API_KEY', state: 'delivered' }],
      evidence: { waived: false, oldKeyIdle: true, overlapOver: true },
    })
    await expectRotated()
    const text = await readFile(stage.envFile, 'utf8')
    expect(text).toMatch(/^# keys\r\nexport PICTIFY_API_KEY="pk_live_\w+" # live\r\nPORT=80$/)
    expect(stage.events.map((event) => (event.event === 'state' ? event.state : ''))).toEqual(
      expect.arrayContaining([
        'minted',
        'accepted',
        'delivered',
        'verified',
        'overlapping',
        'retired',
        'done',
      ]),
    )
  })

  it('marks the successor while it is under way, and says so in its name within 100 characters', async () => {
    const names: string[] = []
    const verify = verifyOf(async () => {
      names.push(...stage.active().map(({ name }) => name))
    })
    await rotate(stage.services(), stage.old.id, stage.options({ verify }))
    expect(names[0]).toMatch(
      new RegExp(`^Production Server \\(rotating ${stage.old.id} #[0-9a-f]{6}-[0-9a-f]{6}-[0-9a-z]{10}\\)$`),
    )
  })

  it('goes on after an answer to the mint that was lost, with one new key', async () => {
    stage.sandbox.addFault('lose-answer:POST /api-keys$@1')
    const { error } = await rotate(stage.services(), 'Production Server', stage.options())
    expect(error).toBeUndefined()
    await expectRotated()
  })

  it('removes what a server minted twice that takes no notice of the idempotency key', async () => {
    stage.sandbox.addFault('lose-answer:POST /api-keys$@1')
    stage.sandbox.addFault('ignore-idempotency')
    const { error } = await rotate(stage.services(), 'Production Server', stage.options())
    expect(error).toBeUndefined()
    await expectRotated()
  })

  it('finds the key of a secret that came in an answer nobody can read', async () => {
    stage.sandbox.addFault('mystery-shape')
    const { error } = await rotate(stage.services(), 'Production Server', stage.options())
    expect(error).toBeUndefined()
    await expectRotated()
  })

  it('deletes the old key where that is asked for', async () => {
    await rotate(stage.services(), 'Production Server', stage.options({ deleteOld: true }))
    expect(stage.sandbox.keys().some(({ id }) => id === stage.old.id)).toBe(false)
    expect(stage.active()).toHaveLength(1)
  })
})

describe('a rotation that fails before the old key is revoked', () => {
  it('is undone when a target fails', async () => {
    const failing = { ...stage.target('env:.env#PICTIFY_API_KEY') }
    const broken: Target = {
      ...failing,
      name: 'env:broken',
      place: 'broken',
      read: async () => undefined,
      write: async () => {
        throw new KeysError('target-failed', 'env:broken: the disk is full')
      },
      restore: async () => {},
    }
    const targets = [failing, broken]
    const { receipt, error } = await rotate(stage.services(), 'Production Server', stage.options({ targets }))
    expect(error).toMatchObject({ code: 'rotation-undone', exit: 6 })
    expect(error?.message).toContain('env:broken: the disk is full')
    expect(receipt.state).toBe('aborted')
    await expectUndone()
  })

  it('is undone when a command that is a target ends with an error', async () => {
    const targets = [stage.target('env:.env#PICTIFY_API_KEY'), stage.target('exec:cat >/dev/null; exit 3')]
    const { error } = await rotate(stage.services(), 'Production Server', stage.options({ targets }))
    expect(error, error?.message).toMatchObject({ exit: 6 })
    await expectUndone()
  })

  it('is undone when the verify command fails', async () => {
    const { error } = await rotate(stage.services(), 'Production Server', stage.options({ verify: failing }))
    expect(error, error?.message).toMatchObject({ exit: 6 })
    await expectUndone()
  })

  it('is undone when the successor is never accepted', async () => {
    stage.sandbox.addFault('refuse-new')
    const began = stage.clock.now()
    const { error } = await rotate(stage.services(), 'Production Server', stage.options())
    expect(error, error?.message).toMatchObject({ exit: 6 })
    expect(stage.clock.now() - began).toBeGreaterThan(10_000)
    await expectUndone()
  })

  it('leaves alone what somebody else wrote into the target meanwhile', async () => {
    const target = stage.target('env:.env#PICTIFY_API_KEY')
    const other = 'pk_live_somebodyElsesKey0000000000'
    const targets: Target[] = [
      {
        ...target,
        write: async (...args) => {
          await writeFile(stage.envFile, `PICTIFY_API_KEY=${other}\n`)
          await target.write(...args)
        },
      },
    ]
    const { error } = await rotate(stage.services(), 'Production Server', stage.options({ targets }))
    expect(error, error?.message).toMatchObject({ exit: 6 })
    expect(await stage.held()).toBe(other)
    expect(stage.active().map(({ id }) => id)).toEqual([stage.old.id])
  })

  it('ends with 9 and changes nothing when the plan is full', async () => {
    // The Pro plan's 10 live keys: ours, the admin key, and 8 more.
    for (let n = 1; n <= 8; n++) stage.sandbox.dashboard.create({ name: `other ${n}`, type: 'live' })
    const before = stage.sandbox.keys().map(({ id }) => id)
    await expect(rotate(stage.services(), stage.old.id, stage.options())).rejects.toMatchObject({ exit: 9 })
    expect(stage.sandbox.keys().map(({ id }) => id)).toEqual(before)
    expect(await readFile(stage.envFile, 'utf8')).toBe(stage.envBefore)
  })
})

describe('the evidence gate', () => {
  it('ends with 5 while the old key is in use, gives its lease up, and goes on when it is quiet', async () => {
    await stage.call(stage.old.secret)
    const options = stage.options({ waitMs: 1_500, idleMs: 60_000 })
    const { receipt, error } = await rotate(stage.services(), 'Production Server', options)
    expect(error).toMatchObject({ exit: 5 })
    expect(receipt.state).toBe('overlapping')
    const marked = stage.active().find(({ id }) => id === receipt.newKey?.id)
    expect(parseMark(marked?.name ?? '')?.leaseUntil).toBe(0)
    expect(stage.active()).toHaveLength(2)

    const again = await rotate(stage.services(), 'Production Server', stage.options({ waitMs: 20_000 }))
    expect(again.error).toBeUndefined()
    expect(again.receipt.id).toBe(receipt.id)
    await expectRotated()
  })

  it('waits for somebody else to use the successor where a target cannot be read back', async () => {
    const targets = [stage.target('exec:cat >taken')]
    const first = await rotate(stage.services(), stage.old.id, stage.options({ targets, waitMs: 500 }))
    expect(first.error).toMatchObject({ exit: 5 })
    expect(first.error?.message).toContain('no application has used')
    const secret = await readFile(`${stage.directory}/taken`, 'utf8')
    await stage.clock.sleep(2_100)
    expect(await stage.call(secret)).toBe(200)
    const again = await rotate(stage.services(), stage.old.id, stage.options({ targets }))
    expect(again.error).toBeUndefined()
    expect(again.receipt).toMatchObject({ state: 'done', evidence: { successorUsed: true } })
  })
})
