import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { KeysError } from '../../src/errors.ts'
import { keyLimit } from '../../src/key-limits.ts'
import { rotate } from '../../src/rotation/rotate.ts'
import type { RotationOptions } from '../../src/rotation/run.ts'
import { dieAt, machine, verifyOf } from './machines.ts'
import { setStage, type Stage } from './stage.ts'

let stage: Stage
beforeEach(async () => {
  stage = await setStage()
})
afterEach(() => stage.end())

const env = () => stage.target('env:.env#PICTIFY_API_KEY')
const missing = { ...verifyOf(async () => {}), exists: async () => false }
const run = (overrides: Partial<RotationOptions> = {}) =>
  rotate(stage.services(), stage.old.id, stage.options(overrides))
const create = (n: number, type: 'live' | 'test') => {
  for (; n > 0; n--) stage.sandbox.dashboard.create({ name: `other ${n}`, type })
}

/** That it is refused, and that no request changed anything. */
async function expectRefused(refused: Promise<unknown>, error: object): Promise<KeysError> {
  const reason = await refused.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(reason).toBeInstanceOf(KeysError)
  expect(reason).toMatchObject(error)
  expect(stage.sandbox.requests.filter(({ method }) => method !== 'GET')).toEqual([])
  expect(await readFile(stage.envFile, 'utf8')).toBe(stage.envBefore)
  return reason as KeysError
}

describe('a plan says everything that is wrong at once', () => {
  it('when the reasons differ, with an exit that says no more than that', async () => {
    create(8, 'live')
    const error = await expectRefused(
      run({
        targets: [
          { ...env(), check: () => Promise.reject(new KeysError('target-refused', 'first: no')) },
          { ...env(), read: () => Promise.reject(new KeysError('target-failed', 'second: no')) },
        ],
        verify: missing,
      }),
      { code: 'plan-failed', exit: 1 },
    )
    for (const what of ['no room', 'first: no', 'second: no', 'cannot be run: smoke']) {
      expect(error.message).toContain(what)
    }
    expect(error.hint).toContain('check its path')
  })

  it('when all end alike, with that exit', async () => {
    await expectRefused(run({ targets: [], verify: missing }), { code: 'plan-failed', exit: 2 })
  })

  it('and a single reason as it is', async () => {
    await expectRefused(run({ verify: missing }), { code: 'usage', exit: 2 })
    await expectRefused(run({ targets: [] }), { code: 'usage', exit: 2 })
  })

  it('such as that journals cannot be written', async () => {
    const { journals } = stage.services()
    const prove = () => Promise.reject(new KeysError('state-directory', 'the disk is full'))
    const services = stage.services({ journals: { ...journals, prove } })
    await expectRefused(rotate(services, stage.old.id, stage.options()), { code: 'state-directory' })
  })

  it('but stops at once when it is interrupted', async () => {
    const check = () => Promise.reject(new KeysError('interrupted', 'interrupted'))
    await expectRefused(run({ targets: [{ ...env(), check }], verify: missing }), { code: 'interrupted' })
  })

  it('and takes no defect of ours for a reason', async () => {
    const check = () => Promise.reject(new TypeError('ours'))
    await expect(run({ targets: [{ ...env(), check }], verify: missing })).rejects.toThrow(TypeError)
  })
})

describe('room for a successor', () => {
  it.each([
    ['free', 2, 5],
    ['pro', 10, 10],
    ['business', 50, 50],
    ['enterprise', Infinity, Infinity],
    [undefined, undefined, undefined],
  ] as const)('on the %s plan: %s live keys, %s test keys', (plan, live, test) => {
    expect([keyLimit(plan, 'live'), keyLimit(plan, 'test')]).toEqual([live, test])
  })

  it('is there as long as one more of that type is allowed', async () => {
    create(7, 'live')
    create(10, 'test')
    const { error } = await run()
    expect(error, error?.message).toBeUndefined()
  })

  it('is not taken by keys that are revoked', async () => {
    create(8, 'live')
    const other = stage.active().find(({ name }) => name === 'other 8')
    stage.sandbox.dashboard.revoke(other?.id ?? '')
    const { error } = await run()
    expect(error, error?.message).toBeUndefined()
  })

  it('is taken by a successor that an earlier run left and that may be in use, which is named', async () => {
    const targets = [stage.target('exec:cat >taken')]
    await dieAt(stage, 'after saving minted', { machine: 'one', targets })
    const left = stage.active().find(({ id }) => id !== stage.old.id)
    create(7, 'live')
    const options = stage.options({ targets, takeOver: true })
    const again = rotate(machine(stage, 'two'), stage.old.id, options)
    await expect(again).rejects.toMatchObject({
      ...{ code: 'key-limit-reached', exit: 9 },
      hint: expect.stringContaining(left?.id ?? '') as string,
    })
    expect(stage.key(left?.id)?.status).toBe('active')
  })

  it('is there where the plan has no limit', async () => {
    await stage.end()
    stage = await setStage({ plan: 'enterprise' })
    create(60, 'live')
    const { error } = await run()
    expect(error, error?.message).toBeUndefined()
  })

  it('is made by a key that is revoked first', async () => {
    create(8, 'live')
    await expectRefused(run(), { code: 'key-limit-reached', exit: 9 })
    const { error } = await run({ compromised: 'revoke-first' })
    expect(error, error?.message).toBeUndefined()
  })
})

