// Rules of this file:
// - what an audit would find, and nothing else: the same statistics, and what its rules are told to ignore.
import type { Key } from '../api/contract.ts'
import { createIgnored } from '../audit/ignored.ts'
import { newCountriesOf } from '../audit/new-countries.ts'
import { newNetworksOf, whyHarmless } from '../audit/novelty.ts'
import { oddHoursOf } from '../audit/odd-hours.ts'
import type { KeyUsage, Past } from '../audit/survey.ts'
import { counted, instant, listed, percent } from '../audit/wording.ts'
import type { RuleSettings, WorkingHours } from '../fleet/fleet.ts'
import type { AlertLog } from './log-digest.ts'
import { mostPlaces, type Measured, type Verdict } from './verdict.ts'

const mostDetails = 5
const minuteMs = 60_000
const dayMs = 86_400_000

const quiet: Verdict = { state: 'quiet' }

/** Networks of the recent stretch that were not seen in the stretch before it, but for such as are most likely the owner's. */
export function networkVerdict(
  account: AlertLog,
  key: Key,
  { ignore, minRequests = 1 }: RuleSettings = {},
): Verdict {
  const log = account.keys.get(key.id)
  if (log === undefined || log.recent === 0) return quiet
  const novelty = newNetworksOf(account, log, createIgnored(ignore))
  if (novelty === undefined) {
    return { state: 'unknown', why: 'the audit log shows too little of it from before to tell what is new' }
  }
  const { sightings } = novelty
  const requests = sightings.reduce((sum, each) => sum + each.requests, 0)
  if (requests < Math.max(1, minRequests) || whyHarmless(novelty, key) !== undefined) {
    const usedFrom = log.networks.list().flatMap(({ value, recent }) => (recent > 0 ? value : []))
    return { state: 'quiet', usedFrom }
  }
  const places = sightings.map(({ value }) => value)
  const pastDays = Math.floor((account.recentSince - Math.max(account.since, log.firstAt ?? 0)) / dayMs)
  const message = `${counted(requests, 'request')} from ${counted(places.length, 'network')} not seen in ${pastDays}d before: ${listed(places)}`
  const details = sightings.map(
    ({ value, requests: own, firstAt }) =>
      `${value}: ${counted(own, 'request')}, first at ${instant(firstAt)}`,
  )
  return firing({ message, unit: 'networks', value: places.length, limit: 0, details, places })
}

/** Use outside of working hours, where the key was not used so before. */
export function hoursVerdict(
  account: AlertLog,
  { id }: Key,
  workingHours: WorkingHours,
  { minRequests }: RuleSettings = {},
): Verdict {
  const log = account.keys.get(id)
  if (log === undefined) return quiet
  const odd = oddHoursOf(account, log, minRequests)
  if (odd === undefined) return quiet
  if (odd === 'unknown') {
    return { state: 'unknown', why: 'the audit log shows too little of it from before to tell what is usual' }
  }
  const { requests: value, of, seen, usual } = odd
  const networks = log.outside.networks.list().map((each) => each.value)
  const from = networks.length === 0 ? '' : `, from ${listed(networks)}`
  const message = `${counted(value, 'request')} outside of working hours${from}: ${percent(seen)} of all, ${percent(usual)} before`
  const hours = log.outside.hours
    .list()
    .map((hour) => ({ begin: Date.parse(hour.value.replace('Z', ':00Z')), requests: hour.requests }))
    .sort((a, b) => a.begin - b.begin)
  const localTime = localTimeIn(workingHours.timeZone)
  const details = hours.map(
    ({ begin, requests }) => `${hourText(begin, localTime, workingHours)}: ${counted(requests, 'request')}`,
  )
  // what lies between the end of work and the next is one night, whatever its dates
  const places = hours.map(({ begin }) => localTime(begin - workingHours.to * minuteMs).slice(0, 10))
  return firing({ message, unit: 'requests', value, limit: Math.round(usual * of), details, places })
}

function localTimeIn(timeZone: string): (at: number) => string {
  // Sweden writes them as ISO 8601 does
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'short' })
  return (at) => format.format(at)
}

/** `2026-03-01 03:00 Europe/Berlin (02:00 UTC)`. */
function hourText(begin: number, localTime: (at: number) => string, { timeZone }: WorkingHours): string {
  const utc = timeZone === 'UTC' ? '' : ` (${new Date(begin).toISOString().slice(11, 16)} UTC)`
  return `${localTime(begin)} ${timeZone}${utc}`
}

/** Countries that none of this machine's earlier looks had, or that one of them had first within the recent stretch. */
export function countryVerdict(
  { countries = {} }: KeyUsage,
  past: Past | undefined,
  { id }: Key,
  recentSince: number,
  settings: RuleSettings = {},
): Verdict {
  const usedFrom = Object.keys(countries).filter((code) => (countries[code] ?? 0) > 0)
  if (usedFrom.length === 0) return quiet
  const known = past?.keys.get(id)
  if (known === undefined) return { state: 'unknown', why: 'it is looked at for the first time' }
  const fresh = newCountriesOf(countries, known, recentSince, settings)
  if (fresh.length === 0) return { state: 'quiet', usedFrom }
  const places = fresh.map(([code]) => code)
  const many = fresh.length === 1 ? 'a country' : `${fresh.length} countries`
  const message = `requests from ${many} not seen before: ${listed(places)}`
  const details = fresh.map(([code, requests]) => `${code}: ${counted(requests, 'request')} in 30d`)
  return firing({ message, unit: 'countries', value: places.length, limit: 0, details, places })
}

function firing({ details, places, ...measured }: Measured): Verdict {
  const shown = details.slice(0, mostDetails)
  if (details.length > mostDetails) shown.push(`and ${details.length - mostDetails} more`)
  const kept = [...new Set(places)].slice(0, mostPlaces)
  return { state: 'firing', measured: { ...measured, details: shown, places: kept } }
}
