import type { KeyUsage } from '../survey.ts'
import type { Rule } from '../rule.ts'

/** Renders that a test key may make in a day (UTC), whatever the plan. */
const rendersPerDay = 100
const dayMs = 86_400_000

export const testKeyAtLimit: Rule = {
  id: 'test-key-at-limit',
  severity: 'warning',
  summary: 'a test key reaches its 100 renders a day',
  help: 'Beyond 100 renders a day the API refuses a test key, and what it renders is watermarked: a test key that busy is often one that stands where a live key belongs. It is told by its requests, which the API does not tell apart from renders: 100 and more in the last 24 hours, today or yesterday are a warning, on an earlier day of the last 30 a note.',
  needs: ['usage'],
  *check({ keys, usage }) {
    if (!usage.known) return
    for (const key of keys) {
      const figures = usage.value.get(key.id)
      if (key.type !== 'test' || key.status !== 'active' || figures === undefined) continue
      const days = daysAtLimit(figures)
      const { requests } = figures.windows['24h']
      const yesterday = dayOf(figures.updatedAt - dayMs)
      const isNow = requests >= rendersPerDay || days.some((day) => day >= yesterday)
      if (!isNow && days.length === 0) continue
      yield {
        rule: 'test-key-at-limit',
        severity: isNow ? 'warning' : 'note',
        key,
        message:
          requests >= rendersPerDay
            ? `made ${requests} requests in 24 hours, where a test key has ${rendersPerDay} renders a day`
            : `came to the ${rendersPerDay} renders a day of a test key, last on ${days.at(-1)}`,
        evidence: { requestsWithin24h: requests, limitPerDay: rendersPerDay, daysAtLimit: days },
        mend: ['pictify-keys', 'usage', key.id],
      }
    }
  },
}

/** Oldest first, as `2026-03-01`. */
function daysAtLimit({ days }: KeyUsage): string[] {
  if (days === undefined) return []
  const last = Date.parse(days.lastDay)
  return days.requests.flatMap((requests, index) =>
    requests >= rendersPerDay ? [dayOf(last - (days.requests.length - 1 - index) * dayMs)] : [],
  )
}

function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10)
}
