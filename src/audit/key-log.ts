import type { AuditEvent } from '../api/contract.ts'
import { readAddress, type Address } from './address.ts'
import { type Allowance, createSightings, type Sightings } from './sightings.ts'

/** What the audit log shows of one key over a stretch of time, in bounded memory. Instants are Unix ms. */
export interface KeyLog {
  readonly requests: number
  /** Those answered with 400 and above. */
  readonly errors: number
  readonly firstAt: number | undefined
  readonly lastAt: number | undefined
  readonly addresses: Sightings
  /** /24 and /48; addresses that are none are left out. */
  readonly networks: Sightings
  /** As they are, versions and all. */
  readonly userAgents: Sightings
  /** User agents without their versions: an upgrade is nobody new. */
  readonly programs: Sightings
  /** `POST /image`. */
  readonly endpoints: Sightings
  /** From loopback and from networks that no one else routes. */
  readonly local: Sightings
  /** Those outside working hours, by their hour (`2026-03-01T02:00Z`); empty where no hours are set. */
  readonly outside: Sightings
  add(event: AuditEvent): void
}

export interface KeyLogOptions {
  allowance: Allowance
  /** Whether an instant (Unix ms) lies outside the working hours. */
  isOutside?: ((at: number) => boolean) | undefined
  /** Reads an address; one that remembers serves many keys. */
  addressOf?: ((ip: string) => Address) | undefined
}

export function createKeyLog({ allowance, isOutside, addressOf = readAddress }: KeyLogOptions): KeyLog {
  const sightings = () => createSightings(allowance)
  const log = {
    requests: 0,
    errors: 0,
    firstAt: undefined as number | undefined,
    lastAt: undefined as number | undefined,
    addresses: sightings(),
    networks: sightings(),
    userAgents: sightings(),
    programs: sightings(),
    endpoints: sightings(),
    local: sightings(),
    outside: sightings(),
    add({ timestamp, ip, userAgent, method, endpoint, status }: AuditEvent) {
      const at = Date.parse(timestamp)
      log.requests += 1
      if (status >= 400) log.errors += 1
      log.firstAt = Math.min(at, log.firstAt ?? at)
      log.lastAt = Math.max(at, log.lastAt ?? at)
      const { network, kind } = addressOf(ip)
      if (ip !== '') log.addresses.add(ip, at)
      if (network !== undefined) log.networks.add(network, at)
      if (kind === 'loopback' || kind === 'private') log.local.add(ip, at)
      if (userAgent !== '') {
        log.userAgents.add(userAgent, at)
        log.programs.add(programOf(userAgent), at)
      }
      if (endpoint !== '') log.endpoints.add(`${method} ${pathOf(endpoint)}`.trim(), at)
      if (isOutside?.(at)) log.outside.add(`${new Date(at).toISOString().slice(0, 13)}:00Z`, at)
    },
  }
  return log
}

/** `pictify-node/1.4.2 (linux)` is `pictify-node (linux)`. */
export function programOf(userAgent: string): string {
  return (
    userAgent
      .replaceAll(/\/v?\d[\w.+-]*/g, '')
      .replaceAll(/\s+/g, ' ')
      .trim() || userAgent
  )
}

/** Without the query, which differs from call to call. */
function pathOf(endpoint: string): string {
  const end = endpoint.search(/[?#]/)
  return end === -1 ? endpoint : endpoint.slice(0, end)
}
