import { describe, expect, it } from 'vitest'
import type { AuditEvent, Key } from '../../src/api/contract.ts'
import { evaluate } from '../../src/alerts/evaluation.ts'
import { createKeyLog } from '../../src/audit/key-log.ts'
import type { KeyUsage, Survey } from '../../src/audit/survey.ts'
import { createOutsideHours } from '../../src/audit/working-hours.ts'
import type { AlertCondition, Fleet, WorkingHours } from '../../src/fleet/fleet.ts'
import { emptySurvey, surveyed, surveyedAt } from '../audit/survey-fixture.ts'
import { ruleOf } from './fixture.ts'

const day = 86_400_000
const recentSince = surveyedAt - day
const workingHours: WorkingHours = { days: [1, 2, 3, 4, 5], from: 480, to: 1_080, timeZone: 'UTC' }
const fleet: Fleet = {
  path: '/srv/pictify-keys.yaml',
  file: 'pictify-keys.yaml',
  keys: [],
  audit: { rules: {}, workingHours, accept: [] },
  alerts: [],
  notify: [],
}

function usageOf(fields: Partial<KeyUsage['windows']['24h']> = {}, rest: Partial<KeyUsage> = {}): KeyUsage {
  const window = { requests: 0, errors: 0, latencyMs: { p50: 0, p95: 0, p99: 0 }, ...fields }
  return {
    updatedAt: surveyedAt,
    windows: { '24h': window, '7d': window, '30d': window },
    days: undefined,
    countries: undefined,
    ...rest,
  }
}

function verdict(condition: AlertCondition, survey: Partial<Survey>, key: Key = surveyed()) {
  const whole = { ...emptySurvey, keys: [key], ...survey }
  const [judgement] = evaluate(whole, [ruleOf({ condition })], () => true)
  return judgement?.verdicts.get(key.id)
}
const withUsage = (usage: KeyUsage): Partial<Survey> => ({
  usage: { known: true, value: new Map([['key_abc123', usage]]) },
})
const latencyMs = { p50: 100, p95: 900, p99: 2_000 }

describe('figures against limits', () => {
  it.each<[string, AlertCondition, Partial<KeyUsage['windows']['24h']>, string]>([
    ['requests', { kind: 'requests', over: 1_000, in: '24h' }, { requests: 1_001 }, 'firing'],
    ['requests at the limit', { kind: 'requests', over: 1_000, in: '24h' }, { requests: 1_000 }, 'quiet'],
    [
      'errors',
      { kind: 'error-rate', over: 0.05, in: '7d', minRequests: 20 },
      { requests: 100, errors: 6 },
      'firing',
    ],
    [
      'errors at the limit',
      { kind: 'error-rate', over: 0.05, in: '7d', minRequests: 20 },
      { requests: 100, errors: 5 },
      'quiet',
    ],
    [
      'errors of few',
      { kind: 'error-rate', over: 0.05, in: '7d', minRequests: 20 },
      { requests: 19, errors: 19 },
      'quiet',
    ],
    ['p95', { kind: 'p95', overMs: 800, in: '30d', minRequests: 20 }, { requests: 20, latencyMs }, 'firing'],
    [
      'p95 at the limit',
      { kind: 'p95', overMs: 900, in: '30d', minRequests: 20 },
      { requests: 20, latencyMs },
      'quiet',
    ],
  ])('%s', (_, condition, window, state) => {
    expect(verdict(condition, withUsage(usageOf(window)))?.state).toBe(state)
  })

  it('says both, and in which stretch', () => {
    const over = verdict(
      { kind: 'requests', over: 1_000, in: '24h' },
      withUsage(usageOf({ requests: 1_240 })),
    )
    expect(over).toMatchObject({
      measured: { message: '1,240 requests in 24h, more than 1,000', value: 1_240, limit: 1_000 },
    })
    const slow: AlertCondition = { kind: 'p95', overMs: 800, in: '24h', minRequests: 1 }
    expect(verdict(slow, withUsage(usageOf({ requests: 30, latencyMs })))).toMatchObject({
      measured: { message: 'p95 900 ms in 24h (30 requests), more than 800 ms', unit: 'ms' },
    })
  })

  it('as exactly as it takes to see which is more', () => {
    const p95: AlertCondition = { kind: 'p95', overMs: 2_000, in: '24h', minRequests: 1 }
    const slow = { requests: 30, latencyMs: { ...latencyMs, p95: 2_441 } }
    expect(verdict(p95, withUsage(usageOf(slow)))).toMatchObject({
      measured: { message: 'p95 2,441 ms in 24h (30 requests), more than 2,000 ms' },
    })
    const failing: AlertCondition = { kind: 'error-rate', over: 0.05, in: '24h', minRequests: 1 }
    expect(verdict(failing, withUsage(usageOf({ requests: 10_000, errors: 501 })))).toMatchObject({
      measured: { message: '5.01 % of 10,000 requests in 24h failed (501), more than 5 %' },
    })
    const age: AlertCondition = { kind: 'too-old', afterMs: 90 * day }
    const createdAt = new Date(surveyedAt - 90 * day - 7_000).toISOString()
    expect(verdict(age, {}, surveyed({ createdAt }))).toMatchObject({
      measured: { message: '90d 7s old, more than 90d' },
    })
  })

  it('of its own window', () => {
    const usage = usageOf({ requests: 5 })
    usage.windows = { ...usage.windows, '7d': { ...usage.windows['7d'], requests: 50 } }
    expect(verdict({ kind: 'requests', over: 10, in: '24h' }, withUsage(usage))?.state).toBe('quiet')
    expect(verdict({ kind: 'requests', over: 10, in: '7d' }, withUsage(usage))?.state).toBe('firing')
  })

  it('a day that is far above the key’s own days', () => {
    const requests = [...Array.from({ length: 29 }, (_, index) => 200 + (index % 5)), 2_000]
    const days = { lastDay: '2026-03-01', requests, errors: requests.map(() => 0) }
    const key = surveyed({ createdAt: '2025-01-01T00:00:00Z' })
    const spike = verdict({ kind: 'spike' }, withUsage(usageOf({ requests: 2_000 }, { days })), key)
    expect(spike).toMatchObject({
      state: 'firing',
      measured: { value: 2_000, unit: 'requests', places: ['2026-03-01'] },
    })
    const even = { ...days, requests: requests.map(() => 200) }
    expect(
      verdict({ kind: 'spike' }, withUsage(usageOf({ requests: 200 }, { days: even })), key)?.state,
    ).toBe('quiet')
    const young = surveyed({ createdAt: '2026-02-26T00:00:00Z' })
    expect(verdict({ kind: 'spike' }, withUsage(usageOf({ requests: 2_000 }, { days })), young)?.state).toBe(
      'unknown',
    )
  })
})

