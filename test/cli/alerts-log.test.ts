import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { hook, openAlerts, type AlertsStage } from './alerts-stage.ts'

// A Wednesday, and no hour that ends while the tests run. The account was used 40,000 times in the month before.
const start = Date.UTC(2026, 2, 4, 12, 5)
const began = Date.now()
let skippedMs = 0
let stage: AlertsStage
beforeAll(async () => {
  stage = await openAlerts({
    plan: 'enterprise',
    keys: 30,
    events: 40_000,
    clock: {
      now: () => start + skippedMs + Date.now() - began,
      sleep: (ms, signal) => systemClock.sleep(ms, signal),
    },
  })
})
afterAll(() => stage.end())

const hours = 'audit: {workingHours: {days: Mon-Fri, from: "07:00", to: "20:00", timeZone: UTC}}'
const places = ['{name: place, when: new-network}', '{name: night, when: outside-hours}']
/** Of less than by default, for the time that it takes. */
const checking = ['check', '--since', '7d', '--recent', '3d']
beforeEach(async () => {
  await rm(path.join(stage.home.stateDir, 'alerts'), { recursive: true, force: true })
  await stage.file(places, [hook], hours)
  stage.hook.received.length = 0
  stage.hook.answers = [200]
})

const odd = (oddity: string) => {
  const key = stage.sandbox.keys().find((each) => each.oddity === oddity)
  if (key === undefined) throw new Error(`no key is ${oddity}`)
  return key
}
async function call(oddity: string, ip: string, times: number): Promise<void> {
  const headers = {
    authorization: `Bearer ${odd(oddity).secret.reveal()}`,
    'cf-connecting-ip': ip,
    'user-agent': 'curl/8.5.0',
  }
  for (let count = 0; count < times; count++)
    await fetch(`${stage.sandbox.url}/templates?limit=1`, { headers })
  // a check knows the API's time to the second, and what came within that second is for the next one
  skippedMs += 2_000
}

interface Incident {
  rule: string
  key: { id: string; name: string }
  measured: { message: string; value: number; details: string[] }
}
/** What fires, and how the log was read. */
async function check(): Promise<{ found: Incident[]; said: string; asked: string[] }> {
  const before = stage.sandbox.requests.length
  const ran = await stage.alerts(...checking, '--json', '--debug')
  expect(ran.exit, ran.stderr).toBe(10)
  const { incidents } = JSON.parse(ran.stdout) as { incidents: Incident[] }
  const found = incidents.map(({ rule, key, measured }) => ({ rule, key, measured }))
  found.sort((a, b) => (a.rule + a.key.id < b.rule + b.key.id ? -1 : 1))
  const said = ran.stderr.split('\n').filter((line) => !line.includes('attempt 1'))
  return { found, said: said.join('\n'), asked: pathsSince(before) }
}
const pathsSince = (count: number) => stage.sandbox.requests.slice(count).map(({ path: url }) => url)
const pages = (asked: string[]) => asked.filter((url) => url.startsWith('/audit-logs'))
const folder = () => path.join(stage.home.stateDir, 'alerts')
async function digestPath(): Promise<string | undefined> {
  const name = (await readdir(folder())).find((each) => each.endsWith('.log.json'))
  return name === undefined ? undefined : path.join(folder(), name)
}
/** As a check finds it that has nothing to go on from. */
async function anew(): Promise<Incident[]> {
  await rm((await digestPath()) ?? '')
  const { found, said } = await check()
  expect(said).toContain('reads the whole audit log')
  return found
}

// before anything else is done with its keys
describe('the sandbox’s past', () => {
  it('has a spike, of that key alone', async () => {
    await stage.file(['{name: spike, when: spike}'])
    const { found } = await check()
    expect(found.map(({ key }) => key.id)).toEqual([odd('spike').id])
    expect(found[0]?.measured.message).toMatch(/requests on 2026-03-03, where \d+ are usual/)
    expect(stage.told()).toEqual(['alert.firing spike'])
  })

  it('has a network that is new for two days', async () => {
    await stage.file(['{name: place, when: new-network}'])
    const { found } = await check()
    expect(found.map(({ key }) => key.id)).toContain(odd('new-network').id)
    expect(stage.told()).toContain('alert.firing place')
  })
})

