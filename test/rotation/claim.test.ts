import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { leaseBound, lockedElsewhere } from '../../src/rotation/claim.ts'
import { parseMark } from '../../src/rotation/marked-name.ts'
import { rotate } from '../../src/rotation/rotate.ts'
import type { RotationEvent, RotationServices } from '../../src/rotation/run.ts'
import type { SandboxKey } from '../../src/sandbox/server.ts'
import type { Target } from '../../src/targets/target.ts'
import { createOthersSuccessor, dieAt, machine, verifyOf } from './machines.ts'
import { setStage, type Stage } from './stage.ts'

const hourMs = 3_600_000

let stage: Stage
beforeEach(async () => {
  stage = await setStage({ plan: 'business' })
})
afterEach(() => stage.end())

const successor = () => stage.active().find(({ name }) => parseMark(name)?.oldId === stage.old.id)
const create = (name: string, createdAt = stage.clock.now()): SandboxKey =>
  stage.sandbox.dashboard.create({ name, type: 'live', access: 'full', createdAt })

/** Services in whose run something happens once: when it comes to that state, or has its last probe accepted. */
function when(state: 'minted' | 'accepted' | 'last probe', happen: () => void): RotationServices {
  let hasHappened = false
  const report = (event: RotationEvent) => {
    stage.events.push(event)
    const isThere =
      event.event === 'probe'
        ? state === 'last probe' && event.inARow === event.needed
        : event.event === 'state' && event.state === state
    if (!isThere || hasHappened) return
    hasHappened = true
    happen()
  }
  return stage.services({ report })
}

describe('a run whose lease ran out while it wrote a target', () => {
  /** Two targets, of which something happens after the first is written. */
  const targets = (happen: () => Promise<void>): Target[] => {
    const first = stage.target('env:.env#PICTIFY_API_KEY')
    const write: Target['write'] = async (...args) => {
      await first.write(...args)
      await stage.clock.sleep(hourMs)
      await happen()
    }
    return [{ ...first, write }, stage.target('file:key.txt')]
  }
  const second = () => readFile(path.join(stage.directory, 'key.txt'), 'utf8')
  beforeEach(() => writeFile(path.join(stage.directory, 'key.txt'), stage.old.secret.reveal()))

  it('writes nothing more where another machine has the rotation', async () => {
    const plain = [stage.target('env:.env#PICTIFY_API_KEY'), stage.target('file:key.txt')]
    const options = stage.options({
      targets: targets(() => dieAt(stage, 'after saving minted', { machine: 'two', targets: plain })),
    })
    const { error } = await rotate(machine(stage, 'one'), stage.old.id, options)
    expect(error, error?.message).toMatchObject({ exit: 8, code: 'rotation-locked' })
    expect(await second()).toBe(stage.old.secret.reveal())
  })

  it('has a fresh one before it goes on, where nobody came', async () => {
    let until = 0
    const [first, last] = targets(async () => {})
    if (first === undefined || last === undefined) throw new Error('there are two')
    const write: Target['write'] = (...args) => {
      until = parseMark(successor()?.name ?? '')?.leaseUntil ?? 0
      return last.write(...args)
    }
    const options = stage.options({ targets: [first, { ...last, write }] })
    expect((await rotate(machine(stage, 'one'), stage.old.id, options)).error).toBeUndefined()
    expect(until).toBeGreaterThan(stage.clock.now())
    expect(await second()).toBe(stage.active()[0]?.secret.reveal())
  })
})

describe('a later successor that a run finds', () => {
  const rival = (leaseUntil: number) => createOthersSuccessor(stage, leaseUntil, stage.clock.now() + 1_000)

  it('goes with the old key when its lease is over', async () => {
    let id = ''
    const { error } = await rotate(
      when('accepted', () => (id = rival(0).id)),
      stage.old.id,
      stage.options(),
    )
    expect(error, error?.message).toBeUndefined()
    expect(stage.key(id)).toBeUndefined()
  })

  it('is left to its own run while that has a lease', async () => {
    let id = ''
    const { error } = await rotate(
      when('accepted', () => (id = rival(stage.clock.now() + hourMs).id)),
      stage.old.id,
      stage.options(),
    )
    expect(error, error?.message).toBeUndefined()
    expect(stage.key(id)?.status).toBe('active')
  })
})

it('a second key of the same create goes at once, be it the earlier one, and is told of', async () => {
  let id = ''
  const duplicate = () => (id = create(successor()?.name ?? '', stage.clock.now() - 10_000).id)
  const { error, receipt } = await rotate(when('minted', duplicate), stage.old.id, stage.options())
  expect(error, error?.message).toBeUndefined()
  expect(stage.key(id)).toBeUndefined()
  expect(receipt.notes).toEqual([`removed ${id}, which a repeated create had left`])
  expect(stage.ordinary()).toHaveLength(2)
})

