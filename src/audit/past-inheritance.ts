import type { KeyPast, Past } from './survey.ts'

/** A key that took the place of another. */
export interface Succession {
  oldKeyId: string
  newKeyId: string
}

/**
 * With what was seen of the keys that others took the place of: where a key's predecessor was used from is nothing new of it, and
 * neither is what the first look at it had, which may be the probes of its own rotation alone. One that was not looked at yet has
 * no past still.
 */
export function withPredecessors({ since, keys }: Past, successions: readonly Succession[]): Past {
  const oldOf = new Map(successions.map(({ oldKeyId, newKeyId }) => [newKeyId, oldKeyId]))
  const pastOf = (id: string | undefined, later: readonly string[] = []): KeyPast | undefined => {
    if (id === undefined || later.includes(id)) return undefined
    return merged(pastOf(oldOf.get(id), [...later, id]), keys.get(id))
  }
  const own = [...keys].map(([id, past]) => [id, oldOf.has(id) ? (pastOf(id) ?? past) : past] as const)
  return { since, keys: new Map(own) }
}

function merged(old: KeyPast | undefined, own: KeyPast | undefined): KeyPast | undefined {
  if (old === undefined || own === undefined) return own ?? old
  const since = Math.min(old.since, own.since)
  const countries = new Map<string, number>()
  for (const past of [old, own]) {
    for (const [code, seenAt] of past.countries) {
      const firstAt = seenAt > past.since ? seenAt : since
      countries.set(code, Math.min(firstAt, countries.get(code) ?? Infinity))
    }
  }
  return { since, until: Math.max(old.until, own.until), countries }
}