describe('a second check', () => {
  it('asks a handful of times, and finds what the whole log shows', async () => {
    const first = await check()
    expect(pages(first.asked).length).toBeGreaterThan(60)
    expect(first.found.map(({ rule, key }) => [rule, key.id])).toContainEqual(['night', odd('night').id])
    await call('shared', '203.0.113.9', 3)
    const second = await check()
    expect(second.asked.length).toBeLessThan(10)
    expect(second.said).toContain('reads the audit log on from')
    const place = second.found.find(({ rule, key }) => rule === 'place' && key.id === odd('shared').id)
    expect(place).toMatchObject({
      rule: 'place',
      measured: {
        message: expect.stringMatching(
          /^3 requests from 1 network not seen .* before: 203\.0\.113\.0\/24$/,
        ) as string,
      },
    })
    expect(await anew()).toEqual(second.found)
  })

  it('keeps it beside the state, for its owner alone, without who called', async () => {
    await check()
    const file = (await digestPath()) ?? ''
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect((await stat(file)).size).toBeLessThan(1_000_000)
    expect(await readFile(file, 'utf8')).not.toMatch(/curl|pictify-node|pk_/)
  })

  it('reads it anew where it is torn, and says so; and where the state is gone', async () => {
    const { found } = await check()
    const file = (await digestPath()) ?? ''
    await writeFile(file, (await readFile(file, 'utf8')).slice(0, -100))
    const again = await check()
    expect(again.said).toMatch(/"event":"warning".*is torn, or was edited: the audit log is read/)
    expect(again.found).toEqual(found)
    expect((await check()).asked.length).toBeLessThan(20)
    await rm(file.replace('.log.json', '.json'))
    expect((await check()).said).toContain('no earlier check is known')
  })
})

describe('a check that dies', () => {
  it('while it reads the whole log keeps nothing, and the next reads it whole', async () => {
    stage.sandbox.addFault('slow=50ms:GET /audit-logs')
    const before = stage.sandbox.requests.length
    const running = stage.home.start(['alerts', ...checking])
    await running.until(() => stage.sandbox.requests.length > before + 20)
    running.child.kill('SIGKILL')
    expect((await running.ended).signal).toBe('SIGKILL')
    stage.sandbox.clearFaults()
    expect(await digestPath()).toBeUndefined()
    const { found, said } = await check()
    expect(said).toContain('reads the whole audit log')
    expect(await anew()).toEqual(found)
  })

  it('while it goes on leaves what was kept, and nothing is counted twice or lost', async () => {
    await check()
    const file = (await digestPath()) ?? ''
    const kept = await readFile(file, 'utf8')
    await call('local', '198.51.100.7', 250)
    stage.sandbox.addFault('stall:GET /audit-logs')
    const before = stage.sandbox.requests.length
    const running = stage.home.start(['alerts', ...checking])
    await running.until(() => pages(pathsSince(before)).length > 0)
    running.child.kill('SIGKILL')
    await running.ended
    stage.sandbox.clearFaults()
    expect(await readFile(file, 'utf8')).toBe(kept)

    const { found, said } = await check()
    expect(said).toContain('reads the audit log on from')
    const place = found.find(({ rule, key }) => rule === 'place' && key.id === odd('local').id)
    expect(place?.measured.details.join()).toContain('198.51.100.0/24: 250 requests')
    expect(await anew()).toEqual(found)
  })

  it('while it tells has kept what it read, and that is not counted again', async () => {
    await check()
    await call('failing', '192.0.2.44', 5)
    stage.hook.answers = ['stall', 200]
    stage.hook.received.length = 0
    const running = stage.home.start(['alerts', ...checking])
    await running.until(() => stage.hook.received.length === 1)
    running.child.kill('SIGKILL')
    await running.ended
    const { found, said } = await check()
    expect(said).toContain('reads the audit log on from')
    const place = found.find(({ rule, key }) => rule === 'place' && key.id === odd('failing').id)
    expect(place?.measured.message).toMatch(
      /^5 requests from 1 network not seen .* before: 192\.0\.2\.0\/24$/,
    )
    expect(await anew()).toEqual(found)
  })
})
