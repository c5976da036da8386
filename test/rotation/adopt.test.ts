import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Fetch } from '../../src/http.ts'
import { formatMark, parseMark } from '../../src/rotation/marked-name.ts'
import { rotate } from '../../src/rotation/rotate.ts'
import type { Target } from '../../src/targets/target.ts'
import { dieAt, failing, leaveOpen, machine } from './machines.ts'
import { realFetch, setStage, type Stage } from './stage.ts'

let stage: Stage
beforeEach(async () => {
  stage = await setStage({ plan: 'business' })
})
afterEach(() => stage.end())

const successor = () => stage.active().find(({ name }) => parseMark(name)?.oldId === stage.old.id)

const removals = () =>
  stage.events.flatMap((event) =>
    event.event === 'warning' && event.code === 'orphan-removed' ? [event.message] : [],
  )

/** A machine on whose clock every sleep is told of, and something may happen in it. */
function sleeper(name: string, asleep: (ms: number) => void | Promise<void>) {
  const clock: typeof stage.clock = {
    ...stage.clock,
    async sleep(ms, signal) {
      await asleep(ms)
      await stage.clock.sleep(ms, signal)
    },
  }
  return machine(stage, name, { clock })
}

describe('taking a rotation over whose lease stands', () => {
  it('gives way to the run that has it, where that renews its lease', async () => {
    await dieAt(stage, 'after saving delivered', { machine: 'one' })
    const leaseUntil = stage.clock.now() + 20 * 60_000
    let renewed = ''
    const services = sleeper('two', () => {
      const key = successor()
      const mark = parseMark(key?.name ?? '')
      if (key === undefined || mark === undefined || renewed !== '') return
      renewed = formatMark({ ...mark, leaseUntil, holder: 'zzzz' })
      stage.sandbox.dashboard.rename(key.id, renewed)
    })
    const refused = rotate(services, stage.old.id, stage.options({ takeOver: true }))
    await expect(refused).rejects.toMatchObject({
      exit: 8,
      message: expect.stringContaining('until') as string,
    })
    expect(renewed).not.toBe('')
    expect(successor()?.name).toBe(renewed)
  })

  it('takes two seconds, and no time where it is over', async () => {
    const slept: number[] = []
    await leaveOpen(stage, machine(stage, 'one'))
    const left = () =>
      rotate(
        sleeper('two', (ms) => void slept.push(ms)),
        stage.old.id,
        stage.options({ waitMs: 0, idleMs: 1_000 }),
      )
    expect((await left()).error).toMatchObject({ exit: 5 })
    expect(slept).not.toContain(2_000)
    const options = stage.options({ takeOver: true })
    await dieAt(stage, 'after saving overlapping', { machine: 'three', takeOver: true })
    expect(
      (
        await rotate(
          sleeper('four', (ms) => void slept.push(ms)),
          stage.old.id,
          options,
        )
      ).error,
    ).toBeUndefined()
    expect(slept).toContain(2_000)
  })

  it('ends where its successor is removed in the same moment', async () => {
    await dieAt(stage, 'after saving delivered', { machine: 'one' })
    const fetch: Fetch = async (url, init) => {
      const { id = '' } = successor() ?? {}
      if (init.method === 'PUT' && id !== '') {
        stage.sandbox.dashboard.revoke(id)
        stage.sandbox.dashboard.delete(id)
      }
      return realFetch(url, init)
    }
    const services = machine(stage, 'two', { api: stage.client(undefined, fetch) })
    const refused = rotate(services, stage.old.id, stage.options({ takeOver: true }))
    await expect(refused).rejects.toMatchObject({ exit: 8, hint: 'run the same command again' })
  })
})

