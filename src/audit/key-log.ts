import type { AuditEvent } from '../api/contract.ts'
import { readAddress, type Address } from './address.ts'
import { endpointOf, programOf } from './event-names.ts'
import { type Allowance, createSightings, type Sighting, type Sightings } from './sightings.ts'

/** What the audit log shows of one key over a stretch of time, in bounded memory. Instants are Unix ms. */
export interface KeyLog {
  readonly requests: number
  /** Of these, how many were recent. */
  readonly recent: number
  /** Those answered with 400 and above. */
  readonly errors: number
  readonly firstAt: number | undefined
  readonly lastAt: number | undefined
  /** /24 and /48; addresses that are none are left out. */
  readonly networks: Sightings
  /** User agents without their versions: an upgrade is nobody new. */
  readonly programs: Sightings
  /** Which program from which network; `callerOf` reads one. */
  readonly callers: Sightings
  /** `POST /image`, `GET /templates/{id}`. */
  readonly endpoints: Sightings
  /** Addresses of loopback and of networks that no one else routes. */
  readonly local: Sightings
  /** How many were this program's own probes, which every key may be asked with. */
  readonly probes: number
  /** What this program itself asked, by the hour (`2026-03-01T02:00Z`). */
  readonly own: Sightings
  /** What was rendered, by the day (`2026-03-01`), where that is asked for. */
  readonly renders: Sightings
  /**
   * What was called from where (`52.10.0.0/16`, a line break, `POST /image`), of what is recent, without this program: from
   * when on it was called from a second place.
   */
  readonly places: Sightings
  /** Outside of working hours, if such are set. */
  readonly outside: Outside
  add(event: AuditEvent): void
}

export interface Outside {
  readonly requests: number
  /** By their hour (`2026-03-01T02:00Z`); recent ones alone. */
  readonly hours: Sightings
  /** The networks (addresses, where they are none) of the recent ones. */
  readonly networks: Sightings
}

/** With what varies most, which takes most room: for one key, or a few. */
export interface DetailedKeyLog extends KeyLog {
  readonly addresses: Sightings
  /** As they are, versions and all. */
  readonly userAgents: Sightings
}

export interface KeyLogOptions {
  allowance: Allowance
  /** From when on a request is recent (Unix ms); none is without it. */
  recentSince?: number | undefined
  /** Whether an instant (Unix ms) lies outside the working hours. */
  isOutside?: ((at: number) => boolean) | undefined
  /** What this program asked, changing nothing, is not outside of them: checks are made around the clock. */
  leavesOutOwnReadings?: boolean | undefined
  /** Nor are its probes. */
  leavesOutOwnProbes?: boolean | undefined
  countsRenders?: boolean | undefined
  /** From where it was used, and when, is all that is kept: what it called stays empty, and takes no room. */
  onlyOrigins?: boolean | undefined
  /** Read an address and a user agent; such as remember serve many keys. */
  addressOf?: ((ip: string) => Address) | undefined
  programOf?: ((userAgent: string) => string) | undefined
}

/** This program, as `programOf` says it. */
export const ownProgram = 'pictify-keys'
const probe = 'GET /templates'
/** What the API makes a file of: of a test key it takes 100 a day. */
const rendering = /^POST (?:\/v\d+)?\/(?:image|gif|pdf)(?:\/|$)/

/** Whether this program asked and changed nothing, as far as the log tells. */
export function isOwnReading(program: string, method: string): boolean {
  return program === ownProgram && method === 'GET'
}

/** A log as it is kept. There may be tens of thousands of them, so that they share their functions. */
type Kept = Writable<Omit<KeyLog, 'outside'>> & {
  options: KeyLogOptions
  outside: Writable<Outside>
  /** The first place that recent requests came from. */
  site: string | undefined
}
type Writable<T> = { -readonly [Field in keyof T]: T[Field] }

/** What most keys have none of. */
const none: Sightings = createSightings({ left: 0 }, { most: 0 })
const nothingOutside: Outside = { requests: 0, hours: none, networks: none }

export function createKeyLog(options: KeyLogOptions): KeyLog {
  const log: Kept = {
    options,
    requests: 0,
    recent: 0,
    errors: 0,
    probes: 0,
    firstAt: undefined,
    lastAt: undefined,
    networks: sightings(options),
    programs: options.onlyOrigins ? none : sightings(options),
    callers: sightings(options),
    endpoints: options.onlyOrigins ? none : sightings(options),
    local: none,
    own: none,
    renders: none,
    places: none,
    site: undefined,
    outside: nothingOutside,
    add,
  }
  return log
}

