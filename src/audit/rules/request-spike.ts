import type { Key } from '../../api/contract.ts'
import type { KeyLog } from '../key-log.ts'
import { outlierScore } from '../robust.ts'
import type { Rule } from '../rule.ts'
import { spikeDefaults, spikesOf, type Spike } from '../spike.ts'
import { heldByKey, standingByUsage, type Standing } from '../standing.ts'
import type { KeyUsage, Survey } from '../survey.ts'
import { counted, figure, rounded, timesOf } from '../wording.ts'

const { times, requests } = spikeDefaults
const dayMs = 86_400_000

export const requestSpike: Rule = {
  id: 'request-spike',
  severity: 'warning',
  summary: 'a key is used far more than on its own days',
  help:
    `Each day of the recent stretch (\`--recent\`; the last one as far as it has come) and the last 24 hours are held against the key's own days before: what is usual is their median, of the same weekday where there are three weeks of them, and how far they vary is their median distance from it (MAD × 1.4826, at least a tenth of the usual, its root, and one), so that single odd days change neither. What has been so for four of the last seven days is usual. ` +
    `It is a finding where it lies more than ${outlierScore} such spreads above the usual, is at least ${times} times of it (\`warnAbove\`; an error from \`errorAbove\` times on, if set) and ${requests} requests more (\`minRequests\`). Of a key that is idle on most days it is held against the busiest of them. What pictify-keys itself asked, by the audit log, is not counted; where that is not known, admin keys are left out, as is a key with fewer than 8 whole days.`,
  needs: ['usage'],
  goesBy: ['log'],
  settings: { warnAbove: 'times', errorAbove: 'times', minRequests: 'requests' },
  ...heldByKey(standingOf),

  *check(survey, { warnAbove = times, errorAbove = Infinity, minRequests = requests }) {
    for (const key of survey.keys) {
      const spikes = spikesIn(key, survey, { times: warnAbove, requests: minRequests })
      const [spike] = spikes
      if (spike === undefined) continue
      const { seen, usual, most } = spike
      yield {
        rule: requestSpike.id,
        severity: seen > (usual > 0 ? usual : most) * errorAbove ? 'error' : 'warning',
        key,
        message: messageOf(spike),
        evidence: evidenceOf(spikes, spike, survey, key),
        mend: ['pictify-keys', 'incident', key.id],
      }
    }
  },
}

function standingOf(key: Key, survey: Survey): Standing {
  const standing = standingByUsage(key, survey)
  if (!standing?.known) return standing
  if (key.access === 'admin' && !survey.log.known) {
    return {
      known: false,
      why: 'without the audit log the work of an admin key cannot be told from what audits ask with it',
    }
  }
  const usage = survey.usage.known ? survey.usage.value.get(key.id) : undefined
  if (usage?.windows['30d'].requests === 0) return undefined
  if (usage?.days === undefined) return { known: false, why: 'the API gives no days' }
  if (spikesOf(usage, Date.parse(key.createdAt)) !== 'unknown') return standing
  return { known: false, why: 'fewer than 8 whole days are known' }
}

/** The oddest first. */
function spikesIn(key: Key, survey: Survey, options: typeof spikeDefaults): Spike[] {
  if (key.status !== 'active' || !standingOf(key, survey)?.known || !survey.usage.known) return []
  const usage = survey.usage.value.get(key.id)
  const log = survey.log.known ? survey.log.value.keys.get(key.id) : undefined
  if (usage === undefined) return []
  const others = log === undefined ? usage : withoutOwn(usage, log)
  const spikes = spikesOf(others, Date.parse(key.createdAt), { ...options, since: survey.recentSince })
  return spikes === 'unknown' ? [] : spikes
}

/** Without what this program asked: every audit of a large account is a spike of its own key. */
function withoutOwn(usage: KeyUsage, { own }: KeyLog): KeyUsage {
  const hours = own.list().map(({ value, requests: count }) => ({ at: Date.parse(value), count }))
  if (hours.length === 0 || usage.days === undefined) return usage
  const between = (from: number, until: number) =>
    hours.reduce((sum, { at, count }) => (at >= from && at < until ? sum + count : sum), 0)
  const { days, windows, updatedAt } = usage
  const end = Date.parse(days.lastDay) + dayMs
  const others = days.requests.map((count, index) => {
    const from = end - (days.requests.length - index) * dayMs
    return Math.max(0, count - between(from, from + dayMs))
  })
  const lastDay = Math.max(0, windows['24h'].requests - between(updatedAt - dayMs, updatedAt))
  return {
    ...usage,
    days: { ...days, requests: others },
    windows: { ...windows, '24h': { ...windows['24h'], requests: lastDay } },
  }
}

function messageOf({ when, unfinished, seen, usual, most, count, of }: Spike): string {
  const those = of === 'weekdays' ? weekdayOf(when) : 'days'
  const against =
    usual > 0
      ? `${timesOf(seen, usual)} the usual ${figure(usual)}`
      : most > 0
        ? `where it is idle on most ${those}, and had ${figure(most)} on the busiest of them`
        : `where it did nothing on ${count} ${those} before`
  return `${counted(seen, 'request')} ${isDay({ when }) ? 'on' : 'in'} ${when}${unfinished ? ', which is not over' : ''}, ${against}`
}

function isDay({ when }: Pick<Spike, 'when'>): boolean {
  return !when.startsWith('the')
}

function evidenceOf(spikes: readonly Spike[], spike: Spike, { usage }: Survey, { id }: Key) {
  const { when, seen, usual, spread, score, most, count, of } = spike
  const alsoOn = spikes
    .filter((each) => each !== spike && isDay(each))
    .map((each) => `${each.when}: ${counted(each.seen, 'request')}`)
  const updatedAt = usage.known ? usage.value.get(id)?.updatedAt : undefined
  return {
    when,
    requests: seen,
    usual: rounded(usual),
    comparedWith: `the median of ${count} ${of === 'weekdays' ? weekdayOf(when) : 'days'}`,
    ...(usual > 0 ? { times: rounded(seen / usual) } : { mostBefore: most }),
    spread: rounded(spread),
    spreadsAbove: rounded(score),
    spreadsAllowed: outlierScore,
    ...(alsoOn.length > 0 && { alsoOn }),
    ...(updatedAt !== undefined && { figuresUpTo: new Date(updatedAt).toISOString() }),
  }
}

const weekday = new Intl.DateTimeFormat('en', { weekday: 'long', timeZone: 'UTC' })

/** `Saturdays`; 24 hours lie in two days. */
function weekdayOf(when: string): string {
  const at = Date.parse(when)
  return Number.isNaN(at) ? 'such weekdays' : `${weekday.format(at)}s`
}
