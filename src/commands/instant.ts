import { parseDuration } from '../duration.ts'
import { KeysError } from '../errors.ts'

const day = /^\d{4}-\d\d-\d\d$/
const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)$/

/**
 * Unix ms of what a person writes for an instant: how long ago (`90d`), a day, which begins at midnight UTC, or an instant
 * of ISO 8601 with its zone. `flag` is named in what it throws: `usage`.
 */
export function parseInstant(text: string, now: number, flag: string): number {
  if (day.test(text) || instant.test(text)) {
    const at = Date.parse(text)
    // a day that no month has is otherwise taken for one of the next
    const isReal = !Number.isNaN(at) && isDay(text.slice(0, 10))
    if (isReal) return at
  } else if (/^\d+(?:\.\d+)?(?:ms|s|m|h|d)$/.test(text)) return now - parseDuration(text)
  throw new KeysError('usage', `${flag}: "${text}" is no instant`, {
    hint: 'write how long ago (90d), a day (2026-01-31) or an instant (2026-01-31T08:00:00Z)',
  })
}

function isDay(text: string): boolean {
  const at = Date.parse(text)
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(text)
}
