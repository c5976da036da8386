import type { Key } from '../../api/contract.ts'
import { developmentProgramOf } from '../development.ts'
import type { Finding } from '../finding.ts'
import { createIgnored } from '../ignored.ts'
import { callerOf, type KeyLog, ownProgram } from '../key-log.ts'
import { nameOfAnother } from '../another-name.ts'
import type { Rule } from '../rule.ts'
import { daysTogether } from '../sightings.ts'
import { counted, listed } from '../wording.ts'

/** A deploy may take a day, and another to be taken back. */
const fewestDays = 3
/** Less than this of all requests is somebody who tried something. */
const fewestShare = 0.01
const fewestRequests = 5

export const sharedKey: Rule = {
  id: 'shared-key',
  severity: 'warning',
  summary: 'one key is used by several services',
  help:
    `A key of several services cannot be revoked for one of them, and what each does cannot be told. Services are told by their programs (user agents without versions) in the audit log: two of them, used side by side on at least ${fewestDays} days of the recent stretch, are two services; a deploy that moves from one to the other is over sooner. ` +
    `From networks of their own that is a warning, from one network a note: it may be one service with two clients. One program from many networks is one service. Programs of development (\`live-key-in-development\` has them), pictify-keys itself, and those with less than ${fewestShare * 100} % of the requests (\`minRequests\`: ${fewestRequests} at least) do not count; \`ignore\` names others.`,
  needs: ['log'],
  settings: { ignore: 'programs', minRequests: 'requests' },

  skip({ log }) {
    const days = log.known ? (log.value.until - log.value.recentSince) / 86_400_000 : Infinity
    return days < fewestDays ? `it needs a recent stretch of ${fewestDays} days or more` : undefined
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
      if (first !== undefined && others.length > 0) yield finding(key, [first, ...others])
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
    if (recent === 0 || program === '' || program === ownProgram || isIgnored(program)) continue
    if (isIgnored(network) || developmentProgramOf(program) !== undefined) continue
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
    mend: [
      'pictify-keys',
      'create',
      nameOfAnother(key.name, another?.program ?? ''),
      '--type',
      key.type,
      ...(key.access === undefined ? [] : ['--access', key.access]),
    ],
  }
}