export function createDetailedKeyLog(options: KeyLogOptions): DetailedKeyLog {
  const log = createKeyLog(options)
  const [addresses, userAgents] = [sightings(options), sightings(options)]
  return Object.assign(log, {
    addresses,
    userAgents,
    add(event: AuditEvent) {
      add.call(log as Kept, event)
      const at = Date.parse(event.timestamp)
      if (event.ip !== '') addresses.add(event.ip, at)
      if (event.userAgent !== '') userAgents.add(event.userAgent, at)
    },
  })
}

function sightings({ allowance, recentSince }: KeyLogOptions): Sightings {
  return createSightings(allowance, { recentSince })
}

function add(this: Kept, event: AuditEvent): void {
  const { options } = this
  const { ip, method, endpoint } = event
  const at = Date.parse(event.timestamp)
  const isRecent = at >= (options.recentSince ?? Infinity)
  this.requests += 1
  if (isRecent) this.recent += 1
  if (event.status >= 400) this.errors += 1
  this.firstAt = Math.min(at, this.firstAt ?? at)
  this.lastAt = Math.max(at, this.lastAt ?? at)

  const address = (options.addressOf ?? readAddress)(ip)
  const program = (options.programOf ?? programOf)(event.userAgent)
  const called = endpoint === '' ? '' : endpointOf(method, endpoint)
  const isProbe = program === ownProgram && called === probe
  const { network } = address
  if (network !== undefined) this.networks.add(network, at)
  this.callers.add(`${program}\n${network ?? ''}`, at)
  if (isProbe) this.probes += 1
  if (!options.onlyOrigins) addWork(this, event, { at, isRecent, address, program, called })
  const isLeftOut =
    (options.leavesOutOwnReadings && isOwnReading(program, method)) || (options.leavesOutOwnProbes && isProbe)
  if (!isLeftOut && options.isOutside?.(at)) addOutside(this, network ?? ip, at, isRecent)
}

/** An event as it was read; what was called is empty where the log does not say. */
interface ReadEvent {
  at: number
  isRecent: boolean
  address: Address
  program: string
  called: string
}

function addWork(
  log: Kept,
  { ip, status }: AuditEvent,
  { at, isRecent, address: { kind, site }, program, called }: ReadEvent,
): void {
  const { options } = log
  if (program !== '') log.programs.add(program, at)
  if (called !== '') log.endpoints.add(called, at)
  if (program === ownProgram) {
    if (log.own === none) log.own = sightings(options)
    log.own.add(hourOf(at), at)
  } else if (isRecent && site !== undefined && called !== '') addPlace(log, site, called, at)
  if (kind === 'loopback' || kind === 'private') {
    if (log.local === none) log.local = sightings(options)
    log.local.add(ip, at)
  }
  if (options.countsRenders && status < 400 && rendering.test(called)) {
    if (log.renders === none) log.renders = sightings(options)
    log.renders.add(new Date(at).toISOString().slice(0, 10), at)
  }
}

function addPlace(log: Kept, site: string, called: string, at: number): void {
  log.site ??= site
  if (log.places === none) {
    if (site === log.site) return
    log.places = sightings(log.options)
  }
  log.places.add(`${site}\n${called}`, at)
}

function addOutside(log: Kept, from: string, at: number, isRecent: boolean): void {
  const { options } = log
  if (log.outside === nothingOutside) {
    log.outside = { requests: 0, hours: sightings(options), networks: sightings(options) }
  }
  log.outside.requests += 1
  if (!isRecent) return
  log.outside.hours.add(hourOf(at), at)
  log.outside.networks.add(from, at)
}

function hourOf(at: number): string {
  return `${new Date(at).toISOString().slice(0, 13)}:00Z`
}

/** A program, from a network; each empty where the log does not say. */
export interface Caller extends Omit<Sighting, 'value'> {
  program: string
  network: string
}

export function callerOf({ value, ...sighting }: Sighting): Caller {
  // a network has no line break, whatever a user agent has
  const end = value.lastIndexOf('\n')
  return { ...sighting, program: value.slice(0, end), network: value.slice(end + 1) }
}
