// What is not in order in a seeded account. Of ten keys and more, the oldest active ones have one oddity each, as far
// as they go, and are in use; all other keys are as good keys are: the same addresses and programs all along.
import { dayMs, hourMs } from './course.ts'
import type { KeyRecord } from './keys.ts'
import { rhythmOf } from './past.ts'

/**
 * - `shared`: two services use it side by side, each with its own program and network;
 * - `local`: a live key that is also used from loopback (a test runner, curl) and from GitHub Actions;
 * - `spike`: eight times its requests on the day (UTC) before the sandbox began;
 * - `new-network`: for the last two days half its requests come from a network and a country it never had;
 * - `night`: in use on weekdays from 7 to 20 o'clock UTC; for the last three days, whatever they are, from 1 to 4 too;
 * - `admin-renders`: an admin key that renders images besides managing keys;
 * - `failing`: for the last 24 hours a quarter of its requests fail, and all take four times as long;
 * - `new-program`: for the last two days a third of its requests come from a program it never had;
 * - `test-limit`: a test key that has about the hundred renders that it may have a day.
 */
export type Oddity =
  | 'shared'
  | 'local'
  | 'spike'
  | 'new-network'
  | 'night'
  | 'admin-renders'
  | 'failing'
  | 'new-program'
  | 'test-limit'

const ofLiveKeys: readonly Oddity[] = ['shared', 'local', 'spike', 'new-network', 'admin-renders']
const ofAnyKey: readonly Oddity[] = ['night', 'failing', 'new-program']
const fewest = 10
/** Old enough to have a past that the oddity stands out from. */
const oldEnoughMs = 40 * dayMs

/** The keys with their oddities, in the order they came in; the others were last used when they are used. */
export function withOddities(keys: readonly KeyRecord[], now: number): KeyRecord[] {
  if (keys.length < fewest) return [...keys]
  const fit = keys.filter((key) => key.revokedAt === null && now - key.createdAt >= oldEnoughMs)
  const live = fit.filter(({ type }) => type === 'live')
  const test = fit.filter(({ type }) => type === 'test')
  const given = new Map<string, Oddity>()
  const give = (oddities: readonly Oddity[], to: readonly KeyRecord[]) => {
    for (const [index, oddity] of oddities.entries()) {
      const key = to[index]
      if (key) given.set(key.id, oddity)
    }
  }
  give(ofLiveKeys, live)
  give(['test-limit'], test)
  give(
    ofAnyKey,
    [...test.slice(1), ...live].filter(({ id }) => !given.has(id)),
  )
  return keys.map((key) => {
    const oddity = given.get(key.id)
    if (oddity === undefined) return usedInHours(key)
    const lastUsedAt = now - 60_000 - (key.createdAt % 600_000)
    const access = oddity === 'admin-renders' ? 'admin' : 'full'
    return { ...key, access, oddity, lastUsedAt, pastUntil: lastUsedAt }
  })
}

/** A key of people at work was last used when they were. */
function usedInHours(key: KeyRecord): KeyRecord {
  if (key.lastUsedAt === null || rhythmOf(key) !== 'office') return key
  const lastUsedAt = lastInOffice(key.lastUsedAt)
  return lastUsedAt < key.createdAt ? key : { ...key, lastUsedAt, pastUntil: lastUsedAt }
}

function lastInOffice(at: number): number {
  let day = Math.floor(at / dayMs)
  let instant = Math.min(at, day * dayMs + 20 * hourMs - 1)
  // 1970 began on a Thursday: 2 is a Saturday, 3 a Sunday
  while (instant < day * dayMs + 7 * hourMs || day % 7 === 2 || day % 7 === 3) {
    day--
    instant = day * dayMs + 20 * hourMs - 1 - (at % hourMs)
  }
  return instant
}
