import type { Key } from '../../api/contract.ts'
import type { Rule } from '../rule.ts'
import { heldByKey, standingByUsage } from '../standing.ts'
import type { KeyUsage, Survey } from '../survey.ts'
import { counted } from '../wording.ts'

/** Renders that a test key may make in a day (UTC), whatever the plan. */
const rendersPerDay = 100
const dayMs = 86_400_000

export const testKeyAtLimit: Rule = {
  id: 'test-key-at-limit',
  severity: 'warning',
  summary: 'a test key reaches its 100 renders a day',
  help: 'Beyond 100 renders a day the API refuses a test key, and what it renders is watermarked: a test key that busy is often one that stands where a live key belongs. Renders are the requests of the audit log that made an image, a GIF or a PDF; where the log does not have them, all requests are taken for renders, and the finding says so. 100 and more today or yesterday (without the log: or in the last 24 hours) are a warning, on an earlier day of the last 30 a note.',
  needs: ['usage'],
  goesBy: ['log'],
  ...heldByKey((key, survey) => (key.type === 'test' ? standingByUsage(key, survey) : undefined)),

  *check(survey) {
    for (const key of survey.keys) {
      const figures = survey.usage.known ? survey.usage.value.get(key.id) : undefined
      if (key.type !== 'test' || key.status !== 'active' || figures === undefined) continue
      const days = rendersOf(key, survey) ?? requestsOf(figures)
      const { requests } = figures.windows['24h']
      const atLimit = [...days.counts].filter(([, count]) => count >= rendersPerDay).sort()
      const yesterday = dayOf(figures.updatedAt - dayMs)
      const isWithin24h = days.of === 'request' && requests >= rendersPerDay
      const isNow = isWithin24h || atLimit.some(([day]) => day >= yesterday)
      const [last, most] = atLimit.at(-1) ?? []
      if (!isNow && last === undefined) continue
      const made = isWithin24h
        ? `${counted(requests, 'request')} in 24 hours`
        : `${counted(most ?? 0, days.of)} on ${last}`
      yield {
        rule: 'test-key-at-limit',
        severity: isNow ? 'warning' : 'note',
        key,
        message: `made ${made}, where a test key has ${rendersPerDay} renders a day`,
        evidence: {
          requestsWithin24h: requests,
          limitPerDay: rendersPerDay,
          daysAtLimit: atLimit.map(([day, count]) => `${day}: ${counted(count, days.of)}`),
          countedBy:
            days.of === 'render' ? 'renders in the audit log' : 'requests: the audit log does not have them',
        },
        mend: ['pictify-keys', 'usage', key.id],
      }
    }
  },
}

interface Days {
  of: 'render' | 'request'
  /** By date. */
  counts: ReadonlyMap<string, number>
}

/** As the audit log has them; undefined where it does not show what the key did. */
function rendersOf({ id }: Key, { log }: Survey): Days | undefined {
  const own = log.known ? log.value.keys.get(id) : undefined
  if (own === undefined) return undefined
  return { of: 'render', counts: new Map(own.renders.list().map(({ value, requests }) => [value, requests])) }
}

function requestsOf({ days }: KeyUsage): Days {
  const last = days === undefined ? 0 : Date.parse(days.lastDay)
  const requests = days?.requests ?? []
  return {
    of: 'request',
    counts: new Map(
      requests.map((count, index) => [dayOf(last - (requests.length - 1 - index) * dayMs), count]),
    ),
  }
}

function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10)
}
