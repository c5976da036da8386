import { readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { errorOf } from './account.ts'
import { busy, openAlerts, type AlertsStage } from './alerts-stage.ts'

let stage: AlertsStage
beforeEach(async () => {
  stage = await openAlerts()
  await stage.file([busy(3)])
})
afterEach(() => stage.end())

const folder = () => path.join(stage.home.stateDir, 'alerts')
interface Holder {
  host: string
  since: string
  until?: string
}

/** A check is killed while it tells, and the host of what it leaves has another name by now. */
async function killedElsewhere(): Promise<{ file: string; held: Holder }> {
  stage.hook.answers = ['stall', 200]
  const running = stage.home.start(['alerts', 'check'])
  await running.until(() => stage.hook.received.length === 1)
  running.child.kill('SIGKILL')
  expect((await running.ended).signal).toBe('SIGKILL')
  const name = (await readdir(folder())).find((each) => each.endsWith('.lock'))
  const file = path.join(folder(), name ?? 'no lock')
  const held = { ...(JSON.parse(await readFile(file, 'utf8')) as Holder), host: 'another-machine' }
  return { file, held }
}

describe('a check that was killed on a host of another name', () => {
  it('holds up the others for as long as its lease is, and tells nothing twice', async () => {
    const { file, held } = await killedElsewhere()
    expect(Date.parse(held.until ?? '') - Date.now()).toBeLessThanOrEqual(600_000)
    await writeFile(file, JSON.stringify(held))
    const refused = await stage.alerts('check', '--json')
    expect(refused.exit).toBe(8)
    expect(errorOf(refused)).toMatchObject({ code: 'alerts-locked' })
    expect(refused.stderr).toContain(`the next one after ${held.until} takes over`)
    expect(stage.hook.received).toHaveLength(1)

    await writeFile(file, JSON.stringify({ ...held, until: new Date(Date.now() - 1_000).toISOString() }))
    expect((await stage.alerts('check')).exit).toBe(10)
    expect((await stage.alerts('check')).exit).toBe(10)
    const ids = stage.hook.received.map(({ headers }) => headers['webhook-id'])
    expect(ids).toHaveLength(2)
    expect(ids[0]).toBe(ids[1])
    expect(await readdir(folder())).toEqual([expect.stringMatching(/^[0-9a-f]{16}\.json$/)])
  })

  it('and left a lock without a lease, as earlier versions do, holds them up for a day', async () => {
    const { file, held } = await killedElsewhere()
    const { until, ...old } = held
    expect(until).toBeDefined()
    await writeFile(file, JSON.stringify(old))
    expect((await stage.alerts('check')).exit).toBe(8)
    const since = new Date(Date.now() - 25 * 3_600_000).toISOString()
    await writeFile(file, JSON.stringify({ ...old, since }))
    expect((await stage.alerts('check')).exit).toBe(10)
  })

  it('writes nothing more once another has taken its lock', async () => {
    stage.hook.answers = ['stall', 200]
    const running = stage.home.start(['alerts', 'check', '--notify-timeout', '1s', '--json'])
    await running.until(() => stage.hook.received.length === 1)
    const [name = ''] = (await readdir(folder())).filter((each) => each.endsWith('.lock'))
    const file = path.join(folder(), name)
    const held = JSON.parse(await readFile(file, 'utf8')) as Holder
    const theirs = JSON.stringify({ ...held, host: 'another-machine', nonce: '0'.repeat(16) })
    await writeFile(file, theirs)
    expect((await running.ended).exit).toBe(8)
    expect(await readFile(file, 'utf8')).toBe(theirs)
  })
})

describe('an API that puts off a check', () => {
  it('for longer than --max-wait ends it with 9: nothing is told, nothing is over, and no lock is left', async () => {
    expect((await stage.alerts('check')).exit).toBe(10)
    const names = await readdir(folder())
    const file = path.join(folder(), names[0] ?? '')
    const before = await readFile(file, 'utf8')
    const takeAway = stage.sandbox.addFault('status-429=1h:GET /api-keys')
    const ran = await stage.alerts('check', '--json')
    expect(ran.exit).toBe(9)
    expect(errorOf(ran)).toMatchObject({ code: 'rate-limit' })
    expect(await readdir(folder())).toEqual(names)
    expect(await readFile(file, 'utf8')).toBe(before)
    takeAway()
    expect((await stage.alerts('check')).exit).toBe(10)
    expect(stage.told()).toEqual(['alert.firing busy'])
  })

  it('for less is waited for', async () => {
    stage.sandbox.addFault('status-429=1s:GET /api-keys@1')
    expect((await stage.alerts('check', '--max-wait', '3s')).exit).toBe(10)
  })
})
