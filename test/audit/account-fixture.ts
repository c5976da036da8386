import type { AuditEvent, Key, UsageWindow } from '../../src/api/contract.ts'
import { createKeyLog, type KeyLog, type KeyLogOptions } from '../../src/audit/key-log.ts'
import type { Finding } from '../../src/audit/finding.ts'
import type { Rule } from '../../src/audit/rule.ts'
import type { AccountLog, KeyUsage, Survey } from '../../src/audit/survey.ts'
import { createOutsideHours } from '../../src/audit/working-hours.ts'
import type { RuleSettings, WorkingHours } from '../../src/fleet/fleet.ts'
import { emptySurvey, surveyed, surveyedAt } from './survey-fixture.ts'

const hourMs = 3_600_000
export const dayMs = 24 * hourMs

/** Requests that come evenly, every so many hours, from so many days ago to so many. */
export interface Traffic extends Partial<
  Pick<AuditEvent, 'ip' | 'userAgent' | 'endpoint' | 'method' | 'status'>
> {
  key?: string
  from?: number
  to?: number
  everyHours?: number
}

/** A month of a service that is as it should be. */
export const usual: Traffic = { ip: '18.66.10.4', userAgent: 'pictify-node/1.4.2', from: 30, to: 0 }

interface LogOptions extends Pick<
  KeyLogOptions,
  'leavesOutOwnReadings' | 'leavesOutOwnProbes' | 'countsRenders'
> {
  hours?: WorkingHours
  recentDays?: number
}

function eventsOf({
  key = 'key_abc123',
  from = 30,
  to = 0,
  everyHours = 6,
  ...fields
}: Traffic): AuditEvent[] {
  const events: AuditEvent[] = []
  for (let at = surveyedAt - to * dayMs - 1; at >= surveyedAt - from * dayMs; at -= everyHours * hourMs) {
    events.push({
      timestamp: new Date(at).toISOString(),
      action: 'api.request',
      keyId: key,
      endpoint: '/image',
      method: 'POST',
      status: 200,
      ip: usual.ip as string,
      userAgent: usual.userAgent as string,
      ...fields,
    })
  }
  return events
}

/** The log of an account, read newest first, of which the last 7 days are recent. */
export function logOf(
  traffic: readonly Traffic[],
  { hours, recentDays = 7, ...options }: LogOptions = {},
): AccountLog {
  const recentSince = surveyedAt - recentDays * dayMs
  const isOutside = hours && createOutsideHours(hours)
  const allowance = { left: 10_000 }
  const keys = new Map<string, KeyLog>()
  const all = traffic.flatMap(eventsOf).sort((a, b) => Date.parse(b.timestamp) - Date.parse(a.timestamp))
  for (const event of all) {
    const log = keys.get(event.keyId) ?? createKeyLog({ allowance, recentSince, isOutside, ...options })
    keys.set(event.keyId, log)
    log.add(event)
  }
  return { since: surveyedAt - 30 * dayMs, until: surveyedAt, recentSince, events: all.length, keys }
}

export const known = <T>(value: T) => ({ known: true, value }) as const

/** An account of one key and its log. */
export function logged(traffic: readonly Traffic[], key: Partial<Key> = {}): Survey {
  return { ...emptySurvey, keys: [surveyed(key)], log: known(logOf(traffic)) }
}

type Window = Partial<Omit<UsageWindow, 'latencyMs'>> & { p95?: number }

/** The figures of a key, and nothing odd where nothing else is said. */
export function figures(day: Window, month: Window, fields: Partial<KeyUsage> = {}): KeyUsage {
  const window = ({ requests = 1_000, errors = 0, p95 = 300 }: Window): UsageWindow => ({
    requests,
    errors,
    latencyMs: { p50: p95 / 3, p95, p99: p95 * 2 },
  })
  const windows = { '24h': window(day), '7d': window(day), '30d': window(month) }
  return { updatedAt: surveyedAt - 300_000, windows, days: undefined, countries: undefined, ...fields }
}

/** An account of one key and its figures. */
export function used(usage: KeyUsage, key: Partial<Key> = {}): Survey {
  const own = surveyed(key)
  return { ...emptySurvey, keys: [own], usage: known(new Map([[own.id, usage]])) }
}

export function found(rule: Rule, survey: Survey, settings: RuleSettings = {}): Finding[] {
  return [...rule.check(survey, settings)]
}
