import { isNewCountry, newCountriesOf } from '../new-countries.ts'
import { firstLook } from '../past.ts'
import type { Rule } from '../rule.ts'
import { heldByKey, standingByUsage } from '../standing.ts'
import type { KeyPast, Survey } from '../survey.ts'
import { counted, instant, listed } from '../wording.ts'

export const newCountry: Rule = {
  id: 'new-country',
  severity: 'warning',
  summary: 'a key is used from countries it was never used from',
  help:
    'The API tells from which countries a key was used in 30 days, not since when: so each audit writes down what it saw, in the state directory of this machine (--state-dir), and holds the next one against it. A country that an audit sees for the first time is a finding from then on for as long as it is recent (`--recent`), so that a second audit does not hide it. ' +
    'The first look at an account skips the rule, and the first look at a key says nothing of it. Where the state directory does not last, as in most CI jobs, keep it (a cache of the job), or go by new-network. Fewer requests than `minRequests` are no finding; `ignore` names countries that are meant to be there.',
  needs: ['usage', 'past'],
  settings: { minRequests: 'requests', ignore: 'countries' },
  ...heldByKey((key, survey) => {
    const standing = standingByUsage(key, survey)
    const usage = survey.usage.known ? survey.usage.value.get(key.id) : undefined
    if (usage === undefined || usage.windows['30d'].requests === 0) return standing
    // there is none without a country
    if (Object.keys(usage.countries ?? {}).length === 0)
      return { known: false, why: 'the API gives no countries' }
    const isKnown = survey.past.known && survey.past.value.keys.has(key.id)
    return isKnown ? standing : { known: false, why: firstLook }
  }),

  *check({ keys, usage, past, at, recentSince }, settings) {
    if (!usage.known || !past.known) return
    for (const key of keys) {
      const countries = usage.value.get(key.id)?.countries
      const known = past.value.keys.get(key.id)
      if (key.status !== 'active' || countries === undefined || known === undefined) continue
      const fresh = newCountriesOf(countries, known, recentSince, settings)
      if (fresh.length === 0) continue
      const requests = fresh.reduce((sum, [, count]) => sum + count, 0)
      const before = [...known.countries].filter(([code]) => !isNewCountry(code, known, recentSince))
      yield {
        rule: newCountry.id,
        severity: 'warning',
        key,
        message: `${counted(requests, 'request')} from ${fresh.length === 1 ? 'a country' : `${fresh.length} countries`} never seen before: ${listed(
          fresh.map(([code]) => code),
          5,
        )}`,
        evidence: {
          countries: fresh.map(
            ([code, count]) => `${code}: ${counted(count, 'request')}, ${sinceOf(code, known, at)}`,
          ),
          requests,
          knownCountries: before.map(([code]) => code).sort(),
          lookedAtSince: instant(known.since),
        },
        mend: ['pictify-keys', 'incident', key.id],
      }
    }
  },
}

function sinceOf(code: string, { until, countries }: KeyPast, at: Survey['at']): string {
  const firstAt = countries.get(code)
  return firstAt === undefined
    ? `not there on ${instant(until)}`
    : `first seen on ${instant(Math.min(firstAt, at))}`
}
