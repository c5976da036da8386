import type { Rule } from '../rule.ts'
import { outlierScore } from '../robust.ts'
import { spikeDefaults, spikeOf } from '../spike.ts'
import { figure, rounded, timesOf } from '../wording.ts'

const { times, requests } = spikeDefaults

export const requestSpike: Rule = {
  id: 'request-spike',
  severity: 'warning',
  summary: 'a key is used far more than on its own days',
  help:
    `The last day (as far as it has come), the day before it and the last 24 hours are held against the key's own days: what is usual is their median, of the same weekday where there are three weeks of them, and how far they vary is their median distance from it (MAD × 1.4826, at least a tenth of the usual, its root, and one), so that single odd days change neither. What has been so for four of the last seven days is usual. ` +
    `It is a finding where it lies more than ${outlierScore} such spreads above the usual, is at least ${times} times of it (\`warnAbove\`; an error from \`errorAbove\` times on, if set) and ${requests} requests more (\`minRequests\`). A key with fewer than 8 whole days is left out.`,
  needs: ['usage'],
  settings: { warnAbove: 'times', errorAbove: 'times', minRequests: 'requests' },

  *check({ keys, usage }, { warnAbove = times, errorAbove = Infinity, minRequests = requests }) {
    if (!usage.known) return
    for (const key of keys) {
      const figures = usage.value.get(key.id)
      if (key.status !== 'active' || figures === undefined) continue
      const spike = spikeOf(figures, Date.parse(key.createdAt), { times: warnAbove, requests: minRequests })
      if (spike === undefined || spike === 'unknown') continue
      const { when, unfinished, seen, usual, spread, score, count, of } = spike
      yield {
        rule: requestSpike.id,
        severity: seen > usual * errorAbove ? 'error' : 'warning',
        key,
        message: `${figure(seen)} requests ${when.startsWith('the') ? 'in' : 'on'} ${when}${unfinished ? ', which is not over' : ''}, ${timesOf(seen, usual) ?? 'far more than'} the usual ${figure(usual)}`,
        evidence: {
          when,
          requests: seen,
          usual: rounded(usual),
          comparedWith: `the median of ${count} ${of === 'weekdays' ? weekdayOf(when) : 'days'}`,
          times: usual > 0 ? rounded(seen / usual) : null,
          spread: rounded(spread),
          spreadsAbove: rounded(score),
          unlikeFromSpreads: outlierScore,
          figuresUpTo: new Date(figures.updatedAt).toISOString(),
        },
        mend: ['pictify-keys', 'incident', key.id],
      }
    }
  },
}

const weekday = new Intl.DateTimeFormat('en', { weekday: 'long', timeZone: 'UTC' })

/** `Saturdays`; 24 hours lie in two days. */
function weekdayOf(when: string): string {
  const at = Date.parse(when)
  return Number.isNaN(at) ? 'such weekdays' : `${weekday.format(at)}s`
}
