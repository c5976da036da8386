import { KeysError } from './errors.ts'

const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** Milliseconds of `200ms`, `30s`, `15m`, `24h` or `90d`. Throws `usage` for anything else. */
export function parseDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text)
  if (!match) {
    throw new KeysError('usage', `"${text}" is not a duration`, {
      hint: 'write a number and a unit: 200ms, 30s, 15m, 24h, 90d',
    })
  }
  return Number(match[1]) * unitMs[match[2] as keyof typeof unitMs]
}

/** `1m 30s`, `2d 3h`, `200ms`: the two largest units, for people. */
export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))}ms`
  let rest = Math.round(ms / 1_000)
  const parts: string[] = []
  for (const [unit, seconds] of [
    ['d', 86_400],
    ['h', 3_600],
    ['m', 60],
    ['s', 1],
  ] as const) {
    const count = Math.floor(rest / seconds)
    rest -= count * seconds
    if (count > 0) parts.push(`${count}${unit}`)
  }
  return parts.slice(0, 2).join(' ')
}

/** The shortest that `parseDuration` reads back as the same: `90d`, `36h`, `0s`. */
export function exactDuration(ms: number): string {
  if (ms === 0) return '0s'
  const units = ['d', 'h', 'm', 's'] as const
  const unit = units.find((each) => ms % unitMs[each] === 0) ?? 'ms'
  return `${ms / unitMs[unit]}${unit}`
}
