import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createReceiver, verified } from '../alerts/receiver.ts'
import { errorOf } from './account.ts'
import { busy, hook, openAlerts, type AlertsStage } from './alerts-stage.ts'

let stage: AlertsStage
beforeEach(async () => {
  stage = await openAlerts()
})
afterEach(() => stage.end())

interface Report {
  summary: Record<string, number>
  rules: { rule: string; skipped: string | null }[]
  incidents: { id: string; state: string; isNew: boolean; untold: string[]; recovery: string | null }[]
  notifiers: { name: string; sent: number; failed: number; problem: string | null }[]
}
async function check(exit: number, ...args: string[]): Promise<Report> {
  const ran = await stage.alerts('check', '--json', ...args)
  expect(ran.exit, ran.stderr).toBe(exit)
  return JSON.parse(ran.stdout) as Report
}

describe('alerts check', () => {
  it('tells once of an incident, once that it is over, and again when it fires again', async () => {
    await stage.file([busy(3)])
    expect((await check(10)).summary).toMatchObject({ firing: 1, fired: 1 })
    expect(stage.told()).toEqual(['alert.firing busy'])
    expect((await check(10)).summary).toMatchObject({ firing: 1, fired: 0 })
    expect(stage.told()).toHaveLength(1)
    const [first] = (await check(10)).incidents

    await stage.file([busy(3_000)])
    const over = await check(0)
    expect(over.incidents).toMatchObject([{ id: first?.id, state: 'recovered', recovery: 'quiet' }])
    await check(0)
    expect(stage.told()).toEqual(['alert.firing busy', 'alert.recovered busy'])

    await stage.file([busy(3)])
    const again = await check(10)
    expect(stage.told()).toEqual(['alert.firing busy', 'alert.recovered busy', 'alert.firing busy'])
    expect(again.incidents[0]?.id).not.toBe(first?.id)
    const ids = stage.hook.received.map(({ headers }) => headers['webhook-id'])
    expect(new Set(ids).size).toBe(3)
  })

  it('names the key, the figures and what to do, as lines that work', async () => {
    await stage.file([busy(3)])
    const ran = await stage.alerts('check')
    expect(ran.exit).toBe(10)
    expect(ran.stdout).toContain('4 requests in 24h, more than 3')
    expect(ran.stderr).toContain('1 alert fires')
    const [request] = stage.hook.received
    const { data } = verified(request ?? { headers: {}, body: '', path: '' })
    expect(data.incidents).toMatchObject([{ key: { id: stage.key.id, name: 'Web' } }])
    const [incident = '', rotate = ''] = data.commands
    expect(incident).toBe(`pictify-keys incident ${stage.key.id} --api-url ${stage.sandbox.url}`)
    expect(rotate).toContain(`pictify-keys rotate ${stage.key.id} --compromised`)
  })

  it('says nothing and ends with 0 where nothing fires', async () => {
    await stage.file([busy(3_000)])
    expect(await stage.alerts('check')).toMatchObject({ exit: 0, stdout: '1 rule, 0 firing\n', stderr: '' })
    expect(stage.hook.received).toEqual([])
  })

  it('keeps what it knows in a file for its owner alone', async () => {
    await stage.file([busy(3)])
    await check(10)
    const folder = path.join(stage.home.stateDir, 'alerts')
    const names = await readdir(folder)
    expect(names).toEqual([expect.stringMatching(/^[0-9a-f]{16}\.json$/)])
    expect((await stat(path.join(folder, names[0] ?? ''))).mode & 0o777).toBe(0o600)
    const text = await readFile(path.join(folder, names[0] ?? ''), 'utf8')
    expect(text).not.toContain(stage.hook.url)
    expect(text).not.toContain(stage.key.secret.reveal())

    await writeFile(path.join(folder, names[0] ?? ''), text.slice(0, -30))
    const ran = await stage.alerts('check', '--json')
    expect(ran.exit).toBe(1)
    expect(errorOf(ran)).toMatchObject({ code: 'alerts-state' })
    expect(stage.hook.received).toHaveLength(1)
  })

  it('a key that is revoked is over; one that fits again is another incident', async () => {
    await stage.file([busy(3)])
    await check(10)
    stage.sandbox.dashboard.revoke(stage.key.id)
    expect((await check(0)).incidents).toMatchObject([{ state: 'recovered', recovery: 'key-revoked' }])
    expect(stage.told()).toEqual(['alert.firing busy', 'alert.recovered busy'])
  })

  it('for: waits, and nobody is told', async () => {
    await stage.file([busy(3, ', for: 1h')])
    expect((await check(0)).summary).toMatchObject({ firing: 0, pending: 1 })
    expect(stage.hook.received).toEqual([])
  })
})

it('a country that no earlier look had fires, and goes on firing at the next look', async () => {
  await stage.file(['{name: place, when: new-country, keys: "Web*"}'])
  const first = await check(0)
  expect(first.rules).toMatchObject([
    { skipped: expect.stringContaining('nothing to compare with') as string },
  ])
  expect((await check(0)).summary).toMatchObject({ skipped: 0, firing: 0 })
  stage.sandbox.addFault('country=KP')
  await stage.use(1)
  expect((await check(10)).incidents).toMatchObject([
    { state: 'firing', measured: { message: 'requests from a country not seen before: KP' } },
  ])
  await check(10)
  expect(stage.told()).toEqual(['alert.firing place'])
})

