// Rules of this file:
// - what is kept is from where each key was used, by the hour: an hour lies in a stretch of whole hours, or outside, so that
//   of a digest comes what would come of the log itself;
// - it is bounded: one that is full is of no use.
import type { AuditEvent, Key } from '../api/contract.ts'
import type { LogReaders, LogStretch } from '../audit/account-log.ts'
import { isOwnReading, ownProgram } from '../audit/key-log.ts'
import type { NetworkLog } from '../audit/novelty.ts'
import {
  type Allowance,
  dayBit,
  keptValueOf,
  mostFirst,
  type Seen,
  type Sighting,
} from '../audit/sightings.ts'

/** What the rules of the log look at; an audit's log is one. Its two instants are whole hours (Unix ms). */
export interface AlertLog extends LogStretch {
  recentSince: number
  keys: ReadonlyMap<string, KeyPlaces>
}

/** From where a key was used. Of its callers only this program is told from the others. */
export type KeyPlaces = NetworkLog & {
  readonly outside: { readonly requests: number; readonly hours: Seen; readonly networks: Seen }
}

/** By key id, whether or not the account still has the key. */
export type LogDigest = Map<string, Map<string, Place>>

/** A network, or an address that is in none, and what was used from there, by `marks`. */
interface Place {
  marks: number
  value: string
  /** Four numbers for each: there may be a hundred thousand of them, and objects take twice the room. `hoursOf` reads them. */
  hours: number[]
}

interface Hour {
  /** Since 1970. */
  hour: number
  requests: number
  /** When the first and the last of them came: milliseconds of the hour. */
  first: number
  last: number
}

const perHour = 4

/** As a file has it: id, then marks, value, and the hours. */
export type DigestRows = [string, [number, string, number[]][]][]

const own = 1
const ownReading = 2
const outside = 4
const nowhere = 8

export const hourMs = 3_600_000
/** Hours and places, of all keys together: some 10 MB. A log of half as many events always fits. */
const mostKept = 200_000
/** What is longer counts as several. */
const usualLength = 64

export function createAllowance(): Allowance {
  return { left: mostKept }
}

/** How the events of a digest are read; the allowance of one that is full is below nothing. */
export interface DigestReading extends LogReaders {
  allowance: Allowance
  isOutside?: ((at: number) => boolean) | undefined
}

/** `at` is the event's own instant. */
export function addEvent(digest: LogDigest, event: AuditEvent, at: number, reading: DigestReading): void {
  const { allowance } = reading
  if (allowance.left < 0) return
  const program = reading.programOf(event.userAgent)
  const { network } = reading.addressOf(event.ip)
  const marks =
    (program === ownProgram ? own : 0) |
    (isOwnReading(program, event.method) ? ownReading : 0) |
    (reading.isOutside?.(at) ? outside : 0) |
    (network === undefined ? nowhere : 0)
  const place = placeOf(digest, event.keyId, marks, network ?? keptValueOf(event.ip), allowance)
  const hour = Math.floor(at / hourMs)
  const ms = at - hour * hourMs
  const { hours } = place
  const index = indexOf(hours, hour)
  if (index === undefined) {
    allowance.left -= 1
    addHour(place, { hour, requests: 1, first: ms, last: ms })
  } else {
    hours[index + 1] = (hours[index + 1] ?? 0) + 1
    hours[index + 2] = Math.min(hours[index + 2] ?? ms, ms)
    hours[index + 3] = Math.max(hours[index + 3] ?? ms, ms)
  }
}

function placeOf(
  digest: LogDigest,
  keyId: string,
  marks: number,
  value: string,
  allowance: Allowance,
): Place {
  let places = digest.get(keyId)
  if (places === undefined) digest.set(keyId, (places = new Map<string, Place>()))
  const name = `${marks} ${value}`
  let place = places.get(name)
  if (place === undefined) {
    allowance.left -= 1 + Math.floor(value.length / usualLength)
    places.set(name, (place = { marks, value, hours: [] }))
  }
  return place
}

/** Where an hour begins; from the end, as events of an hour mostly follow each other. */
function indexOf(hours: readonly number[], hour: number): number | undefined {
  for (let index = hours.length - perHour; index >= 0; index -= perHour) {
    if (hours[index] === hour) return index
  }
  return undefined
}

function addHour(place: Place, { hour, requests, first, last }: Hour): void {
  // most places have few: an array that is made with what it holds has no room to spare
  if (place.hours.length === 0) place.hours = [hour, requests, first, last]
  else place.hours.push(hour, requests, first, last)
}