describe('age', () => {
  it.each<[string, AlertCondition, Partial<Key>, string]>([
    [
      'too old',
      { kind: 'too-old', afterMs: 90 * day },
      { createdAt: '2025-11-01T00:00:00Z' },
      '120d 12h old, more than 90d',
    ],
    [
      'unused',
      { kind: 'unused', forMs: 30 * day },
      { createdAt: '2025-01-01T00:00:00Z', lastUsedAt: '2026-01-01T12:00:00Z' },
      'not used for 59d, more than 30d',
    ],
    [
      'never used',
      { kind: 'unused', forMs: 7 * day },
      { createdAt: '2026-02-01T12:00:00Z', lastUsedAt: null },
      'never used in 28d, more than 7d',
    ],
  ])('%s', (_, condition, fields, message) => {
    expect(verdict(condition, {}, surveyed(fields))).toMatchObject({ state: 'firing', measured: { message } })
    const fresh = surveyed({ createdAt: '2026-03-01T00:00:00Z', lastUsedAt: '2026-03-01T11:00:00Z' })
    expect(verdict(condition, {}, fresh)).toEqual({ state: 'quiet' })
  })
})

function event(at: number, ip: string, userAgent = 'shop/1.0'): AuditEvent {
  const timestamp = new Date(at).toISOString()
  return {
    timestamp,
    action: 'api.request',
    keyId: 'key_abc123',
    endpoint: '/image',
    method: 'POST',
    status: 200,
    ip,
    userAgent,
  }
}

/** Requests from one network on five working days, at noon and after, and then `recent`. */
function withLog(...recent: AuditEvent[]): Partial<Survey> {
  const log = createKeyLog({
    allowance: { left: 100 },
    recentSince,
    isOutside: createOutsideHours(workingHours),
  })
  for (let index = 0; index < 60; index++) {
    const weekday = surveyedAt - (6 - Math.floor(index / 12)) * day
    log.add(event(weekday + (index % 12) * 600_000, '8.8.8.8'))
  }
  for (const each of recent) log.add(each)
  const value = {
    since: surveyedAt - 7 * day,
    until: surveyedAt,
    recentSince,
    events: log.requests,
    keys: new Map([['key_abc123', log]]),
  }
  return { log: { known: true, value }, fleet: { known: true, value: fleet } }
}

