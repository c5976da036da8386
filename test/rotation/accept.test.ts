import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Clock } from '../../src/clock.ts'
import { rotate } from '../../src/rotation/rotate.ts'
import type { RotationEvent, RotationServices } from '../../src/rotation/run.ts'
import { dieAt, machine } from './machines.ts'
import { setStage, type Stage } from './stage.ts'

let stage: Stage
beforeEach(async () => {
  stage = await setStage()
})
afterEach(() => stage.end())

/** How long a run lets the successor settle, of 60 s, as it says at its first probe. Milliseconds. */
async function settling(services: (tell: RotationServices['report']) => RotationServices): Promise<number> {
  const events: RotationEvent[] = []
  const run = services((event) => events.push(event))
  const { error } = await rotate(run, stage.old.id, stage.options({ settleMs: 60_000, takeOver: true }))
  expect(error).toBeUndefined()
  const [first] = events.flatMap((event) => (event.event === 'probe' ? [event.settlesInMs] : []))
  return first ?? NaN
}

describe('a successor settles', () => {
  it('from its creation on, where another machine goes on with it', async () => {
    await dieAt(stage, 'after saving delivered', { machine: 'one' })
    await stage.clock.sleep(20_000)
    const left = await settling((report) => machine(stage, 'two', { report }))
    expect(left).toBeGreaterThan(30_000)
    expect(left).toBeLessThanOrEqual(40_000)
  })

  it('for no longer than that when our clock was set back since', async () => {
    await dieAt(stage, 'after saving minted')
    const clock = { ...stage.clock, now: () => stage.clock.now() - 3_600_000 }
    expect(await settling((report) => stage.services({ clock, report }))).toBeLessThanOrEqual(60_000)
  })

  it('in full when the API dates its creation after now', async () => {
    await dieAt(stage, 'after saving delivered', { machine: 'one' })
    const late = new Date(stage.clock.now() + 600_000).toISOString()
    const api = stage.client(undefined, async (url, init) => {
      const answer = await fetch(url, init)
      const text = (await answer.text()).replace(
        /("name":"[^"]*\(rotating [^}]*"createdAt":")[^"]*/g,
        `$1${late}`,
      )
      return new Response(text, answer)
    })
    const left = await settling((report) => machine(stage, 'two', { report, api }))
    expect(left).toBeGreaterThan(59_000)
    expect(left).toBeLessThanOrEqual(60_000)
  })
})

describe('a run that was stopped while the successor settles, for longer than it is waited for', () => {
  const hour = 3_600_000

  it('in a pause, goes on', async () => {
    let isAsked = false
    const report = (event: RotationEvent) => {
      if (event.event === 'step' && event.step === 'accept')
        stage.sandbox.addFault('status-503:GET /templates')
      isAsked ||= event.event === 'probe'
    }
    const clock: Clock = {
      ...stage.clock,
      async sleep(ms, signal) {
        await stage.clock.sleep(ms, signal)
        if (!isAsked) return
        isAsked = false
        await stage.clock.sleep(hour)
        stage.sandbox.clearFaults()
      },
    }
    const services = stage.services({ clock, report })
    const { receipt, error } = await rotate(services, stage.old.id, stage.options({ settleMs: 1_000 }))
    expect(receipt.state, error?.message).toBe('done')
  })

  it('in a probe, goes on', async () => {
    let isAccepting = false
    const report = (event: RotationEvent) =>
      void (isAccepting ||= event.event === 'step' && event.step === 'accept')
    const api = stage.client(undefined, async (url, init) => {
      const answer = await fetch(url, init)
      if (isAccepting && url.includes('/templates')) {
        isAccepting = false
        await stage.clock.sleep(hour)
      }
      return answer
    })
    const services = stage.services({ api, report })
    const { receipt, error } = await rotate(services, stage.old.id, stage.options({ settleMs: 1_000 }))
    expect(receipt.state, error?.message).toBe('done')
  })
})

it('a successor that is never accepted is undone, and it is said whether the API refused it or would not say', async () => {
  const options = stage.options({ settleMs: 1_000 })
  const undone = async (fault: string): Promise<string | undefined> => {
    stage.sandbox.addFault(fault)
    const { error } = await rotate(stage.services(), stage.old.id, options)
    stage.sandbox.clearFaults()
    expect(stage.active()).toHaveLength(1)
    expect(error).toMatchObject({ exit: 6 })
    return error?.message
  }
  expect(await undone('refuse-new')).toContain('did not accept')
  expect(await undone('status-503:GET /templates')).toContain('could not say whether it accepts')
})
