/** `3d ago`, `just now`, `in 5m` for an ISO instant, seen from `now` (Unix milliseconds); `never` for none. */
export function formatAge(instant: string | null | undefined, now: number): string {
  if (instant === null || instant === undefined) return 'never'
  const then = Date.parse(instant)
  if (Number.isNaN(then)) return instant
  const seconds = Math.round(Math.abs(now - then) / 1_000)
  if (seconds < 45) return 'just now'
  const span = largestUnit(seconds)
  return then > now ? `in ${span}` : `${span} ago`
}

const units = [
  ['y', 365 * 86_400],
  ['mo', 30 * 86_400],
  ['d', 86_400],
  ['h', 3_600],
  ['m', 60],
] as const

function largestUnit(seconds: number): string {
  for (const [unit, length] of units) if (seconds >= length) return `${Math.floor(seconds / length)}${unit}`
  return '1m'
}

/** A day more than the API's figures go back: they end with a whole hour, and uses show late. */
const figuresMs = 31 * 86_400_000

/** Whether a key can have any figures at all: one that was not used for so long did nothing. */
export function hasFigures({ lastUsedAt }: { lastUsedAt: string | null }, now: number): boolean {
  return lastUsedAt !== null && Date.parse(lastUsedAt) > now - figuresMs
}
