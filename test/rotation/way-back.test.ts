import { access, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Clock } from '../../src/clock.ts'
import { KeysError } from '../../src/errors.ts'
import { rotate } from '../../src/rotation/rotate.ts'
import type { Target } from '../../src/targets/target.ts'
import { dieAt, failing, machine, verifyOf } from './machines.ts'
import { setStage, type Stage } from './stage.ts'

// What undoing does to targets that were written, and to those that were not; and where it is refused.

let stage: Stage
beforeEach(async () => {
  stage = await setStage()
})
afterEach(() => stage.end())

const taken = () => readFile(path.join(stage.directory, 'taken'), 'utf8')
const env = () => stage.target('env:.env#PICTIFY_API_KEY')
const oneWay = (command = 'cat >taken') => stage.target(`exec:${command}`)
const successorOf = (id: string | undefined) => stage.key(id)?.secret.reveal()

/** A verify command that fails when something has happened. */
const failingAfter = (act: () => void) =>
  verifyOf(async () => {
    act()
    throw new KeysError('verify-failed', 'the verify command ended with 1')
  })

describe('there is only forward, and both keys are left as they are,', () => {
  it('where a target that cannot be read was written, and the old secret is not known', async () => {
    const options = stage.options({ targets: [oneWay()], verify: failing })
    const { error, receipt } = await rotate(stage.services(), stage.old.id, options)
    expect(error, error?.message).toMatchObject({ code: 'rotation-needs-person', exit: 7 })
    expect(error?.hint).toContain('--old-secret-stdin')
    expect(receipt.state).toBe('delivered')
    expect(stage.active()).toHaveLength(2)
    expect(await taken()).toBe(successorOf(receipt.newKey?.id))
  })

  it('where such a target may have been written, for it did not say', async () => {
    const unclear: Target = {
      ...oneWay(),
      write: async (...args) => {
        await oneWay().write(...args)
        throw new KeysError('target-unclear', 'it did not end within 60s')
      },
    }
    const options = stage.options({ targets: [unclear] })
    const { error, receipt } = await rotate(stage.services(), stage.old.id, options)
    expect(error, error?.message).toMatchObject({ code: 'rotation-needs-person', exit: 7 })
    expect(receipt.state).toBe('accepted')
    expect(await stage.call(await taken())).toBe(200)
  })

  it('where the old key is gone', async () => {
    const verify = failingAfter(() => stage.sandbox.dashboard.revoke(stage.old.id))
    const { error, receipt } = await rotate(stage.services(), stage.old.id, stage.options({ verify }))
    expect(error, error?.message).toMatchObject({ code: 'rotation-needs-person', exit: 7 })
    expect(receipt.state).toBe('delivered')
    expect(await stage.call(await stage.held())).toBe(200)
  })

  it('where the two are gone, and a target holds the successor', async () => {
    const verify = failingAfter(() => {
      for (const { id } of stage.active()) stage.sandbox.dashboard.revoke(id)
    })
    const { error, receipt } = await rotate(stage.services(), stage.old.id, stage.options({ verify }))
    expect(error, error?.message).toMatchObject({ code: 'rotation-needs-person', exit: 7 })
    expect(error?.hint).toContain('pictify-keys create')
    expect(receipt.state).not.toBe('aborted')
    expect(await stage.held()).toBe(successorOf(receipt.newKey?.id))
  })
})