describe('a key that is revoked already', () => {
  it('is not rotated', async () => {
    stage.sandbox.dashboard.revoke(stage.old.id)
    await expectRefused(run(), { code: 'api-key-revoked' })
  })

  it('is, where it was to be revoked first', async () => {
    stage.sandbox.dashboard.revoke(stage.old.id)
    const { error } = await run({ compromised: 'revoke-first' })
    expect(error, error?.message).toBeUndefined()
    expect(await stage.call(await stage.held())).toBe(200)
  })
})

describe('what a target holds', () => {
  it('is not overwritten where it is a key of another type', async () => {
    const other = stage.sandbox.dashboard.create({ name: 'Test', type: 'test' })
    const held = `PICTIFY_API_KEY=${other.secret.reveal()}\n`
    stage.envBefore = held
    await writeFile(stage.envFile, held)
    const error = await expectRefused(run(), { code: 'target-refused' })
    expect(error.message).toContain('a test key')
  })

  it('is known from then on, to be masked, and is the old secret wherever it is found first', async () => {
    await writeFile(path.join(stage.directory, 'empty.env'), 'PICTIFY_API_KEY=\n')
    const learnt: string[] = []
    const services = stage.services({ learn: (secret) => learnt.push(secret.reveal()) })
    const options = stage.options({ targets: [stage.target('env:empty.env'), env()] })
    const { error, receipt } = await rotate(services, stage.old.id, options)
    expect(learnt).toContain(stage.old.secret.reveal())
    expect(learnt).toContain(stage.key(receipt.newKey?.id)?.secret.reveal())
    // One place is proved to be read by an application, so that nobody is waited for.
    expect(error, error?.message).toBeUndefined()
  })

  const warnings = () => stage.events.filter(({ event }) => event === 'warning')

  it('is told of when the API refuses it: the application is down already', async () => {
    await writeFile(stage.envFile, 'PICTIFY_API_KEY=pk_live_000000000000000000000000\n')
    const { error } = await run()
    expect(error, error?.message).toBeUndefined()
    expect(warnings()).toMatchObject([{ code: 'target-refused-value' }])
  })

  it.each([
    ['it works', 90 * 86_400_000],
    ['its key was just made, and spreads', 0],
  ])('is not told of where %s', async (_what, ageMs) => {
    await stage.end()
    stage = await setStage({ propagationMs: 5_000 })
    const young = stage.sandbox.dashboard.create({
      ...{ name: 'Young', type: 'live', createdAt: stage.clock.now() - ageMs },
    })
    await writeFile(stage.envFile, `PICTIFY_API_KEY=${young.secret.reveal()}\n`)
    const { error } = await rotate(stage.services(), young.id, stage.options({ settleMs: 30_000 }))
    expect(error, error?.message).toBeUndefined()
    expect(warnings()).toEqual([])
  })
})

describe('an interruption while a store keeps us waiting', () => {
  it.each(['check', 'read'] as const)('stops the plan in the %s', async (call) => {
    const stop = new AbortController()
    const reason = new Error('interrupted')
    const waiting = {
      ...env(),
      [call]: (signal?: AbortSignal) =>
        new Promise<never>((_resolve, reject) => {
          signal?.addEventListener('abort', () => reject(signal.reason as Error))
          stop.abort(reason)
        }),
    }
    const services = stage.services({ stop: stop.signal })
    const rotated = rotate(services, stage.old.id, stage.options({ targets: [waiting] }))
    await expect(rotated).rejects.toBe(reason)
    expect(stage.sandbox.requests.filter(({ method }) => method !== 'GET')).toEqual([])
  })
})
