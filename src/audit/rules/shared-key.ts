import type { Key } from '../../api/contract.ts'
import { siteOf } from '../address.ts'
import { developmentProgramOf } from '../development.ts'
import type { Finding } from '../finding.ts'
import { createIgnored } from '../ignored.ts'
import { callerOf, type Caller, type KeyLog, ownProgram } from '../key-log.ts'
import { nameOfAnother } from '../another-name.ts'
import type { Rule } from '../rule.ts'
import { daysTogether, type Sighting } from '../sightings.ts'
import { heldByKey, standingByLog } from '../standing.ts'
import { counted, listed } from '../wording.ts'

/** A deploy may take a day, and another to be taken back. */
const fewestDays = 3
/** Less than this of all requests is somebody who tried something. */
const fewestShare = 0.01
const fewestRequests = 5
/** Of the work of two places; more of it the same is one service in two of them. */
const mostAlike = 0.1

const byKey = heldByKey(standingByLog)

export const sharedKey: Rule = {
  id: 'shared-key',
  severity: 'warning',
  summary: 'one key is used by several services',
  help:
    `A key of several services cannot be revoked for one of them, and what each does cannot be told. Services are told by their programs (user agents without versions) in the audit log: two of them, used side by side on at least ${fewestDays} days of the recent stretch, are two services; a deploy that moves from one to the other is over sooner. ` +
    `From networks of their own that is a warning, from one network a note: it may be one service with two clients. One program from many networks is one service, but where it is used from two places (/16, or /32 of IPv6) side by side for different work: of the endpoints that it calls from one, less than ${mostAlike * 100} % of the requests are to those of the other. That is a warning too. Programs of development (\`live-key-in-development\` has them), pictify-keys itself, and those with less than ${fewestShare * 100} % of the requests (\`minRequests\`: ${fewestRequests} at least) do not count; \`ignore\` names others.`,
  needs: ['log'],
  settings: { ignore: 'programs', minRequests: 'requests' },

  ...byKey,
  skip(survey, settings) {
    const { log } = survey
    const days = log.known ? (log.value.until - log.value.recentSince) / 86_400_000 : Infinity
    if (days < fewestDays) return `it needs a recent stretch of ${fewestDays} days or more`
    return byKey.skip(survey, settings)
  },

  *check({ keys, log }, { ignore, minRequests = fewestRequests }) {
    if (!log.known) return
    const isIgnored = createIgnored(ignore)
    for (const key of keys) {
      const own = log.value.keys.get(key.id)
      if (key.status !== 'active' || own === undefined) continue
      const services = servicesOf(own, isIgnored, minRequests)
      const [first] = services
      const others = services.filter(
        (each) => first !== each && first && daysTogether(first.days, each.days) >= fewestDays,
      )
      if (first === undefined) continue
      if (others.length > 0) yield finding(key, [first, ...others])
      else yield* apartFindings(key, placesOf(own, isIgnored, minRequests))
    }
  },
}

interface Service {
  program: string
  networks: Set<string>
  requests: number
  /** A bit for each day. */
  days: number
}

/** Programs of the recent stretch, most first. */
function servicesOf(log: KeyLog, isIgnored: (value: string) => boolean, minRequests: number): Service[] {
  const services = new Map<string, Service>()
  for (const { program, network, recent, recentDays } of log.callers.list().map(callerOf)) {
    if (recent === 0 || program === '' || !isService({ program, network }, isIgnored)) continue
    const service = services.get(program) ?? { program, networks: new Set(), requests: 0, days: 0 }
    services.set(program, service)
    service.networks.add(network)
    service.requests += recent
    service.days |= recentDays
  }
  return [...services.values()]
    .filter(({ requests }) => requests >= Math.max(minRequests, log.recent * fewestShare))
    .sort((a, b) => b.requests - a.requests || (a.program < b.program ? -1 : 1))
}

function isService(
  { program, network }: Pick<Caller, 'program' | 'network'>,
  isIgnored: (value: string) => boolean,
): boolean {
  if (program === ownProgram || isIgnored(program) || isIgnored(network)) return false
  return developmentProgramOf(program) === undefined
}

