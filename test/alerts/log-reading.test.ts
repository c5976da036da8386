import { describe, expect, it } from 'vitest'
import type { Client } from '../../src/api/contract.ts'
import { hourMs } from '../../src/alerts/log-digest.ts'
import { readAlertLog, type Earlier, type KeptLog, type LogSettings } from '../../src/alerts/log-reading.ts'
import { KeysError } from '../../src/errors.ts'
import { surveyed, surveyedAt } from '../audit/survey-fixture.ts'
import { accountKeys, eventOf, loggedAccount, type Logged, type LoggedAccount } from './logged-account.ts'

const minuteMs = 60_000
const dayMs = 24 * hourMs
const settings: LogSettings = { sinceMs: 7 * dayMs, recentMs: dayMs, workingHours: null }
const workingHours = { days: [1], from: 480, to: 1_080, timeZone: 'UTC' }
const nothing: Earlier = { kept: undefined, why: 'no earlier check kept any of it' }

const logged = (at: number, fields: Parameters<typeof eventOf>[1] = {}): Logged => ({
  event: eventOf(at, fields),
  shownAt: at,
})
const daily = Array.from({ length: 8 }, (_, index) => logged(surveyedAt - index * dayMs - hourMs))

interface Given {
  earlier?: Earlier
  settings?: Partial<LogSettings>
  keys?: typeof accountKeys
}
async function read(account: LoggedAccount, at: number, given: Given = {}) {
  account.at = at
  const plans: { from: number; why: string | undefined }[] = []
  const { log, kept } = await readAlertLog(account.client, given.keys ?? accountKeys, at, {
    settings: { ...settings, ...given.settings },
    isOutside: undefined,
    earlier: given.earlier ?? nothing,
    signal: new AbortController().signal,
    onProgress: () => {},
    onPlan: (from, why) => plans.push({ from, why }),
  })
  return { log, kept, plans, web: log.known ? log.value.keys.get('key_web') : undefined }
}
async function keptOf(account: LoggedAccount, at = surveyedAt): Promise<{ kept: KeptLog }> {
  const { kept } = await read(account, at)
  if (kept === undefined) throw new Error('nothing is kept')
  return { kept }
}

describe('a check after another', () => {
  it('reads from ten minutes before the end of that one on, and has the rest', async () => {
    const account = loggedAccount(() => daily)
    const earlier = await keptOf(account)
    expect(account.readings).toMatchObject([{ since: surveyedAt - 7 * dayMs, events: 7 }])
    const at = surveyedAt + 5 * minuteMs
    const { web, plans } = await read(account, at, { earlier })
    expect(account.readings[1]).toEqual({ since: surveyedAt - 10 * minuteMs, until: at, events: 0 })
    expect(plans).toEqual([{ from: surveyedAt - 10 * minuteMs, why: undefined }])
    expect(web).toMatchObject({ requests: 7, recent: 1 })
  })

  it('has what the API logged late, and nothing twice', async () => {
    const inTime = logged(surveyedAt - 9 * minuteMs)
    const late = { ...logged(surveyedAt - 9 * minuteMs), shownAt: surveyedAt + minuteMs }
    const account = loggedAccount(() => [inTime, late])
    const earlier = await keptOf(account)
    const second = await read(account, surveyedAt + 5 * minuteMs, { earlier })
    expect(second.web).toMatchObject({ requests: 2 })
    const kept = second.kept as KeptLog
    expect((await read(account, surveyedAt + hourMs, { earlier: { kept } })).web).toMatchObject({
      requests: 2,
    })
  })

  it('counts nothing twice where the API takes no notice of since', async () => {
    const account = loggedAccount(() => daily)
    const earlier = await keptOf(account)
    const careless = {
      auditLogsByPage: (filter: { until: string }) =>
        account.client.auditLogsByPage({ ...filter, since: new Date(0).toISOString() }),
    } as unknown as Client
    const { web } = await read({ ...account, client: careless }, surveyedAt, { earlier })
    expect(web).toMatchObject({ requests: 7 })
  })

  it('knows a key that was not listed before', async () => {
    const account = loggedAccount(() => [...daily, logged(surveyedAt - hourMs, { keyId: 'key_new' })])
    const earlier = await keptOf(account)
    const keys = [...accountKeys, surveyed({ id: 'key_new' })]
    const { log } = await read(account, surveyedAt + minuteMs, { earlier, keys })
    expect(log.known && log.value.keys.get('key_new')).toMatchObject({ requests: 1 })
  })

  it('drops what lies behind the stretch', async () => {
    const account = loggedAccount(() => daily)
    const earlier = await keptOf(account)
    const { web, kept } = await read(account, surveyedAt + 3 * dayMs, { earlier })
    expect(web).toMatchObject({ requests: 4, recent: 0 })
    expect(kept?.digest[0]?.[1][0]?.[2]).toHaveLength(4 * 4)
  })
})

