import { describe, expect, it } from 'vitest'
import type { Key } from '../../src/api/contract.ts'
import { evaluate } from '../../src/alerts/evaluation.ts'
import type { KeyUsage, Survey } from '../../src/audit/survey.ts'
import type { AlertCondition } from '../../src/fleet/fleet.ts'
import { emptySurvey, surveyed, surveyedAt } from '../audit/survey-fixture.ts'
import { ruleOf } from './fixture.ts'
import { day, fleet, latencyMs, usageOf, verdict, withLog, withUsage } from './verdict-fixture.ts'

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