describe('an API without usage', () => {
  it('skips the rule, says so, and ends no incident', async () => {
    await stage.file([busy(3), '{name: old, when: too-old, keys: "Web*", after: 3000d}'])
    await check(10)
    const restore = stage.sandbox.addFault('status-404:GET /api-keys/*/usage')
    const ran = await stage.alerts('check', '--json')
    expect(ran.exit).toBe(10)
    const report = JSON.parse(ran.stdout) as Report
    expect(report.summary).toMatchObject({ skipped: 1, firing: 1, recovered: 0 })
    expect(report.rules).toMatchObject([
      { rule: 'busy', skipped: 'the API gives no usage' },
      { rule: 'old', skipped: null },
    ])
    expect(report.incidents).toMatchObject([{ state: 'firing', unknown: 'the API gives no usage' }])
    expect(ran.stderr).toContain('nothing is known by busy')
    restore()
    await check(10)
    expect(stage.told()).toEqual(['alert.firing busy'])
  })

  it('is no quiet: --fail-on-skipped ends with 10', async () => {
    await stage.file([busy(3)])
    stage.sandbox.addFault('status-404:GET /api-keys/*/usage')
    await check(0)
    const ran = await stage.alerts('check', '--fail-on-skipped', '--json')
    expect(ran.exit).toBe(10)
    expect(errorOf(ran)).toMatchObject({ code: 'alerts-skipped' })
  })
})

describe('a notifier that is dead', () => {
  const other = '{name: other, type: webhook, urlEnv: OTHER_URL}'

  it('does not stop the others, is said to be, and is told at a later check what it missed', async () => {
    const dead = await createReceiver(500)
    stage.home.env['OTHER_URL'] = dead.url
    await stage.file([busy(3)], [other, hook])
    const ran = await stage.alerts('check', '--json')
    expect(ran.exit).toBe(10)
    const report = JSON.parse(ran.stdout) as Report
    expect(report.notifiers).toMatchObject([
      {
        name: 'other',
        sent: 0,
        failed: 1,
        problem: expect.stringContaining('answered 500, 4 times') as string,
      },
      { name: 'hook', sent: 1, failed: 0, problem: null },
    ])
    expect(report.incidents).toMatchObject([{ untold: ['other'] }])
    expect(ran.stderr).toContain(`other could not be told: ${new URL(dead.url).host} answered 500, 4 times`)
    expect(ran.stderr).not.toContain('path-that-is-secret')

    dead.answers = [200]
    await check(10)
    const ids = dead.received.map(({ headers }) => headers['webhook-id'])
    expect(ids).toHaveLength(5)
    expect(new Set(ids).size).toBe(1)
    expect(stage.hook.received).toHaveLength(1)
    await check(10)
    expect(dead.received).toHaveLength(5)
    await dead.close()
  })

  it('and all are: it ends with 1, and tells when one is back, even that it is over', async () => {
    stage.hook.answers = [500]
    await stage.file([busy(3)])
    const ran = await stage.alerts('check', '--json')
    expect(ran.exit).toBe(1)
    expect(errorOf(ran)).toMatchObject({
      code: 'alerts-untold',
      message: '1 alert fires, and no notifier could be told',
    })
    expect(JSON.parse(ran.stdout)).toMatchObject({ summary: { firing: 1 } })
    stage.hook.answers = [200]
    stage.hook.received.length = 0
    await stage.file([busy(3_000)])
    await check(0)
    expect(stage.told()).toEqual(['alert.recovered busy'])
  })

  it('that stalls is left after --notify-timeout', async () => {
    stage.hook.answers = ['stall']
    await stage.file([busy(3)])
    const ran = await stage.alerts('check', '--notify-timeout', '300ms')
    expect(ran.exit).toBe(1)
    expect(ran.stderr).toContain('hook could not be told: it did not take the message within 300ms')
  })

  it('or whose variable is not set, is told by the name of that alone', async () => {
    await stage.file([busy(3)])
    const ran = await stage.run(['alerts', 'check'], { env: { HOOK_SECRET: 'not-a-signing-secret' } })
    expect(ran.stderr).toContain('HOOK_SECRET is not a signing secret')
    expect(ran.stderr).not.toContain('not-a-signing')
    const unset = await stage.run(['alerts', 'check'], { env: { HOOK_URL: undefined } })
    expect(unset.stderr).toContain('HOOK_URL is not set')
  })
})

describe('a check that dies', () => {
  it('between sending and writing it down tells it again, under the same id', async () => {
    await stage.file([busy(3)])
    stage.hook.answers = ['stall', 200]
    const running = stage.home.start(['alerts', 'check'])
    await running.until(() => stage.hook.received.length === 1)
    // it was received, and the sender does not know
    running.child.kill('SIGKILL')
    expect((await running.ended).signal).toBe('SIGKILL')
    await check(10)
    await check(10)
    const ids = stage.hook.received.map(({ headers }) => headers['webhook-id'])
    expect(ids).toHaveLength(2)
    expect(ids[0]).toBe(ids[1])
  })

  it('leaves no lock in the way; one that lives does', async () => {
    await stage.file([busy(3)])
    stage.hook.answers = ['stall', 200]
    const running = stage.home.start(['alerts', 'check'])
    await running.until(() => stage.hook.received.length === 1)
    const second = await stage.alerts('check', '--json')
    expect(second.exit).toBe(8)
    expect(errorOf(second)).toMatchObject({
      code: 'alerts-locked',
      message: expect.stringContaining(`process ${running.child.pid}`) as string,
    })
    running.child.kill('SIGKILL')
    await running.ended
    await check(10)
  })
})

it('two checks at once tell it once', async () => {
  await stage.file([busy(3)])
  const exits = await Promise.all([1, 2, 3].map(async () => (await stage.alerts('check', '--json')).exit))
  expect(exits.every((exit) => exit === 10 || exit === 8)).toBe(true)
  expect(exits).toContain(10)
  expect(stage.told()).toEqual(['alert.firing busy'])
})
