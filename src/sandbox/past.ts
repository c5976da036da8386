// What the keys of a seeded account did before the sandbox began. None of it is kept: it is worked out, when it
// is asked for, from the key's id and the hour alone, so that 100,000 such keys cost nothing.
import type { KeyRecord } from './keys.ts'
import { addLatency, hourMs, newTally, type Tally } from './tally.ts'

const countrySets: readonly Record<string, number>[] = [
  { US: 1 },
  { DE: 0.7, FR: 0.2, NL: 0.1 },
  { US: 0.6, CA: 0.25, GB: 0.15 },
  { IN: 0.5, SG: 0.3, AU: 0.2 },
  { GB: 0.8, IE: 0.2 },
  { BR: 0.65, US: 0.35 },
]

/** A number from 0 to 1 that is always the same for the same text and number. */
function chance(text: string, salt: number): number {
  let hash = 2_166_136_261 ^ salt
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 16_777_619)
  hash = Math.imul(hash ^ (hash >>> 15), 2_246_822_507)
  hash = Math.imul(hash ^ (hash >>> 13), 3_266_489_909)
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32
}

/** What a key did in an hour (counted from 1970) of the time before the sandbox; undefined for nothing. */
export function pastHour(key: KeyRecord, hour: number): Tally | undefined {
  if (key.pastUntil === undefined) return undefined
  const lastHour = Math.floor(key.pastUntil / hourMs)
  if (hour > lastHour || hour < Math.floor(key.createdAt / hourMs)) return undefined
  const requests = requestsIn(key, hour, hour === lastHour)
  if (requests === 0) return undefined

  const tally = newTally()
  tally.requests = requests
  const errorRate = chance(key.id, 2) ** 6 * 0.2
  for (let i = 0; i < Math.min(requests, 50); i++) {
    if (chance(key.id, hour * 64 + i) < errorRate) tally.errors += Math.ceil(requests / 50)
  }
  tally.errors = Math.min(tally.errors, requests)
  const middleMs = 60 + chance(key.id, 3) * 500
  for (const [share, times] of [
    [0.6, 1],
    [0.3, 1.6],
    [0.08, 3],
    [0.02, 6],
  ] as const) {
    addLatency(tally, middleMs * times, requests * share)
  }
  tally.countries = spread(
    requests,
    countrySets[Math.floor(chance(key.id, 4) * countrySets.length)] ?? {},
    hour,
  )
  return tally
}

/** Working days busier than weekends, days busier than nights; at least one in the hour of the last use. */
function requestsIn(key: KeyRecord, hour: number, isLast: boolean): number {
  const perHour = 10 ** (chance(key.id, 1) * 3 - 1) * (key.type === 'test' ? 0.05 : 1)
  const weekday = new Date(hour * hourMs).getUTCDay()
  const hourOfDay = hour % 24
  const busy = (weekday === 0 || weekday === 6 ? 0.5 : 1) * (hourOfDay >= 7 && hourOfDay < 20 ? 1.4 : 0.6)
  const expected = perHour * busy * (0.7 + chance(key.id, hour) * 0.6)
  const whole = Math.floor(expected) + (chance(key.id, hour + 7) < expected % 1 ? 1 : 0)
  return isLast ? Math.max(1, whole) : whole
}

/** Shares out whole requests; what rounding leaves over goes to one country, by turns. */
function spread(requests: number, shares: Record<string, number>, turn: number): Record<string, number> {
  const countries: Record<string, number> = {}
  let left = requests
  for (const [code, share] of Object.entries(shares)) {
    const count = Math.floor(requests * share)
    if (count > 0) countries[code] = count
    left -= count
  }
  const codes = Object.keys(shares)
  const lucky = codes[turn % 7 === 0 ? turn % codes.length : 0]
  if (left > 0 && lucky !== undefined) countries[lucky] = (countries[lucky] ?? 0) + left
  return countries
}