/** Where a key is used from, and what for. */
interface Place {
  site: string
  requests: number
  /** A bit for each day. */
  days: number
  /** What changes something or renders, where there is such; most first. */
  work: Sighting[]
}

/** Places of the recent stretch, most first. */
function placesOf(log: KeyLog, isIgnored: (value: string) => boolean, minRequests: number): Place[] {
  const callers = log.callers.list().map(callerOf)
  const sites = new Set(
    callers
      .filter((caller) => caller.recent > 0 && isService(caller, isIgnored))
      .map(({ network }) => siteOf(network)),
  )
  const bySite = new Map<string, Sighting[]>()
  for (const sighting of log.places.list()) {
    const [site = '', called = ''] = sighting.value.split('\n')
    if (sites.has(site)) bySite.set(site, [...(bySite.get(site) ?? []), { ...sighting, value: called }])
  }
  return [...bySite]
    .map(([site, calls]): Place => {
      const work = calls.filter(({ value }) => !value.startsWith('GET '))
      return {
        site,
        requests: calls.reduce((sum, { requests }) => sum + requests, 0),
        days: calls.reduce((days, { recentDays }) => days | recentDays, 0),
        work: work.length > 0 ? work : calls,
      }
    })
    .filter(({ requests }) => requests >= Math.max(minRequests, log.recent * fewestShare))
    .sort((a, b) => b.requests - a.requests || (a.site < b.site ? -1 : 1))
}

/** One program that does different work in different places. */
function* apartFindings(key: Key, [first, ...others]: readonly Place[]): Iterable<Finding> {
  if (first === undefined) return
  const apart = others.find(
    (each) => daysTogether(first.days, each.days) >= fewestDays && likeness(first, each) < mostAlike,
  )
  if (apart === undefined) return
  const said = [first, apart].map(({ site, work }) => `${site} (${listed(work.map(({ value }) => value))})`)
  const [purpose = ''] = apart.work.flatMap(
    ({ value }) => /([a-z][a-z-]*)(?:\/\{id\})?$/.exec(value)?.[1] ?? [],
  )
  yield {
    rule: sharedKey.id,
    severity: 'warning',
    key,
    message: `used side by side from 2 places for different work: ${listed(said)}`,
    evidence: {
      places: [first, apart].map(({ site, requests, work }) => {
        return `${site}: ${counted(requests, 'request')}, ${listed(work.map(({ value }) => value))}`
      }),
      daysTogether: daysTogether(first.days, apart.days),
    },
    mend: createAnother(key, purpose),
  }
}

/** How much of the work of two places is the same: shares, 1 is all. */
function likeness(a: Place, b: Place): number {
  const sharesOf = ({ work }: Place) => {
    const all = work.reduce((sum, { requests }) => sum + requests, 0)
    return new Map(work.map(({ value, requests }) => [value, requests / all]))
  }
  const other = sharesOf(b)
  return [...sharesOf(a)].reduce((sum, [called, share]) => sum + Math.min(share, other.get(called) ?? 0), 0)
}

function createAnother({ name, type, access }: Key, purpose: string): string[] {
  return [
    ...['pictify-keys', 'create', nameOfAnother(name, purpose), '--type', type],
    ...(access === undefined ? [] : ['--access', access]),
  ]
}

function finding(key: Key, services: readonly [Service, ...Service[]]): Finding {
  const [first, ...others] = services
  const apart = others.filter(({ networks }) => ![...networks].some((network) => first.networks.has(network)))
  const another = apart[0] ?? others[0]
  const programs = services.map(({ program }) => program)
  return {
    rule: sharedKey.id,
    severity: apart.length > 0 ? 'warning' : 'note',
    key,
    message: `used side by side by ${counted(services.length, 'program')}${apart.length > 0 ? ' from networks of their own' : ''}: ${listed(programs)}`,
    evidence: {
      programs: services.slice(0, 10).map(({ program, requests, networks }) => {
        return `${program}: ${counted(requests, 'request')} from ${listed([...networks].filter(Boolean))}`
      }),
      daysTogether: Math.max(...others.map(({ days }) => daysTogether(first.days, days))),
    },
    mend: createAnother(key, another?.program ?? ''),
  }
}
