import type { Rule } from '../rule.ts'
import { heldByKey, standingByUsage } from '../standing.ts'
import { counted, figure, rounded, timesOf } from '../wording.ts'

const warnTimes = 2
const leastMs = 200
const fewestRequests = 100

export const latency: Rule = {
  id: 'latency',
  severity: 'warning',
  summary: 'requests with a key take far longer than they did',
  help:
    `The latency within which 95 of 100 requests of the last 24 hours were answered (p95), against that of 30 days. It is a finding where it is ${warnTimes} times as long and more (\`warnAbove\`; an error from \`errorAbove\` times on, if set), by at least ${leastMs} ms, of ${fewestRequests} requests and more (\`minRequests\`), and as many before. ` +
    `The 30 days have the last one in them, as the API gives no others: what is slow for weeks is no longer unlike them.`,
  needs: ['usage'],
  settings: { warnAbove: 'times', errorAbove: 'times', minRequests: 'requests' },
  ...heldByKey(standingByUsage),

  *check({ keys, usage }, { warnAbove = warnTimes, errorAbove = Infinity, minRequests = fewestRequests }) {
    if (!usage.known) return
    for (const key of keys) {
      const figures = usage.value.get(key.id)
      if (key.status !== 'active' || figures === undefined) continue
      const { '24h': day, '30d': month } = figures.windows
      if (day.requests < minRequests || month.requests - day.requests < minRequests) continue
      const [seen, usual] = [day.latencyMs.p95, month.latencyMs.p95]
      if (usual <= 0 || seen < usual * warnAbove || seen - usual < leastMs) continue
      yield {
        rule: latency.id,
        severity: seen >= usual * errorAbove ? 'error' : 'warning',
        key,
        message: `95 % of ${counted(day.requests, 'request')} in the last 24 hours took up to ${figure(seen)} ms, ${timesOf(seen, usual)} the ${figure(usual)} ms of the 30 days that end with them`,
        evidence: {
          requests24h: day.requests,
          p95Ms24h: rounded(seen),
          p95Ms30d: rounded(usual),
          p50Ms24h: rounded(day.latencyMs.p50),
          p50Ms30d: rounded(month.latencyMs.p50),
          times: rounded(seen / usual),
          comparedWith: 'all requests of 30 days: the API tells latency of no single day',
        },
        mend: ['pictify-keys', 'usage', key.id],
      }
    }
  },
}
