import type { UsageWindow } from '../../api/contract.ts'
import type { Severity } from '../../fleet/fleet.ts'
import type { Rule } from '../rule.ts'
import { compareDailyShares, compareShares, fewestDays, outlierScore, type Share } from '../robust.ts'
import { heldByKey, standingByUsage } from '../standing.ts'
import type { KeyUsage } from '../survey.ts'
import { counted, percent, rounded } from '../wording.ts'

const warnFrom = 0.05
const errorFrom = 0.2
const fewestRequests = 50
/** A share that is unlike the key's past is one to look at from here on. */
const least = { share: 0.01, errors: 10, times: 3 }

export const errorRate: Rule = {
  id: 'error-rate',
  severity: 'error',
  summary: 'many requests with a key fail',
  help:
    `The share of the last 24 hours' requests that were answered with an error. Above ${percent(warnFrom)} (\`warnAbove\`) it is a warning, above ${percent(errorFrom)} (\`errorAbove\`) an error, of ${fewestRequests} requests and more (\`minRequests\`). ` +
    `Below that it is a warning where it is unlike the key's own days before: from ${percent(least.share)} and ${least.errors} errors on, at least ${least.times} times what is usual, and more than ${outlierScore} spreads above it. ` +
    `What is usual is the median of the shares of single days (of ${fewestRequests} requests and more), so that an outage of one day does not hide today's; a spread is their median distance from it (MAD × 1.4826) together with what chance makes of so many requests. Where there are fewer than ${fewestDays} such days it is the share of all requests of the 29 days before, and chance alone.`,
  needs: ['usage'],
  settings: { warnAbove: 'share', errorAbove: 'share', minRequests: 'requests' },
  ...heldByKey(standingByUsage),

  *check({ keys, usage }, settings) {
    if (!usage.known) return
    const { minRequests = fewestRequests } = settings
    for (const key of keys) {
      const figures = usage.value.get(key.id)
      if (key.status !== 'active' || figures === undefined) continue
      const day = figures.windows['24h']
      if (day.requests < minRequests || day.errors === 0) continue
      const past = pastOf(figures)
      const severity = severityOf(day, past, settings)
      if (severity === undefined) continue
      yield {
        rule: errorRate.id,
        severity,
        key,
        message: messageOf(day, past),
        evidence: {
          requests24h: day.requests,
          errors24h: day.errors,
          errorPercent24h: rounded((day.errors / day.requests) * 100),
          ...(past && {
            errorPercentBefore: rounded(past.usual * 100),
            comparedWith: past.of,
            spreadsAbove: rounded(past.score),
            spreadsAllowed: outlierScore,
          }),
        },
        mend: ['pictify-keys', 'logs', key.id, '--since', '24h', '--status', '4xx,5xx'],
      }
    }
  },
}

interface PastShare {
  usual: number
  score: number
  /** What it was before: `the median of 28 days`. */
  of: string
}

const dayMs = 86_400_000

/** How the last 24 hours stand to the key's own past; undefined where that is too little. */
function pastOf({ windows, days, updatedAt }: KeyUsage): PastShare | undefined {
  const { '24h': day, '30d': month } = windows
  const now: Share = { part: day.errors, of: day.requests }
  const shares = (days?.requests ?? []).map((of, index): Share => ({ part: days?.errors[index] ?? 0, of }))
  // the last 24 hours lie in the day of the figures and in the one before
  const isOver = days !== undefined && updatedAt >= Date.parse(days.lastDay) + dayMs
  const daily = compareDailyShares(now, shares.slice(0, isOver ? -1 : -2), fewestRequests)
  if (daily !== undefined) return { ...daily, of: `the median of ${daily.count} days` }
  const before = { part: Math.max(0, month.errors - now.part), of: Math.max(0, month.requests - now.of) }
  const all = compareShares(now, before, fewestRequests)
  return all && { ...all, of: `${counted(before.of, 'request')} of the 29 days before` }
}

function severityOf(
  { requests, errors }: UsageWindow,
  past: PastShare | undefined,
  {
    warnAbove = warnFrom,
    errorAbove = errorFrom,
  }: { warnAbove?: number | undefined; errorAbove?: number | undefined },
): Severity | undefined {
  const share = errors / requests
  if (share > errorAbove) return 'error'
  if (share > warnAbove) return 'warning'
  if (past === undefined || share < least.share || errors < least.errors) return undefined
  return past.score > outlierScore && share >= past.usual * least.times ? 'warning' : undefined
}

function messageOf({ requests, errors }: UsageWindow, past: PastShare | undefined): string {
  const before = past === undefined ? '' : `; ${percent(past.usual)} is usual (${past.of})`
  return `${percent(errors / requests)} of ${counted(requests, 'request')} in the last 24 hours failed${before}`
}
