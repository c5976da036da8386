import type { Key } from '../api/contract.ts'
import { isHabit, newNetworksOf } from '../audit/novelty.ts'
import type { KeyUsage, Past } from '../audit/survey.ts'
import { counted, instant, listed } from '../audit/wording.ts'
import type { AlertLog } from './log-digest.ts'
import type { Verdict } from './verdict.ts'

/** How long a country is new; one that comes and goes fires once in that time. */
const newCountryMs = 24 * 3_600_000
const mostDetails = 5

const quiet: Verdict = { state: 'quiet' }

/**
 * Networks of the recent stretch that were not seen in the stretch before it; as an audit has it, none where all lie beside
 * known ones, where the key comes by as many often, and where this program alone used them.
 */
export function networkVerdict(account: AlertLog, key: Key): Verdict {
  const log = account.keys.get(key.id)
  if (log === undefined || log.recent === 0) return quiet
  const novelty = newNetworksOf(account, log)
  if (novelty === undefined) {
    return { state: 'unknown', why: 'the audit log shows too little of it from before to tell what is new' }
  }
  const { sightings, beside, onlyOwn } = novelty
  const isUsual = beside === sightings.length || isHabit(novelty) || (onlyOwn && key.access !== 'admin')
  if (isUsual) return quiet
  const requests = sightings.reduce((sum, each) => sum + each.requests, 0)
  const networks = listed(sightings.map(({ value }) => value))
  const message = `${counted(requests, 'request')} from ${counted(sightings.length, 'network')} not seen before: ${networks}`
  const details = sightings.map(
    ({ value, requests: own, firstAt }) =>
      `${value}: ${counted(own, 'request')}, first at ${instant(firstAt)}`,
  )
  return firing(sightings.length, message, 'networks', details)
}

export function hoursVerdict({ keys }: AlertLog, { id }: Key): Verdict {
  const log = keys.get(id)
  if (log === undefined) return quiet
  const hours = log.outside.hours.list()
  const requests = hours.reduce((sum, each) => sum + each.requests, log.outside.hours.unkept)
  const networks = log.outside.networks.list().map(({ value }) => value)
  const from = networks.length === 0 ? '' : `, from ${listed(networks)}`
  const message = `${counted(requests, 'request')} outside of working hours${from}`
  const details = hours
    .toSorted((a, b) => a.firstAt - b.firstAt)
    .map(({ value, requests: own }) => `${value}: ${counted(own, 'request')}`)
  return firing(requests, message, 'requests', details)
}

/** Countries that none of this machine's earlier looks had, or that one of them had first within the last day. */
export function countryVerdict(
  { countries = {} }: KeyUsage,
  past: Past | undefined,
  { id }: Key,
  at: number,
): Verdict {
  const seen = Object.keys(countries).filter((country) => (countries[country] ?? 0) > 0)
  if (seen.length === 0) return quiet
  const known = past?.keys.get(id)
  if (known === undefined) return { state: 'unknown', why: 'it is looked at for the first time' }
  const fresh = seen.filter((country) => {
    const firstAt = known.countries.get(country)
    return firstAt === undefined || (firstAt > known.since && firstAt > at - newCountryMs)
  })
  const many = fresh.length === 1 ? 'a country' : `${fresh.length} countries`
  const message = `requests from ${many} not seen before: ${listed(fresh)}`
  const details = fresh.map((country) => `${country}: ${counted(countries[country] ?? 0, 'request')} in 30d`)
  return firing(fresh.length, message, 'countries', details)
}

/** Of what may be none. */
function firing(
  value: number,
  message: string,
  unit: 'requests' | 'countries' | 'networks',
  details: readonly string[],
): Verdict {
  if (value === 0) return quiet
  const shown = details.slice(0, mostDetails)
  if (details.length > mostDetails) shown.push(`and ${details.length - mostDetails} more`)
  return { state: 'firing', measured: { message, unit, value, limit: 0, details: shown } }
}
