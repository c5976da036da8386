// Rules of this file:
// - one incident for a rule and a key, from when it fires to when it is over; firing again after that, or from another place
//   (a network, a country, a night, a day), is another one, which knows all places that were told of: each is told once;
// - only what is known moves one: where a rule was skipped or a key is unknown, it stays as it is;
// - nothing here knows notifiers, files or clocks.
import type { Key, KeyType } from '../api/contract.ts'
import type { Delivery } from './delivery.ts'
import { mostPlaces, noPlace, type Judgement, type Measured } from './verdict.ts'

/** Why an incident is over. */
export type Recovery =
  'quiet' | 'no-longer-new' | 'key-revoked' | 'key-gone' | 'key-not-covered' | 'rule-gone'

/** A rule that holds of a key. Instants are ISO 8601, by the API's clock. */
export interface AlertIncident {
  id: string
  /** The rule's name. */
  rule: string
  key: { id: string; name: string; type: KeyType }
  /** `pending`: so for less than the rule's `for`; nobody is told. */
  state: 'pending' | 'firing' | 'recovered'
  /** Since when checks have seen it so. */
  since: string
  firedAt: string | null
  /** When a check saw it so last. */
  seenAt: string
  /** Since when checks have seen it over, though not yet for the rule's `keepFiringFor`. */
  quietSince: string | null
  recoveredAt: string | null
  recovery: Recovery | null
  /** As it was seen last, but for the places: those are all that were told of. */
  measured: Measured
  /** The places that were added to those of an incident that this one is in place of. */
  added: readonly string[]
  /** Why the last check could not tell; null where it could. */
  unknown: string | null
  deliveries: readonly Delivery[]
}

interface Given {
  incidents: readonly AlertIncident[]
  judgements: readonly Judgement[]
  /** Of the account, revoked ones too. */
  keys: readonly Key[]
  /** Unix ms by the API's clock. */
  at: number
  newId: () => string
}

/** What becomes of the incidents by what a check found. One that recovered is kept for its deliveries. */
export function advance({ incidents, judgements, keys, at, newId }: Given): AlertIncident[] {
  const now = new Date(at).toISOString()
  const byId = new Map(keys.map((key) => [key.id, key]))
  const open = new Map(
    incidents
      .filter(({ state }) => state !== 'recovered')
      .map((each) => [identity(each.rule, each.key.id), each]),
  )
  const next: AlertIncident[] = incidents.filter(({ state }) => state === 'recovered')

  for (const judgement of judgements) {
    const { rule, skipped, verdicts } = judgement
    for (const [keyId, verdict] of verdicts) {
      const key = byId.get(keyId)
      const before = open.get(identity(rule.name, keyId))
      open.delete(identity(rule.name, keyId))
      if (key === undefined) continue
      const named = { id: key.id, name: key.name, type: key.type }
      if (verdict.state === 'firing') {
        const { measured } = verdict
        const fresh = () => begun(newId(), rule.name, named, now, measured)
        const added = before === undefined ? [] : addedTo(before, measured)
        if (before !== undefined && added.length > 0) {
          const all = { ...measured, places: placesOf(before, measured) }
          next.push({ ...fresh(), state: 'firing', firedAt: now, measured: all, added })
        } else next.push(fired(before ?? fresh(), judgement, named, now, measured))
      } else if (before !== undefined) {
        const after =
          verdict.state === 'unknown'
            ? { ...before, unknown: verdict.why }
            : quieted(before, judgement, now, verdict.usedFrom ?? [])
        if (after !== undefined) next.push({ ...after, key: named })
      }
    }
    // nothing is known, so nothing is over
    for (const [name, before] of open) {
      if (skipped === undefined || before.rule !== rule.name) continue
      open.delete(name)
      const after = isActive(byId.get(before.key.id))
        ? { ...before, unknown: skipped }
        : over(before, recoveryOf(before, judgements, byId), now)
      if (after !== undefined) next.push(after)
    }
  }
  // no rule judged these
  for (const before of open.values()) {
    const after = over(before, recoveryOf(before, judgements, byId), now)
    if (after !== undefined) next.push(after)
  }
  return next
}

/** Places of which nobody was told: with one there is another incident, in place of the one that is open. */
function addedTo({ state, measured: { places } }: AlertIncident, now: Measured): string[] {
  if (state !== 'firing' || places.length >= mostPlaces) return []
  return now.places.filter((each) => !places.includes(each))
}

/** Those that were told of as well: one that is left and comes back is none that is new. */
function placesOf({ state, measured: { places } }: AlertIncident, now: Measured): string[] {
  const told = state === 'firing' ? places.filter((each) => each !== noPlace) : []
  return [...new Set([...told, ...now.places])].slice(0, mostPlaces)
}

function identity(rule: string, keyId: string): string {
  return `${keyId}\n${rule}`
}

function begun(
  id: string,
  rule: string,
  key: AlertIncident['key'],
  now: string,
  measured: Measured,
): AlertIncident {
  return {
    id,
    rule,
    key,
    state: 'pending',
    since: now,
    firedAt: null,
    seenAt: now,
    quietSince: null,
    recoveredAt: null,
    recovery: null,
    measured,
    added: [],
    unknown: null,
    deliveries: [],
  }
}

function fired(
  before: AlertIncident,
  { rule }: Judgement,
  key: AlertIncident['key'],
  now: string,
  measured: Measured,
): AlertIncident {
  const known = { ...measured, places: placesOf(before, measured) }
  const seen = { ...before, key, measured: known, seenAt: now, quietSince: null, unknown: null }
  if (before.state === 'firing' || elapsed(before.since, now) < rule.forMs) return seen
  return { ...seen, state: 'firing', firedAt: now }
}

/** Undefined where nobody was to know of it yet. */
function quieted(
  before: AlertIncident,
  { rule }: Judgement,
  now: string,
  usedFrom: readonly string[],
): AlertIncident | undefined {
  const quietSince = before.quietSince ?? now
  if (before.state === 'firing' && elapsed(quietSince, now) < rule.keepFiringForMs) {
    return { ...before, quietSince, unknown: null }
  }
  const isThere = before.measured.places.some((place) => usedFrom.includes(place))
  return over(before, isThere ? 'no-longer-new' : 'quiet', now)
}

function over(before: AlertIncident, recovery: Recovery, now: string): AlertIncident | undefined {
  if (before.state === 'pending') return undefined
  return { ...before, state: 'recovered', recoveredAt: now, recovery, unknown: null }
}

function recoveryOf(
  { rule: name, key }: AlertIncident,
  judgements: readonly Judgement[],
  keys: ReadonlyMap<string, Key>,
): Recovery {
  if (!judgements.some(({ rule }) => rule.name === name)) return 'rule-gone'
  const found = keys.get(key.id)
  return found === undefined ? 'key-gone' : isActive(found) ? 'key-not-covered' : 'key-revoked'
}

function isActive(key: Key | undefined): boolean {
  return key?.status === 'active'
}

/** A clock that was set back makes it no shorter than nothing. */
function elapsed(since: string, now: string): number {
  return Math.max(0, Date.parse(now) - Date.parse(since))
}