describe('what a target holds that is neither the old secret nor proved to be the successor’s', () => {
  it.each([
    ['beside one that holds the successor’s', ['env:.env#PICTIFY_API_KEY', 'file:key.txt']],
    ['before one that holds the successor’s', ['file:key.txt', 'env:.env#PICTIFY_API_KEY']],
    ['and no other target', ['file:key.txt']],
  ])('is not touched, %s', async (_what, specs) => {
    await dieAt(stage, 'after saving delivered', { machine: 'one' })
    const other = stage.sandbox.dashboard.create({ name: 'Other', type: 'live', access: 'full' })
    const file = path.join(stage.directory, 'key.txt')
    await writeFile(file, other.secret.reveal())
    const held = await stage.held()
    const targets = specs.map((spec) => stage.target(spec))
    const refused = rotate(machine(stage, 'two'), stage.old.id, stage.options({ takeOver: true, targets }))
    await expect(refused).rejects.toMatchObject({
      code: 'rotation-needs-person',
      message: expect.stringContaining('cannot tell whose key file:key.txt holds') as string,
    })
    expect(await readFile(file, 'utf8')).toBe(other.secret.reveal())
    expect(await stage.held()).toBe(held)
    // Nobody has to wait for a machine that has ended.
    expect(parseMark(successor()?.name ?? '')).toMatchObject({ leaseUntil: 0, holder: '' })
  })

  it('is the old secret that was given, and goes on', async () => {
    await dieAt(stage, 'after saving delivered', { machine: 'one' })
    await writeFile(path.join(stage.directory, 'key.txt'), stage.old.secret.reveal())
    const targets = [stage.target('env:.env#PICTIFY_API_KEY'), stage.target('file:key.txt')]
    const options = stage.options({ takeOver: true, targets, oldSecret: stage.old.secret })
    expect((await rotate(machine(stage, 'two'), stage.old.id, options)).error).toBeUndefined()
    expect(await readFile(path.join(stage.directory, 'key.txt'), 'utf8')).toBe(await stage.held())
  })
})

it('a rotation of which one target still tells the old secret is undone on another machine', async () => {
  await writeFile(path.join(stage.directory, 'key.txt'), stage.old.secret.reveal())
  const targets = () => [stage.target('env:.env#PICTIFY_API_KEY'), stage.target('file:key.txt')]
  await dieAt(stage, 'after writing value', { machine: 'one', targets: targets() })
  expect(await stage.held()).not.toBe(stage.old.secret.reveal())
  const options = stage.options({ takeOver: true, targets: targets(), verify: failing })
  const { error } = await rotate(machine(stage, 'two'), stage.old.id, options)
  expect(error, error?.message).toMatchObject({ exit: 6 })
  expect(await stage.held()).toBe(stage.old.secret.reveal())
  expect(stage.ordinary()).toHaveLength(1)
})

describe('a lost successor', () => {
  it('that only its own run has probed goes at once, busy as that makes it', async () => {
    await dieAt(stage, 'after saving accepted', { machine: 'one' })
    const lost = successor()
    const seen: (string | undefined)[] = []
    const env = stage.target('env:.env#PICTIFY_API_KEY')
    const write: Target['write'] = (...args) => {
      seen.push(stage.key(lost?.id)?.status)
      return env.write(...args)
    }
    const options = stage.options({
      takeOver: true,
      targets: [{ ...env, write }],
      idleMs: 60_000,
      waitMs: 900_000,
    })
    const { error } = await rotate(machine(stage, 'two'), stage.old.id, options)
    expect(error, error?.message).toBeUndefined()
    expect(seen).toEqual([undefined])
    expect(removals()).toEqual([
      expect.stringContaining(`removed ${lost?.id}, a successor whose secret was lost`),
    ])
  })

  it('that a target may hold which cannot be read stays until ours is there, also without evidence', async () => {
    const taken = () => readFile(path.join(stage.directory, 'taken'), 'utf8')
    await dieAt(stage, 'after writing none', { machine: 'one', targets: [stage.target('exec:cat >taken')] })
    const lost = successor()
    expect(await taken()).toBe(lost?.secret.reveal())
    const seen: (string | undefined)[] = []
    const exec = stage.target('exec:cat >taken')
    const write: Target['write'] = (...args) => {
      seen.push(stage.key(lost?.id)?.status)
      return exec.write(...args)
    }
    const options = stage.options({
      takeOver: true,
      targets: [{ ...exec, write }],
      idleMs: 60_000,
      evidence: false,
    })
    const { error } = await rotate(machine(stage, 'two'), stage.old.id, options)
    expect(error, error?.message).toBeUndefined()
    expect(seen).toEqual(['active'])
    expect(await stage.call(await taken())).toBe(200)
    expect(stage.key(lost?.id)).toBeUndefined()
    expect(removals()).toEqual([
      expect.stringContaining(`removed ${lost?.id}, a successor whose secret was lost`),
    ])
  })
})

it('a successor that is gone on with is said to be before anything is said of its state', async () => {
  await dieAt(stage, 'after saving delivered', { machine: 'one' })
  stage.events.length = 0
  const { error } = await rotate(machine(stage, 'two'), stage.old.id, stage.options({ takeOver: true }))
  expect(error, error?.message).toBeUndefined()
  const told = stage.events.map((event) => (event.event === 'state' ? event.state : event.event))
  expect(told.slice(0, 4)).toEqual(['step', 'adopted', 'minted', 'rotation'])
})