function hoursOf({ hours }: Pick<Place, 'hours'>): Hour[] {
  return Array.from({ length: hours.length / perHour }, (_, index) => {
    const [hour = 0, requests = 0, first = 0, last = 0] = hours.slice(index * perHour, (index + 1) * perHour)
    return { hour, requests, first, last }
  })
}

/** What digests of parts of a stretch that do not overlap have together, of the keys of the account. */
export function logOf(
  digests: readonly LogDigest[],
  listed: readonly Key[],
  stretch: Omit<AlertLog, 'keys'>,
): AlertLog {
  const keys = new Map<string, KeyPlaces>()
  for (const { id, access } of listed) {
    const places = digests.flatMap((digest) => [...(digest.get(id)?.values() ?? [])])
    if (places.length > 0) keys.set(id, keyPlacesOf(places, stretch.recentSince, access === 'admin'))
  }
  return { ...stretch, keys }
}

function keyPlacesOf(
  places: readonly Place[],
  recentSince: number,
  leavesOutOwnReadings: boolean,
): KeyPlaces {
  const recentHour = recentSince / hourMs
  const hours = places.flatMap(hoursOf)
  const recent = hours.filter(({ hour }) => hour >= recentHour)
  const networks = places.filter(({ marks }) => !(marks & nowhere))
  const outsiders = places.filter(
    ({ marks }) => marks & outside && !(leavesOutOwnReadings && marks & ownReading),
  )
  const seen = (among: readonly Place[], valueOf: (place: Place, hour: Hour) => string, since = 0): Seen => ({
    unkept: 0,
    list: () => listOf(among, since, recentSince, valueOf),
  })
  return {
    requests: sumOf(hours),
    recent: sumOf(recent),
    firstAt: hours.reduce((first, each) => Math.min(first, each.hour * hourMs + each.first), Infinity),
    networks: seen(networks, ({ value }) => value),
    callers: seen(places, callerOf),
    outside: {
      requests: sumOf(outsiders.flatMap(hoursOf)),
      hours: seen(
        outsiders,
        (_, { hour }) => `${new Date(hour * hourMs).toISOString().slice(0, 13)}:00Z`,
        recentSince,
      ),
      networks: seen(outsiders, ({ value }) => value, recentSince),
    },
  }
}

/** As a key's log has it; a program that is not this one has no name. */
function callerOf({ marks, value }: Place): string {
  return `${marks & own ? ownProgram : ''}\n${marks & nowhere ? '' : value}`
}

function sumOf(hours: readonly Hour[]): number {
  return hours.reduce((sum, { requests }) => sum + requests, 0)
}

/** Of the hours from `since` on. */
function listOf(
  places: readonly Place[],
  since: number,
  recentSince: number,
  valueOf: (place: Place, hour: Hour) => string,
): Sighting[] {
  const found = new Map<string, Sighting>()
  for (const place of places) {
    for (const hour of hoursOf(place)) {
      const begin = hour.hour * hourMs
      if (begin < since) continue
      const value = valueOf(place, hour)
      let sighting = found.get(value)
      if (sighting === undefined) {
        sighting = { value, requests: 0, recent: 0, recentDays: 0, firstAt: Infinity, lastAt: -Infinity }
        found.set(value, sighting)
      }
      sighting.requests += hour.requests
      sighting.firstAt = Math.min(sighting.firstAt, begin + hour.first)
      sighting.lastAt = Math.max(sighting.lastAt, begin + hour.last)
      if (begin < recentSince) continue
      sighting.recent += hour.requests
      sighting.recentDays |= dayBit(begin - recentSince)
    }
  }
  return mostFirst([...found.values()])
}

export function rowsOf(digest: LogDigest): DigestRows {
  return [...digest].map(([id, places]) => [
    id,
    [...places.values()].map(({ marks, value, hours }) => [marks, value, hours]),
  ])
}

/** Without what lies before `since` (Unix ms, a whole hour). */
export function digestOf(rows: DigestRows, since: number, allowance: Allowance): LogDigest {
  const digest: LogDigest = new Map()
  for (const [id, places] of rows) {
    for (const [marks, value, numbers] of places) {
      for (const hour of hoursOf({ hours: numbers })) {
        if (hour.hour * hourMs < since) continue
        allowance.left -= 1
        addHour(placeOf(digest, id, marks, value, allowance), hour)
      }
    }
  }
  return digest
}
