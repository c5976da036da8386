import type { AlertIncident } from '../../src/alerts/incident.ts'
import type { Judgement, Measured, Verdict } from '../../src/alerts/verdict.ts'
import type { AlertRule } from '../../src/fleet/fleet.ts'

export function ruleOf(fields: Partial<AlertRule> = {}): AlertRule {
  return {
    name: 'busy',
    line: 3,
    keys: undefined,
    condition: { kind: 'requests', over: 1_000, in: '24h' },
    forMs: 0,
    keepFiringForMs: 0,
    remindAfterMs: undefined,
    notify: undefined,
    ...fields,
  }
}

export const measuredOf = (value: number): Measured => ({
  message: `${value} requests in 24h, more than 1,000`,
  unit: 'requests',
  value,
  limit: 1_000,
  details: [],
  places: [],
})

export const firing = (value = 1_240): Verdict => ({ state: 'firing', measured: measuredOf(value) })
export const quiet: Verdict = { state: 'quiet' }

export function judgementOf(verdicts: Record<string, Verdict>, rule = ruleOf()): Judgement {
  const { name, keys = null } = rule
  const reach = { rule: name, keys, count: Object.keys(verdicts).length, meant: null }
  return { rule, reach, skipped: undefined, verdicts: new Map(Object.entries(verdicts)) }
}

export function incidentOf(fields: Partial<AlertIncident> = {}): AlertIncident {
  return {
    id: 'alert_1',
    rule: 'busy',
    key: { id: 'key_abc123', name: 'Production Server', type: 'live' },
    state: 'firing',
    since: '2026-03-01T12:00:00.000Z',
    firedAt: '2026-03-01T12:00:00.000Z',
    seenAt: '2026-03-01T12:00:00.000Z',
    quietSince: null,
    recoveredAt: null,
    recovery: null,
    measured: measuredOf(1_240),
    added: [],
    unknown: null,
    deliveries: [],
    ...fields,
  }
}

/** `id_1`, `id_2`, … */
export function counter(): () => string {
  let count = 0
  return () => `id_${++count}`
}
