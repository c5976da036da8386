import { hasCode, KeysError } from '../errors.ts'
import { redact } from '../secret.ts'
import type { CallOptions, Key, Keys } from './contract.ts'
import { keyFacts } from './key-facts.ts'

/** So many ids of an ambiguous name are told; more would not help. */
const mostTold = 10
const idForm = /^key_[A-Za-z0-9_-]+$/

/**
 * The key a person means: by id, else by exact name, else by a further name it answers to; active ones go before
 * revoked ones. `now` is the API's. Throws `api-key-not-found`, or `ambiguous-key` with the ids and what tells them apart.
 */
export async function findKey(
  keys: Keys,
  wanted: string,
  answersTo: ((keyName: string, wanted: string) => boolean) | undefined,
  now: () => number,
  options: CallOptions = {},
): Promise<Key> {
  if (/^pk_(live|test)_/.test(wanted)) {
    throw new KeysError('usage', 'a secret was given where the id or the name of a key belongs', {
      hint: 'pictify-keys list shows the ids; the secret is in the shell history now, and may have to be rotated',
    })
  }
  const byId = await byIdOf(keys, wanted, options)
  if (byId !== undefined) return byId
  // best first: the first of these that anything is in decides
  const tiers: Record<Tier, Key[]> = { active: [], 'active further': [], revoked: [], 'revoked further': [] }
  const names = new Set<string>()
  for await (const key of keys.list({}, options)) {
    if (key.id === wanted) return key
    if (key.name === wanted) tiers[key.status].push(key)
    else if (answersTo?.(key.name, wanted) === true) tiers[`${key.status} further`].push(key)
    else names.add(key.name)
  }
  const found = Object.values(tiers).find((tier) => tier.length > 0) ?? []
  const [only] = found
  if (only === undefined) {
    throw new KeysError('api-key-not-found', `no key has the id or the name "${redact(wanted)}"`, {
      hint: `${await suggestion(wanted, names)}pictify-keys list shows the ids and names`,
    })
  }
  if (found.length > 1) {
    const told = found.slice(0, mostTold).map((key) => `\n  ${key.id}  ${keyFacts(key, now())}`)
    const more = found.length > told.length ? `\n  and ${found.length - told.length} more` : ''
    throw new KeysError('ambiguous-key', `${found.length} keys have the name "${redact(wanted)}"`, {
      hint: `give the id of one:${told.join('')}${more}`,
    })
  }
  return only
}

/** Of an id nothing is guessed: one that is near is another key. */
async function suggestion(wanted: string, names: ReadonlySet<string>): Promise<string> {
  if (idForm.test(wanted)) return ''
  const { nearest } = await import('../nearest.ts')
  const near = nearest(wanted, names).map((name) => `"${name}"`)
  return near.length === 0 ? '' : `did you mean ${near.join(' or ')}? `
}

type Tier = 'active' | 'active further' | 'revoked' | 'revoked further'

/** Asks for the key itself where the text has the form of an id, which spares the list. */
async function byIdOf(keys: Keys, wanted: string, options: CallOptions): Promise<Key | undefined> {
  if (!idForm.test(wanted)) return undefined
  try {
    return await keys.get(wanted, options)
  } catch (error) {
    if (hasCode(error, 'api-key-not-found')) return undefined
    throw error
  }
}