describe('what is given to a target that cannot be read is', () => {
  const broken = (): Target => ({
    ...env(),
    write: async () => {
      throw new KeysError('target-refused', 'env: it may not be written')
    },
  })

  it('nothing, where it was not written', async () => {
    const options = stage.options({ targets: [oneWay(), broken()], oldSecret: stage.old.secret })
    const { error } = await rotate(stage.services(), stage.old.id, options)
    expect(error, error?.message).toMatchObject({ exit: 6 })
    await expect(access(path.join(stage.directory, 'taken'))).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('nothing, where it said itself that nothing was put in its place', async () => {
    const targets = [oneWay('cat >/dev/null; echo >>calls; exit 3')]
    const options = stage.options({ targets, oldSecret: stage.old.secret })
    const { error } = await rotate(stage.services(), stage.old.id, options)
    expect(error, error?.message).toMatchObject({ exit: 6 })
    expect(await readFile(path.join(stage.directory, 'calls'), 'utf8')).toBe('\n'.repeat(3))
  })

  it('the old secret, once, where it was', async () => {
    const targets = [oneWay('cat >taken; echo >>calls')]
    const options = () => stage.options({ targets, verify: failing, oldSecret: stage.old.secret })
    await dieAt(stage, 'after saving aborting', { ...options(), nth: 3 })
    const { error } = await rotate(stage.services(), stage.old.id, options())
    expect(error, error?.message).toMatchObject({ exit: 6 })
    expect(await taken()).toBe(stage.old.secret.reveal())
    expect(await readFile(path.join(stage.directory, 'calls'), 'utf8')).toBe('\n'.repeat(2))
  })
})

describe('a target that held nothing holds nothing again', () => {
  it.each([
    ['alone', ['file:new.txt']],
    ['beside one that held the old value', ['env:.env#PICTIFY_API_KEY', 'file:new.txt']],
  ])('%s', async (_what, names) => {
    const targets = names.map((name) => stage.target(name))
    const { error } = await rotate(
      stage.services(),
      stage.old.id,
      stage.options({ targets, verify: failing }),
    )
    expect(error, error?.message).toMatchObject({ exit: 6 })
    await expect(access(path.join(stage.directory, 'new.txt'))).rejects.toMatchObject({ code: 'ENOENT' })
    expect(await readFile(stage.envFile, 'utf8')).toBe(stage.envBefore)
  })
})

describe('the successor of a dead run, when its successor is undone in its turn,', () => {
  const options = (overrides = {}) => ({
    ...{ targets: [oneWay()], oldSecret: stage.old.secret, verify: failing, takeOver: true },
    ...overrides,
  })

  it.each([
    ['a target that cannot be read', () => [oneWay()]],
    ['that and one that can', () => [oneWay(), env()]],
  ])('goes too, when the old value is back in %s', async (_what, targets) => {
    await dieAt(stage, 'after saving minted', { machine: 'one', ...options() })
    const given = stage.options(options({ targets: targets() }))
    const { error, receipt } = await rotate(machine(stage, 'two'), stage.old.id, given)
    expect(error, error?.message).toMatchObject({ exit: 6 })
    expect(receipt.notes).toEqual([])
    expect(stage.ordinary().map(({ id }) => id)).toEqual([stage.old.id])
    expect(await taken()).toBe(stage.old.secret.reveal())
  })

  it('stays, and is told of, while it is in use', async () => {
    await dieAt(stage, 'after saving minted', { machine: 'one', ...options() })
    const [lost] = stage.active().filter(({ id }) => id !== stage.old.id)
    const clock: Clock = {
      ...stage.clock,
      async sleep(ms, signal) {
        await stage.call(lost?.secret)
        await stage.clock.sleep(ms, signal)
      },
    }
    const given = stage.options(options({ idleMs: 10_000, waitMs: 60_000 }))
    const { error, receipt } = await rotate(machine(stage, 'two', { clock }), stage.old.id, given)
    expect(error, error?.message).toMatchObject({ exit: 6 })
    expect(stage.key(lost?.id)?.status).toBe('active')
    expect(receipt.notes).toEqual([expect.stringContaining('may still be in use')])
    expect(stage.key(receipt.newKey?.id)).toBeUndefined()
  })

  it('stays where a target that cannot be read was not come to, and may hold it', async () => {
    await dieAt(stage, 'after saving delivered', { machine: 'one', ...options({ verify: undefined }) })
    const broken: Target = {
      ...stage.target('env:other.env'),
      write: async () => {
        throw new KeysError('target-refused', 'env: it may not be written')
      },
    }
    const given = stage.options(options({ targets: [env(), broken, oneWay()] }))
    const { error } = await rotate(machine(stage, 'two'), stage.old.id, given)
    expect(error, error?.message).toMatchObject({ exit: 6 })
    expect(await stage.call(await taken())).toBe(200)
  })

  it('stays where it cannot be seen what a target holds', async () => {
    await dieAt(stage, 'after saving minted', { machine: 'one', ...options() })
    const [lost] = stage.active().filter(({ id }) => id !== stage.old.id)
    let isRestored = false
    const target: Target = {
      ...env(),
      async read(...args) {
        if (isRestored) throw new KeysError('target-failed', 'env: it cannot be read')
        return env().read(...args)
      },
      async restore(...args) {
        await env().restore(...args)
        isRestored = true
      },
    }
    const { error, receipt } = await rotate(
      machine(stage, 'two'),
      stage.old.id,
      stage.options(options({ targets: [oneWay(), target] })),
    )
    expect(error, error?.message).toMatchObject({ exit: 6 })
    expect(stage.key(lost?.id)?.status).toBe('active')
    expect(receipt.notes).toEqual([expect.stringContaining('may still be in use')])
  })
})

describe('the successor that is undone', () => {
  it('stays while it is not known whether it is in use, and goes when the evidence is waived', async () => {
    stage.sandbox.addFault('status-503:GET /api-keys/*/usage')
    const options = { verify: failing, waitMs: 1_000 }
    const { error, receipt } = await rotate(stage.services(), stage.old.id, stage.options(options))
    expect(error, error?.message).toMatchObject({ exit: 5 })
    expect(receipt.state).toBe('aborting')
    expect(stage.key(receipt.newKey?.id)?.status).toBe('active')
    expect(await readFile(stage.envFile, 'utf8')).toBe(stage.envBefore)
    const waived = stage.options({ ...options, evidence: false })
    const again = await rotate(stage.services(), stage.old.id, waived)
    expect(again.error, again.error?.message).toMatchObject({ exit: 6 })
    expect(stage.ordinary().map(({ id }) => id)).toEqual([stage.old.id])
  })

  it('is not waited for where no target ever held it', async () => {
    stage.sandbox.addFault('refuse-new')
    const options = stage.options({ settleMs: 300, idleMs: 600_000, waitMs: 1_000 })
    const { error } = await rotate(stage.services(), stage.old.id, options)
    expect(error, error?.message).toMatchObject({ exit: 6 })
    expect(stage.ordinary().map(({ id }) => id)).toEqual([stage.old.id])
  })
})

it('why it was undone is in the receipt, without a secret', async () => {
  const verify = verifyOf(async (secret) => {
    throw new KeysError('verify-failed', `it said ${secret.reveal()} and ${stage.old.secret.reveal()}`)
  })
  const { error, receipt } = await rotate(stage.services(), stage.old.id, stage.options({ verify }))
  expect(receipt.failure).toMatchObject({ code: 'verify-failed' })
  for (const text of [receipt.failure?.message, error?.message]) {
    expect(text).toMatch(/it said .* and /)
    expect(text).not.toMatch(/pk_live_\w{8}/)
  }
})

it('a target that was changed since is left, and told of', async () => {
  const verify = verifyOf(async () => {
    await writeFile(stage.envFile, 'PICTIFY_API_KEY=pk_live_somebodyElsesKey0000000000\n')
    throw new KeysError('verify-failed', 'no')
  })
  const { error, receipt } = await rotate(stage.services(), stage.old.id, stage.options({ verify }))
  expect(error, error?.message).toMatchObject({ exit: 6 })
  expect(receipt.notes).toEqual([expect.stringContaining('changed by somebody else')])
  expect(await stage.held()).toBe('pk_live_somebodyElsesKey0000000000')
})
