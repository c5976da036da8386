import type { Client, Usage } from '../api/contract.ts'
import { KeysError } from '../errors.ts'

/** What was seen of an address, an endpoint or a program: how often, and from when to when (ISO 8601). */
export interface Sighting {
  value: string
  requests: number
  firstAt: string
  lastAt: string
}

/** What a leaked key did, as far as usage and audit log tell. */
export interface Incident {
  keyId: string
  usage: Usage | null
  /** Null: the API keeps no audit log, so nothing is known; not the same as nothing done. */
  audit: {
    events: number
    firstAt: string | null
    lastAt: string | null
    addresses: Sighting[]
    endpoints: Sighting[]
    userAgents: Sighting[]
  } | null
}

/** Distinct values kept of each kind: beyond them an attacker who varies one would fill our memory. */
const keptValues = 1_000

/** Reads the whole audit log of a key, and its usage, in bounded memory. */
export async function investigate(api: Client, keyId: string): Promise<Incident> {
  return { keyId, usage: await orNull(api.keys.usage(keyId)), audit: await orNull(readLog(api, keyId)) }
}

async function readLog(api: Client, keyId: string): Promise<Incident['audit']> {
  const addresses = new Map<string, Sighting>()
  const endpoints = new Map<string, Sighting>()
  const userAgents = new Map<string, Sighting>()
  let events = 0
  let firstAt = ''
  let lastAt = ''
  for await (const event of api.auditLogs({ keyId })) {
    events += 1
    const { timestamp } = event
    firstAt = firstAt === '' || timestamp < firstAt ? timestamp : firstAt
    lastAt = timestamp > lastAt ? timestamp : lastAt
    sight(addresses, event.ip, timestamp)
    sight(endpoints, `${event.method} ${event.endpoint}`, timestamp)
    sight(userAgents, event.userAgent, timestamp)
  }
  return {
    events,
    firstAt: firstAt || null,
    lastAt: lastAt || null,
    addresses: mostFirst(addresses),
    endpoints: mostFirst(endpoints),
    userAgents: mostFirst(userAgents),
  }
}

function sight(seen: Map<string, Sighting>, value: string, at: string): void {
  const sighting = seen.get(value)
  if (sighting === undefined) {
    if (seen.size < keptValues) seen.set(value, { value, requests: 1, firstAt: at, lastAt: at })
    return
  }
  sighting.requests += 1
  if (at < sighting.firstAt) sighting.firstAt = at
  if (at > sighting.lastAt) sighting.lastAt = at
}

function mostFirst(seen: Map<string, Sighting>): Sighting[] {
  return [...seen.values()].sort((a, b) => b.requests - a.requests || (a.value < b.value ? -1 : 1))
}

async function orNull<T>(promise: Promise<T>): Promise<T | null> {
  try {
    return await promise
  } catch (error) {
    if (error instanceof KeysError && error.status === 404) return null
    throw error
  }
}

/** The incident for a person: figures first, then who and what, most first. */
export function incidentSentence({ keyId, usage, audit }: Incident): string {
  const lines = [`what ${keyId} did`]
  if (usage === null) lines.push('  usage       not to be had')
  else {
    const { '24h': day, '7d': week, '30d': month } = usage.windows
    lines.push(
      `  usage       ${day.requests} requests in 24h, ${week.requests} in 7d, ${month.requests} in 30d`,
    )
    const countries = Object.entries(usage.countries ?? {}).sort(([, a], [, b]) => b - a)
    if (countries.length > 0) {
      lines.push(`  countries   ${countries.map(([code, count]) => `${code} ${count}`).join(', ')}`)
    }
  }
  if (audit === null) return [...lines, '  audit log   not to be had: what it did is not known'].join('\n')
  lines.push(
    `  audit log   ${audit.events} requests${audit.firstAt ? `, ${audit.firstAt} to ${audit.lastAt}` : ''}`,
  )
  const sections = { addresses: audit.addresses, endpoints: audit.endpoints, programs: audit.userAgents }
  for (const [name, sightings] of Object.entries(sections)) {
    for (const { value, requests, firstAt, lastAt } of sightings.slice(0, 10)) {
      lines.push(`  ${name.padEnd(11)} ${value}: ${requests}, ${firstAt} to ${lastAt}`)
    }
    if (sightings.length > 10)
      lines.push(`  ${name.padEnd(11)} and ${sightings.length - 10} more (--json has all)`)
  }
  return lines.join('\n')
}
