import type { Key } from '../api/contract.ts'
import { formatDuration } from '../duration.ts'
import type { AlertCondition } from '../fleet/fleet.ts'
import type { Verdict } from './verdict.ts'

type AgeCondition = Extract<AlertCondition, { kind: 'too-old' | 'unused' }>

/** By the API's own clock. */
export function agedVerdict(condition: AgeCondition, key: Key, at: number): Verdict {
  const isOld = condition.kind === 'too-old'
  const limit = isOld ? condition.afterMs : condition.forMs
  const since = isOld ? key.createdAt : (key.lastUsedAt ?? key.createdAt)
  const value = at - Date.parse(since)
  if (value <= limit) return { state: 'quiet' }
  const [about, most] = [formatDuration(value), formatDuration(limit)]
  // 90d and some minutes is more than 90d
  const span = about === most ? `${about} ${formatDuration(Math.max(1_000, value - limit))}` : about
  const what = isOld
    ? `${span} old`
    : key.lastUsedAt === null
      ? `never used in ${span}`
      : `not used for ${span}`
  const message = `${what}, more than ${most}`
  return { state: 'firing', measured: { message, unit: 'ms', value, limit, details: [], places: [] } }
}
