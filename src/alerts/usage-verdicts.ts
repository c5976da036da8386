import type { Key } from '../api/contract.ts'
import { spikeDefaults, spikesOf, type Spike } from '../audit/spike.ts'
import type { KeyUsage } from '../audit/survey.ts'
import { counted, exactPercent, figure, percentAbove } from '../audit/wording.ts'
import type { AlertCondition, RuleSettings } from '../fleet/fleet.ts'
import type { Verdict } from './verdict.ts'

type UsageCondition = Extract<AlertCondition, { kind: 'requests' | 'error-rate' | 'p95' | 'spike' }>

const quiet: Verdict = { state: 'quiet' }

/** `settings`: those of the audit's rule of spikes. */
export function usageVerdict(
  condition: UsageCondition,
  usage: KeyUsage,
  key: Key,
  settings: RuleSettings = {},
): Verdict {
  if (condition.kind === 'spike') return spikeVerdict(usage, key, settings)
  const { requests, errors, latencyMs } = usage.windows[condition.in]
  const within = `in ${condition.in}`
  if (condition.kind === 'requests') {
    const { over } = condition
    if (requests <= over) return quiet
    const message = `${counted(requests, 'request')} ${within}, more than ${figure(over)}`
    return {
      state: 'firing',
      measured: { message, unit: 'requests', value: requests, limit: over, details: [], places: [] },
    }
  }
  // of few requests one alone is a large share
  if (requests === 0 || requests < condition.minRequests) return quiet
  if (condition.kind === 'p95') {
    const { overMs: limit } = condition
    const value = latencyMs.p95
    if (value <= limit) return quiet
    const message = `p95 ${figure(value)} ms ${within} (${counted(requests, 'request')}), more than ${figure(limit)} ms`
    return { state: 'firing', measured: { message, unit: 'ms', value, limit, details: [], places: [] } }
  }
  const share = errors / requests
  if (share <= condition.over) return quiet
  const message = `${percentAbove(share, condition.over)} of ${counted(requests, 'request')} ${within} failed (${figure(errors)}), more than ${exactPercent(condition.over)}`
  return {
    state: 'firing',
    measured: { message, unit: 'share', value: share, limit: condition.over, details: [], places: [] },
  }
}

function spikeVerdict(
  usage: KeyUsage,
  key: Key,
  { warnAbove: times = spikeDefaults.times, minRequests: least = spikeDefaults.requests }: RuleSettings,
): Verdict {
  if (usage.windows['30d'].requests === 0) return quiet
  const spikes = spikesOf(usage, Date.parse(key.createdAt), { times, requests: least })
  if (spikes === 'unknown') return { state: 'unknown', why: 'it has too few days to tell what is usual' }
  const [spike] = spikes
  if (spike === undefined) return quiet
  const { when, seen, usual, score, count, of } = spike
  const message = `${counted(seen, 'request')} ${when.startsWith('the') ? 'in' : 'on'} ${when}, where ${figure(usual)} are usual`
  const details = [
    `${score.toFixed(1)} spreads above the median of ${count} ${of === 'weekdays' ? 'such weekdays' : 'days'}; 3.5 are called a spike`,
  ]
  return {
    state: 'firing',
    measured: {
      message,
      unit: 'requests',
      value: seen,
      limit: Math.round(usual),
      details,
      places: daysOf(spikes, usage),
    },
  }
}

/** The last 24 hours are those of two days, and no day of their own where one of these is odd by itself. */
function daysOf(spikes: readonly Spike[], { days }: KeyUsage): string[] {
  const own = spikes.map(({ when }) => when).filter((when) => !when.startsWith('the'))
  if (own.length > 0 || days === undefined) return own
  const lastDay = Date.parse(days.lastDay)
  return [lastDay - dayMs, lastDay].map((at) => new Date(at).toISOString().slice(0, 10))
}

const dayMs = 86_400_000