describe('places and hours', () => {
  it('a network that was not seen before', () => {
    const known = event(surveyedAt - 1_000, '8.8.8.9')
    expect(verdict({ kind: 'new-network' }, withLog(known))).toEqual({
      state: 'quiet',
      usedFrom: ['8.8.8.0/24'],
    })
    expect(
      verdict({ kind: 'new-network' }, withLog(known, event(surveyedAt - 1_000, '93.184.216.34'))),
    ).toMatchObject({
      state: 'firing',
      measured: {
        value: 1,
        message: '1 request from 1 network not seen in 5d before: 93.184.216.0/24',
        places: ['93.184.216.0/24'],
      },
    })
  })

  it('a key without a past is unknown, one that was not used is quiet', () => {
    const log = createKeyLog({ allowance: { left: 100 }, recentSince })
    log.add(event(surveyedAt - 1_000, '8.8.8.8'))
    const value = {
      since: 0,
      until: surveyedAt,
      recentSince,
      events: 1,
      keys: new Map([['key_abc123', log]]),
    }
    expect(verdict({ kind: 'new-network' }, { log: { known: true, value } })?.state).toBe('unknown')
    const other = surveyed({ id: 'key_other' })
    expect(verdict({ kind: 'new-network' }, { log: { known: true, value } }, other)).toEqual({
      state: 'quiet',
    })
  })

  it('that the file tells the audit to ignore is none', () => {
    const stranger = withLog(event(surveyedAt - 1_000, '93.184.216.34'))
    const told = (rules: Fleet['audit']['rules']): Partial<Survey> => ({
      ...stranger,
      fleet: { known: true, value: { ...fleet, audit: { ...fleet.audit, rules } } },
    })
    const state = (rules: Fleet['audit']['rules']) => verdict({ kind: 'new-network' }, told(rules))?.state
    expect(state({})).toBe('firing')
    expect(state({ 'new-network': { ignore: ['93.184.0.0/16'] } })).toBe('quiet')
    expect(state({ 'new-network': { minRequests: 2 } })).toBe('quiet')
  })

  it('requests outside of working hours, where there were none before', () => {
    // on the night to a Sunday, and on that at noon
    const nightly = Array.from({ length: 10 }, (_, index) =>
      event(recentSince + 12 * 3_600_000 + index, '8.8.8.8'),
    )
    expect(verdict({ kind: 'outside-hours' }, withLog(...nightly))).toMatchObject({
      state: 'firing',
      measured: {
        value: 10,
        message: '10 requests outside of working hours, from 8.8.8.0/24: 100 % of all, 0 % before',
        details: ['2026-03-01 00:00 UTC: 10 requests'],
        // of the night that began on Saturday
        places: ['2026-02-28'],
      },
    })
    expect(verdict({ kind: 'outside-hours' }, withLog())).toEqual({ state: 'quiet' })
    // what an audit makes nothing of is no alert
    expect(verdict({ kind: 'outside-hours' }, withLog(...nightly.slice(0, 2)))).toEqual({ state: 'quiet' })
  })

  it('hours are told by the clock that they are set by, and in UTC', () => {
    const isOutside = createOutsideHours({ ...workingHours, timeZone: 'Asia/Tokyo' })
    const log = createKeyLog({ allowance: { left: 100 }, recentSince, isOutside })
    // 10:00 of the days before in Tokyo
    for (let index = 0; index < 20; index++)
      log.add(event(surveyedAt - ((index % 4) + 3) * day - 11 * 3_600_000 + index, '8.8.8.8'))
    for (let index = 0; index < 5; index++) log.add(event(surveyedAt - 1_000 - index, '8.8.8.8'))
    const value = {
      since: 0,
      until: surveyedAt,
      recentSince,
      events: 25,
      keys: new Map([['key_abc123', log]]),
    }
    const tokyo = {
      ...fleet,
      audit: { ...fleet.audit, workingHours: { ...workingHours, timeZone: 'Asia/Tokyo' } },
    }
    const survey: Partial<Survey> = { log: { known: true, value }, fleet: { known: true, value: tokyo } }
    expect(verdict({ kind: 'outside-hours' }, survey)).toMatchObject({
      measured: { details: ['2026-03-01 20:00 Asia/Tokyo (11:00 UTC): 5 requests'] },
    })
  })

  it('a country that no earlier look had; as long as that is recent also after that', () => {
    const countries = { DE: 100, BR: 3 }
    const past = (...known: [string, number][]): Partial<Survey> => {
      const keys = new Map([
        ['key_abc123', { since: surveyedAt - 9 * day, until: surveyedAt, countries: new Map(known) }],
      ])
      return {
        past: { known: true, value: { since: surveyedAt - 9 * day, keys } },
        ...withUsage(usageOf({}, { countries })),
      }
    }
    const old: [string, number] = ['DE', surveyedAt - 9 * day]
    const fresh = verdict({ kind: 'new-country' }, past(old))
    expect(fresh).toMatchObject({
      state: 'firing',
      measured: { message: 'requests from a country not seen before: BR' },
    })
    expect(verdict({ kind: 'new-country' }, past(old, ['BR', surveyedAt - 3_600_000]))?.state).toBe('firing')
    expect(verdict({ kind: 'new-country' }, past(old, ['BR', surveyedAt - 8 * day]))?.state).toBe('quiet')
  })
})