describe('when the old key is revoked by somebody else before anything is delivered', () => {
  const revoke = () => stage.sandbox.dashboard.revoke(stage.old.id)

  it('and another key has its name since, the rotation is over and leaves nothing', async () => {
    let other: SandboxKey | undefined
    const services = when('minted', () => {
      revoke()
      other = create(stage.old.name)
    })
    const { error } = await rotate(services, stage.old.id, stage.options())
    expect(error).toMatchObject({ exit: 8 })
    expect(error?.message).toContain(`rotated elsewhere meanwhile, to ${other?.id}`)
    expect(stage.active().map(({ id }) => id)).toEqual([other?.id])
  })

  it('also when the successor was revoked with it', async () => {
    const services = when('last probe', () => {
      revoke()
      create(stage.old.name)
      stage.sandbox.dashboard.revoke(successor()?.id ?? '')
    })
    const { error } = await rotate(services, stage.old.id, stage.options())
    expect(error, error?.message).toMatchObject({ exit: 8 })
    expect(error?.message).toContain('rotated elsewhere meanwhile')
  })

  it.each([
    ['no other key', () => undefined],
    ['only a key of another name', () => create('Other')],
    ['only a key that had its name long before', () => create(stage.old.name, stage.clock.now() - hourMs)],
  ])('and there is %s, it goes on with the successor and tells of it', async (_what, also) => {
    const services = when('minted', () => {
      revoke()
      also()
    })
    const { error, receipt } = await rotate(services, stage.old.id, stage.options())
    expect(error, error?.message).toBeUndefined()
    expect(receipt.notes).toContain(`${stage.old.id} was revoked by somebody else; there is only forward`)
    expect(stage.key(receipt.newKey?.id)?.status).toBe('active')
    expect(await stage.held()).toBe(stage.key(receipt.newKey?.id)?.secret.reveal())
  })

  it('by the run itself, as it was asked to, it is not told of as somebody else’s', async () => {
    const options = stage.options({ compromised: 'revoke-first' })
    const { error, receipt } = await rotate(stage.services(), stage.old.id, options)
    expect(error, error?.message).toBeUndefined()
    expect(receipt.notes.join()).not.toContain('somebody else')
  })
})

describe('a successor that somebody takes away when it was accepted', () => {
  const takeAway = (how: string) => {
    const { id = '' } = successor() ?? {}
    stage.sandbox.dashboard.revoke(id)
    if (how === 'deleted') stage.sandbox.dashboard.delete(id)
    return id
  }

  it.each(['revoked', 'deleted'])('is told of as %s, and the old key stays', async (how) => {
    let id = ''
    const services = when('last probe', () => (id = takeAway(how)))
    const { error, receipt } = await rotate(services, stage.old.id, stage.options())
    expect(error).toMatchObject({ exit: 6, message: `the successor ${id} was ${how} by somebody else` })
    expect(receipt.state).toBe('aborted')
    expect(stage.active().map((key) => key.id)).toEqual([stage.old.id])
  })

  it('with the old key too, a person is asked for', async () => {
    const services = when('last probe', () => {
      stage.sandbox.dashboard.revoke(stage.old.id)
      takeAway('revoked')
    })
    const { error } = await rotate(services, stage.old.id, stage.options())
    expect(error).toMatchObject({ exit: 7, code: 'rotation-needs-person' })
    expect(error?.message).toContain(`and ${stage.old.id} no longer works either`)
    expect(error?.hint).toContain('pictify-keys create "Production Server" --type live --to')
  })
})

it('a lease covers all that its run may wait for', () => {
  const bound = (...given: Parameters<typeof stage.options>) => leaseBound(stage.options(...given))
  const exec = stage.target('exec:cat')
  const env = stage.target('env:.env#PICTIFY_API_KEY')
  const base = bound({ targets: [], settleMs: 0, waitMs: 0 })
  // the settle time is allowed four times over, and a while to be accepted in any case; then two minutes for all else
  expect(base).toBe(10_000 + 120_000)
  expect(bound({ targets: [], settleMs: 30_000, waitMs: 0 })).toBe(120_000 + 120_000)
  expect(bound({ targets: [], waitMs: 7_000 })).toBe(base + 7_000)
  expect(bound({ targets: [env], waitMs: 0 })).toBe(base + 30_000)
  // a command may take a minute, three times over
  expect(bound({ targets: [exec, env], waitMs: 0 })).toBe(base + 230_000)
  expect(bound({ targets: [], waitMs: 0, verify: verifyOf(async () => {}) })).toBe(base + 1_000)
})

it('who is refused is told until when, or to try at once', () => {
  const now = Date.parse('2026-03-11T12:00:30.000Z')
  const until = Date.parse('2026-03-11T12:10:00.000Z')
  expect(lockedElsewhere('key_a', until, now)).toMatchObject({
    exit: 8,
    message: 'key_a is being rotated elsewhere, until 2026-03-11 12:10 UTC at the latest (9m 30s)',
  })
  for (const over of [0, now])
    expect(lockedElsewhere('key_a', over, now)).toMatchObject({
      message: 'another rotation of key_a goes on',
      hint: 'run the same command again',
    })
})
