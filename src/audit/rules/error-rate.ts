import type { UsageWindow } from '../../api/contract.ts'
import type { Severity } from '../../fleet/fleet.ts'
import type { Rule } from '../rule.ts'
import { compareShares, outlierScore, type ShareComparison } from '../robust.ts'
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
    `Below that it is a warning where it is unlike the 29 days before: from ${percent(least.share)} and ${least.errors} errors on, at least ${least.times} times their share, and more than ${outlierScore} standard errors above it, so that chance does not explain it.`,
  needs: ['usage'],
  settings: { warnAbove: 'share', errorAbove: 'share', minRequests: 'requests' },

  *check({ keys, usage }, settings) {
    if (!usage.known) return
    const { minRequests = fewestRequests } = settings
    for (const key of keys) {
      const figures = usage.value.get(key.id)
      if (key.status !== 'active' || figures === undefined) continue
      const { '24h': day, '30d': month } = figures.windows
      if (day.requests < minRequests || day.errors === 0) continue
      const comparison = compareShares(
        { part: day.errors, of: day.requests },
        { part: Math.max(0, month.errors - day.errors), of: Math.max(0, month.requests - day.requests) },
        fewestRequests,
      )
      const severity = severityOf(day, comparison, settings)
      if (severity === undefined) continue
      yield {
        rule: errorRate.id,
        severity,
        key,
        message: messageOf(day, comparison),
        evidence: {
          requests24h: day.requests,
          errors24h: day.errors,
          errorPercent24h: rounded((day.errors / day.requests) * 100),
          errorPercentBefore: comparison ? rounded(comparison.usual * 100) : null,
          standardErrorsAbove: comparison ? rounded(comparison.score) : null,
        },
        mend: ['pictify-keys', 'logs', key.id, '--since', '24h', '--status', '4xx,5xx'],
      }
    }
  },
}

function severityOf(
  { requests, errors }: UsageWindow,
  comparison: ShareComparison | undefined,
  {
    warnAbove = warnFrom,
    errorAbove = errorFrom,
  }: { warnAbove?: number | undefined; errorAbove?: number | undefined },
): Severity | undefined {
  const share = errors / requests
  if (share > errorAbove) return 'error'
  if (share > warnAbove) return 'warning'
  if (comparison === undefined || share < least.share || errors < least.errors) return undefined
  return comparison.score > outlierScore && share >= comparison.usual * least.times ? 'warning' : undefined
}

function messageOf({ requests, errors }: UsageWindow, comparison: ShareComparison | undefined): string {
  const before =
    comparison === undefined ? '' : `; in the 29 days before, ${percent(comparison.usual)} failed`
  return `${percent(errors / requests)} of ${counted(requests, 'request')} in the last 24 hours failed${before}`
}
