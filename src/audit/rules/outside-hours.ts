import type { KeyLog } from '../key-log.ts'
import { hoursText, oddHoursDefaults, oddHoursOf } from '../odd-hours.ts'
import { outlierScore } from '../robust.ts'
import type { Rule } from '../rule.ts'
import { heldByKey, standingByPast } from '../standing.ts'
import { counted, listed, percent, rounded, sightingList } from '../wording.ts'

const { fewestRequests, leastTimes, mostBefore } = oddHoursDefaults

const byKey = heldByKey(standingByPast)

export const outsideHours: Rule = {
  id: 'outside-hours',
  severity: 'warning',
  summary: 'a key is used outside working hours, as it was not before',
  help:
    `Requests of the recent stretch (\`--recent\`) outside of \`audit: workingHours\` of pictify-keys.yaml, by the audit log. A service that works round the clock is not meant: it is a finding where up to ${percent(mostBefore)} of the requests before the recent stretch were outside, and now at least ${leastTimes} times that share are, more than ${outlierScore} standard errors above it, so that chance does not explain it, from ${fewestRequests} requests on (\`minRequests\`). ` +
    'A key without three days and ten requests before has no past to be held against and is left out. `workingHours` over midnight belong to the day they begin on; changes of summer time are kept. What pictify-keys asks, as audits of the night do, is not counted: with an admin key what changes nothing, with others its probes.',
  needs: ['log', 'fleet'],
  settings: { minRequests: 'requests' },
  ...byKey,
  skip(survey, settings) {
    const { fleet } = survey
    const hasHours = !fleet.known || fleet.value.audit.workingHours !== undefined
    return hasHours ? byKey.skip(survey, settings) : 'pictify-keys.yaml has no audit: workingHours'
  },

  *check({ keys, log, fleet }, { minRequests = fewestRequests }) {
    const hours = fleet.known ? fleet.value.audit.workingHours : undefined
    if (!log.known || hours === undefined) return
    for (const key of keys) {
      const own = log.value.keys.get(key.id)
      if (key.status !== 'active' || own === undefined) continue
      const odd = oddHoursOf(log.value, own, minRequests)
      if (odd === undefined || odd === 'unknown') continue
      const { requests, of, seen, usual, score } = odd
      const stretches = stretchesOf(own)
      yield {
        rule: outsideHours.id,
        severity: 'warning',
        key,
        message: `${counted(requests, 'request')} outside working hours, ${listed(stretches)}: ${percent(seen)} of all, ${percent(usual)} before`,
        evidence: {
          requests,
          ofRequests: of,
          percentOutside: rounded(seen * 100),
          percentBefore: rounded(usual * 100),
          standardErrorsAbove: rounded(score),
          workingHours: hoursText(hours),
          hours: stretches.slice(0, 10),
          networks: sightingList(own.outside.networks.list()),
          recentSince: new Date(log.value.recentSince).toISOString(),
        },
        mend: ['pictify-keys', 'incident', key.id],
      }
    }
  },
}

/** `2026-02-27 01:00 to 04:00 UTC`, latest first: hours that follow each other as one. */
function stretchesOf({ outside }: KeyLog): string[] {
  const hourMs = 3_600_000
  const stretches: { from: number; to: number }[] = []
  const begins = outside.hours.list().map(({ value }) => Date.parse(value.replace('Z', ':00Z')))
  for (const from of begins.sort((a, b) => a - b)) {
    const last = stretches.at(-1)
    if (last?.to === from) last.to += hourMs
    else stretches.push({ from, to: from + hourMs })
  }
  const date = (at: number) => new Date(at).toISOString().slice(0, 10)
  const clock = (at: number) => new Date(at).toISOString().slice(11, 16)
  return stretches.reverse().map(({ from, to }) => {
    const end = date(to - 1) === date(from) ? clock(to) : `${date(to)} ${clock(to)}`
    return `${date(from)} ${clock(from)} to ${end} UTC`
  })
}
