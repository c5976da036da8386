// One key, one rule, and what is known of the key: what the rule says of it.
import type { AuditEvent, Key } from '../../src/api/contract.ts'
import { evaluate } from '../../src/alerts/evaluation.ts'
import { createKeyLog } from '../../src/audit/key-log.ts'
import type { KeyUsage, Survey } from '../../src/audit/survey.ts'
import { createOutsideHours } from '../../src/audit/working-hours.ts'
import type { AlertCondition, Fleet, WorkingHours } from '../../src/fleet/fleet.ts'
import { emptySurvey, surveyed, surveyedAt } from '../audit/survey-fixture.ts'
import { ruleOf } from './fixture.ts'

export const day = 86_400_000
export const recentSince = surveyedAt - day
export const workingHours: WorkingHours = { days: [1, 2, 3, 4, 5], from: 480, to: 1_080, timeZone: 'UTC' }
export const fleet: Fleet = {
  path: '/srv/pictify-keys.yaml',
  file: 'pictify-keys.yaml',
  keys: [],
  audit: { rules: {}, workingHours, accept: [] },
  alerts: [],
  notify: [],
}

export function usageOf(
  fields: Partial<KeyUsage['windows']['24h']> = {},
  rest: Partial<KeyUsage> = {},
): KeyUsage {
  const window = { requests: 0, errors: 0, latencyMs: { p50: 0, p95: 0, p99: 0 }, ...fields }
  return {
    updatedAt: surveyedAt,
    windows: { '24h': window, '7d': window, '30d': window },
    days: undefined,
    countries: undefined,
    ...rest,
  }
}

export function verdict(condition: AlertCondition, survey: Partial<Survey>, key: Key = surveyed()) {
  const whole = { ...emptySurvey, keys: [key], ...survey }
  const [judgement] = evaluate(whole, [ruleOf({ condition })], () => true)
  return judgement?.verdicts.get(key.id)
}
export const withUsage = (usage: KeyUsage): Partial<Survey> => ({
  usage: { known: true, value: new Map([['key_abc123', usage]]) },
})
export const latencyMs = { p50: 100, p95: 900, p99: 2_000 }

export function event(at: number, ip: string, userAgent = 'shop/1.0'): AuditEvent {
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
export function withLog(...recent: AuditEvent[]): Partial<Survey> {
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