describe('the whole log is read, and why is said,', () => {
  it.each<[string, Given, number, string]>([
    ['at first', { earlier: nothing }, 0, 'no earlier check kept any of it'],
    ['after a change of --since', { settings: { sinceMs: 8 * dayMs } }, 0, '--since changed'],
    ['after a change of --recent', { settings: { recentMs: 2 * dayMs } }, 0, '--recent changed'],
    ['after a change of working hours', { settings: { workingHours } }, 0, 'the working hours changed'],
    [
      'of another account',
      { keys: [surveyed({ id: 'key_other' })] },
      0,
      'what is kept is of another account',
    ],
    ['after a longer gap', {}, 7 * dayMs + hourMs, 'the last check was too long ago'],
    ['by an earlier clock', {}, -2 * hourMs, 'the clock was set back'],
  ])('%s', async (_, given, later, why) => {
    const account = loggedAccount(() => daily)
    const earlier = await keptOf(account)
    const { plans } = await read(account, surveyedAt + later, { earlier, ...given })
    expect(plans).toMatchObject([{ why }])
    const from = surveyedAt + later - (given.settings?.sinceMs ?? 7 * dayMs)
    expect(account.readings[1]?.since).toBe(from)
  })
})

it.each([
  ['a check itself', 'key_admin', 'GET', 'pictify-keys/0.1.0', 0],
  ['what this program changes', 'key_admin', 'POST', 'pictify-keys/0.1.0', 1],
  ['what another program asks', 'key_admin', 'GET', 'curl/8.0', 1],
  ['a key that is no admin’s', 'key_web', 'GET', 'pictify-keys/0.1.0', 1],
])('of requests at night, %s: %s, %s by %s', async (_, keyId, method, userAgent, outside) => {
  const night = logged(surveyedAt - hourMs, { keyId, method, userAgent })
  const account = loggedAccount(() => [night])
  account.at = surveyedAt
  const { log } = await readAlertLog(account.client, accountKeys, surveyedAt, {
    settings: { ...settings, workingHours },
    isOutside: () => true,
    earlier: nothing,
    signal: new AbortController().signal,
    onProgress: () => {},
    onPlan: () => {},
  })
  const places = log.known ? log.value.keys.get(keyId) : undefined
  expect(places).toMatchObject({ requests: 1, outside: { requests: outside } })
  expect(places?.outside.hours.list()).toHaveLength(outside)
})

/** So many, each from a network of its own. */
const strangers = (count: number, at: number) =>
  Array.from({ length: count }, (_, index) =>
    logged(at - index, { ip: `${20 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}.1` }),
  )

describe('what is too much to be kept', () => {
  it('is read whole, as an audit reads it', async () => {
    const account = loggedAccount(() => strangers(100_001, surveyedAt - hourMs), 5_000)
    const { web, kept, plans } = await read(account, surveyedAt)
    expect(kept).toBeUndefined()
    expect(web).toMatchObject({ requests: 100_001, recent: 100_001 })
    expect(plans).toHaveLength(1)
  })

  it('and is read whole by the check that finds it', async () => {
    const all = strangers(80_000, surveyedAt - hourMs)
    const account = loggedAccount(() => all, 5_000)
    const earlier = await keptOf(account)
    all.push(...strangers(80_000, surveyedAt + minuteMs))
    const at = surveyedAt + hourMs
    const { web, kept, plans } = await read(account, at, { earlier })
    expect(plans).toMatchObject([{ why: undefined }, { why: 'with what is new, it is too much to be kept' }])
    expect(web).toMatchObject({ requests: 160_000 })
    expect(kept).toBeUndefined()
  })
})

describe('an API that gives no log', () => {
  it.each([
    ['has none', nothing, 404, 'the API keeps no audit log'],
    ['has none any more', undefined, 404, 'the API keeps no audit log'],
    ['may not show it', nothing, 403, 'it is for others (403)'],
    ['may not show it any more', undefined, 403, 'it is for others (403)'],
  ])('because it %s is no reason to fail', async (_, given, status, why) => {
    const account = loggedAccount(() => daily)
    const earlier = given ?? (await keptOf(account))
    const auditLogsByPage = () => {
      throw new KeysError('api-error', 'it is for others', { status })
    }
    const client = { auditLogsByPage } as unknown as Client
    const { log, kept } = await read({ ...account, client }, surveyedAt, { earlier })
    expect({ log, kept }).toEqual({ log: { known: false, why }, kept: undefined })
  })
})
