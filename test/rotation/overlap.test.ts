import { readFile } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { RateLimit } from '../../src/api/contract.ts'
import { systemClock } from '../../src/clock.ts'
import { rotate } from '../../src/rotation/rotate.ts'
import type { RotationEvent } from '../../src/rotation/run.ts'
import { setStage, type Stage } from './stage.ts'

let stage: Stage
beforeEach(async () => {
  stage = await setStage()
})
afterEach(() => stage.end())

/** Services under which something happens, once, when the evidence was first looked at. */
function whenWaiting(act: () => void) {
  let isDone = false
  return stage.services({
    report: (event: RotationEvent) => {
      stage.events.push(event)
      if (event.event !== 'evidence' || isDone) return
      isDone = true
      act()
    },
  })
}

const successor = () => stage.active().find(({ id }) => id !== stage.old.id)?.id ?? ''
function removeSuccessor(): void {
  const id = successor()
  stage.sandbox.dashboard.revoke(id)
  stage.sandbox.dashboard.delete(id)
}

describe('while the old key is waited for, and somebody else', () => {
  it.each([
    ['revokes', () => stage.sandbox.dashboard.revoke(successor())],
    ['deletes', removeSuccessor],
  ])('%s the successor, the old value goes back into the target at once', async (_what, act) => {
    const options = stage.options({ overlapMs: 3_600_000, waitMs: 60_000 })
    const began = stage.clock.now()
    const { error } = await rotate(whenWaiting(act), stage.old.id, options)
    expect(error, error?.message).toMatchObject({ exit: 6 })
    expect(await readFile(stage.envFile, 'utf8')).toBe(stage.envBefore)
    expect(await stage.call(stage.old.secret)).toBe(200)
    expect(stage.clock.now() - began).toBeLessThan(30_000)
  })

  it.each([
    ['revokes', () => stage.sandbox.dashboard.revoke(stage.old.id)],
    [
      'deletes',
      () => {
        stage.sandbox.dashboard.revoke(stage.old.id)
        stage.sandbox.dashboard.delete(stage.old.id)
      },
    ],
  ])('%s the old key, there is nothing left to wait for', async (_what, act) => {
    const options = stage.options({ overlapMs: 3_600_000, waitMs: 600_000 })
    const { error, receipt } = await rotate(whenWaiting(act), stage.old.id, options)
    expect(error, error?.message).toBeUndefined()
    expect(receipt.state).toBe('done')
    expect(await stage.held()).toBe(stage.active()[0]?.secret.reveal())
  })
})

it.each(['old key', 'successor'])(
  'that the %s cannot be read does not say that it is gone',
  async (which) => {
    const services = whenWaiting(() => {
      const id = which === 'successor' ? successor() : stage.old.id
      stage.sandbox.addFault(`status-503:GET /api-keys/${id}$`)
    })
    const options = stage.options({ overlapMs: 3_600_000, waitMs: 1_000 })
    const { error, receipt } = await rotate(services, stage.old.id, options)
    expect(error, error?.message).toMatchObject({ exit: 5 })
    expect(receipt.state).toBe('overlapping')
    expect(await stage.call(await stage.held())).toBe(200)
  },
)

describe('that the evidence is waived', () => {
  it('is said, and is in the receipt', async () => {
    const { receipt } = await rotate(stage.services(), stage.old.id, stage.options({ evidence: false }))
    expect(receipt.evidence?.waived).toBe(true)
    expect(receipt.notes).toEqual([expect.stringContaining('--no-evidence')])
    expect(stage.events).toContainEqual(expect.objectContaining({ code: 'evidence-waived' }))
  })

  it('is not said where it is not', async () => {
    const { receipt } = await rotate(stage.services(), stage.old.id, stage.options())
    expect(receipt.evidence?.waived).toBe(false)
    expect(receipt.notes).toEqual([])
  })
})

describe('for who watches', () => {
  const figures = () => stage.events.flatMap((event) => (event.event === 'evidence' ? [event.requests] : []))
  // a glance is measured in real time
  const watched = () => stage.services({ watched: true, clock: systemClock })

  it("the new key's requests are read too, and for nobody else", async () => {
    await stage.call(stage.old.secret)
    expect((await rotate(watched(), stage.old.id, stage.options())).error).toBeUndefined()
    expect(figures()[0]).toEqual({ old: expect.any(Number) as number, new: expect.any(Number) as number })
    expect(figures()[0]?.new).toBeGreaterThan(0)
    stage.events.length = 0
    const next = stage.active()[0]?.id ?? ''
    expect((await rotate(stage.services(), next, stage.options())).error).toBeUndefined()
    expect(figures()[0]).toEqual({ old: expect.any(Number) as number, new: null })
  })

  /** The new key's figures in five minutes of polls: how often they are asked for, and how often polled. */
  async function asked(rateLimit?: RateLimit) {
    let times = 0
    const api = stage.client(undefined, (url, init) => {
      if (url.endsWith(`/${successor()}/usage`)) times += 1
      return fetch(url, init)
    })
    if (rateLimit !== undefined) Object.defineProperty(api, 'rateLimit', { value: rateLimit })
    const options = stage.options({ overlapMs: 300_000, idleMs: 60_000, waitMs: 900_000 })
    const { error } = await rotate(stage.services({ watched: true, api }), stage.old.id, options)
    expect(error, error?.message).toBeUndefined()
    return { times, polls: figures().length }
  }

  it('they are read once a minute', async () => {
    const { times, polls } = await asked()
    expect(polls).toBeGreaterThan(20)
    expect(times).toBeGreaterThan(2)
    expect(times).toBeLessThan(8)
  })

  it('they are not read when few requests are left', async () => {
    const { times } = await asked({ limit: 100, remaining: 20, resetAt: stage.clock.now() + 60_000 })
    expect(times).toBe(0)
  })

  it('nothing waits for an answer that does not come', async () => {
    const services = watched()
    const report: typeof services.report = (event) => {
      services.report(event)
      if (event.event === 'step' && event.step === 'overlap')
        stage.sandbox.addFault(`stall:GET /api-keys/${successor()}/usage`)
    }
    const { error } = await rotate({ ...services, report }, stage.old.id, stage.options())
    expect(error, error?.message).toBeUndefined()
    expect(figures()).toEqual([{ old: expect.any(Number) as number, new: null }])
  })
})