describe('what is not known', () => {
  it.each<[AlertCondition, string]>([
    [{ kind: 'requests', over: 1, in: '24h' }, 'the API gives no usage'],
    [{ kind: 'spike' }, 'the API gives no usage'],
    [{ kind: 'new-country' }, 'the API gives no usage'],
    [{ kind: 'new-network' }, 'the API keeps no audit log'],
    [{ kind: 'outside-hours' }, 'the API keeps no audit log'],
  ])('skips the rule: %o', (condition, why) => {
    const survey = { ...emptySurvey, keys: [surveyed()] }
    expect(evaluate(survey, [ruleOf({ condition })], () => true)).toMatchObject([
      { skipped: why, verdicts: new Map() },
    ])
  })

  it('skips outside-hours where the file has no hours', () => {
    const survey = {
      ...emptySurvey,
      ...withLog(),
      keys: [surveyed()],
      fleet: {
        known: true as const,
        value: { ...fleet, audit: { ...fleet.audit, workingHours: undefined } },
      },
    }
    const [judgement] = evaluate(survey, [ruleOf({ condition: { kind: 'outside-hours' } })], () => true)
    expect(judgement?.skipped).toContain('no working hours')
  })

  it('a used key without figures is unknown; one not used for a month is quiet', () => {
    const none: Partial<Survey> = { usage: { known: true, value: new Map() } }
    const condition: AlertCondition = { kind: 'requests', over: 0, in: '24h' }
    expect(verdict(condition, none)?.state).toBe('unknown')
    expect(verdict(condition, none, surveyed({ lastUsedAt: '2025-12-01T00:00:00Z' }))?.state).toBe('quiet')
    expect(verdict(condition, none, surveyed({ lastUsedAt: null }))?.state).toBe('quiet')
  })
})

it('a rule is about the active keys that fit', () => {
  const keys = [
    surveyed(),
    surveyed({ id: 'key_b', name: 'Staging' }),
    surveyed({ id: 'key_c', status: 'revoked' }),
  ]
  const survey = { ...emptySurvey, keys }
  const rule = ruleOf({ condition: { kind: 'too-old', afterMs: day } })
  const [judgement] = evaluate(survey, [rule], (_, name) => name.startsWith('Prod'))
  expect([...(judgement?.verdicts.keys() ?? [])]).toEqual(['key_abc123'])
  expect(judgement?.reach).toEqual({ rule: 'busy', keys: null, count: 1, meant: null })
})

it.each([
  ['Stagin*', 'Staging'],
  ['key_b', 'Staging'],
  ['Reports', null],
  // revoked
  ['Old', null],
])('of %s, which no active key fits, it is told what may be meant', (glob, meant) => {
  const keys = [
    surveyed(),
    surveyed({ id: 'key_b', name: 'Staging' }),
    surveyed({ id: 'key_c', name: 'Old', status: 'revoked' }),
  ]
  // a rule that is skipped is about no key either
  const rules = [ruleOf({ keys: glob, condition: { kind: 'too-old', afterMs: day } }), ruleOf({ keys: glob })]
  const judgements = evaluate({ ...emptySurvey, keys }, rules, ({ keys: wanted }, name) => name === wanted)
  expect(judgements.map(({ reach }) => reach)).toMatchObject([
    { count: 0, meant },
    { count: 0, meant },
  ])
})
