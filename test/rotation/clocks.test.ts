import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { rotate } from '../../src/rotation/rotate.ts'
import { failing } from './machines.ts'
import { realFetch, setStage, type Stage } from './stage.ts'

let stage: Stage
beforeEach(async () => {
  stage = await setStage()
})
afterEach(() => stage.end())

describe('clocks that disagree', () => {
  it('do not shorten the time a new key takes to spread, when the Date header is ahead of createdAt', async () => {
    const ahead = stage.client(undefined, async (url, init) => {
      const answer = await realFetch(url, init)
      const headers = new Headers(answer.headers as Headers)
      headers.set('date', new Date(stage.clock.now() + 600_000).toUTCString())
      return new Response(await answer.text(), { status: answer.status, headers })
    })
    const reachedAt = new Map<string, number>()
    const services = stage.services({
      api: ahead,
      report: (event) => {
        if (event.event === 'state') reachedAt.set(event.state, stage.clock.now())
      },
    })
    await rotate(services, stage.old.id, stage.options({ settleMs: 30_000, waitMs: 500 }))
    const mintedAt = reachedAt.get('minted') ?? Infinity
    expect((reachedAt.get('accepted') ?? 0) - mintedAt).toBeGreaterThanOrEqual(29_000)
  })

  it('keep nobody waiting until a time that was only shown for a while', async () => {
    const services = stage.services({
      report: (event) => {
        if (event.event === 'step' && event.step === 'verify') stage.sandbox.addFault('clock+10m')
        if (event.event === 'target' && event.state === 'restored') stage.sandbox.clearFaults()
      },
    })
    const options = stage.options({ verify: failing })
    const first = await rotate(services, stage.old.id, options)
    expect(first.error, first.error?.message).toMatchObject({ exit: 5 })
    const again = await rotate(stage.services(), stage.old.id, options)
    expect(again.error, again.error?.message).toMatchObject({ exit: 6 })
  })

  it('never let a used key go, when the API’s jumps between answers', async () => {
    await stage.call(stage.old.secret)
    stage.sandbox.addFault('clock+10m@50%')
    const options = stage.options({ idleMs: 60_000, usageLagMs: 60_000, waitMs: 30_000 })
    const { error } = await rotate(stage.services(), stage.old.id, options)
    expect(stage.key(stage.old.id)?.status, error?.message).toBe('active')
  })
})
