// Rules of this file:
// - the secret goes to the API and nowhere else: no message has it, nor a part of it;
// - which key it is of is said on evidence; where there is none, it is asked for.
import type { Client, Key } from '../api/contract.ts'
import type { MatchedBy } from '../audit/incident-report.ts'
import type { Context } from '../context.ts'
import { KeysError } from '../errors.ts'
import { fingerprintOf, parseMark } from '../rotation/marked-name.ts'
import { parseSecret, secretsWithin, type Secret } from '../secret.ts'
import { readJournals } from './incident-reading.ts'
import { readPiped } from './secret-input.ts'

const named = 'the secret on stdin'
const rounds = 3
const pauseMs = 1_000
/** Of keys that may be meant so many are named. */
const mostNamed = 5

/** Asks a person for the secret, who does not see it; else it comes from a pipe. What stands around it is left out. Throws `invalid-secret`, `needs-answer`. */
export async function readLeakedSecret(context: Context): Promise<Secret> {
  const { out, prompt, stdin } = context
  const isTerminal = 'isTTY' in stdin && stdin.isTTY === true
  if (isTerminal && !out.interactive) {
    throw new KeysError('needs-answer', 'there is nobody to ask for the leaked secret', {
      hint: 'give it on stdin: pictify-keys incident --secret-stdin < leaked.txt',
    })
  }
  const text = isTerminal
    ? await prompt.secret('Leaked secret (hidden):', named)
    : await readPiped(context, named)
  const [first, ...others] = secretsWithin(text)
  const secret = first ?? parseSecret(text, isTerminal ? 'the secret' : named)
  for (const each of [secret, ...others]) out.conceal(each)
  if (others.length === 0) return secret
  throw new KeysError('invalid-secret', `${named}: there are ${others.length + 1} different secrets in it`, {
    hint: 'give one at a time: the line of the one that leaked',
  })
}

/** The key that a secret is of. Throws `secret-unmatched`, with what may help. */
export async function matchSecret(
  context: Context,
  api: Client,
  secret: Secret,
): Promise<{ keyId: string; by: MatchedBy }> {
  const { signal } = context
  const logged = await api.whose(secret, { signal })
  if (logged !== undefined) return { keyId: logged, by: 'audit-log' }
  const answer = await api.probe(secret, { signal })
  if (answer === 'accepted') return { keyId: await byLastUse(context, api, secret), by: 'last-use' }
  const keys = await readKeys(api, signal)
  const rotated = await byRotation(context, api, secret, keys)
  if (rotated !== undefined) return { keyId: rotated, by: 'rotation' }
  if (answer === 'unknown') {
    throw new KeysError(
      'secret-unmatched',
      'the API did not say whether it takes the secret, nor whose it is',
      {
        hint: 'try again in a moment, or name the key: pictify-keys incident <key>',
      },
    )
  }
  throw refused(keys, secret, api)
}

/** A rotation has a fingerprint of the secret that it replaced: in the journals of this machine, and in marked names. */
async function byRotation(
  context: Context,
  api: Client,
  secret: Secret,
  keys: readonly Key[],
): Promise<string | undefined> {
  const journals = await readJournals(context, api)
  const replaced = [
    ...journals.map(({ id, fingerprint, oldKey }) => ({
      id,
      fingerprint,
      keyId: oldKey.id,
      type: oldKey.type,
    })),
    ...keys.flatMap(({ name, type }) => {
      const mark = parseMark(name)
      return mark ? [{ id: mark.rotationId, fingerprint: mark.fingerprint, keyId: mark.oldId, type }] : []
    }),
  ].filter(({ type, fingerprint }) => type === secret.type && fingerprint !== 'none')
  const fits = replaced.filter(({ id, fingerprint }) => fingerprintOf(secret, id) === fingerprint)
  const ids = new Set(fits.map(({ keyId }) => keyId))
  const [only] = ids
  return ids.size === 1 ? only : undefined
}

/**
 * Without an audit log: the one key of its type whose last use moves whenever the secret is used, round after round. So does
 * that of the admin key that asks, and of keys that are in use anyhow: those move also when the secret is not used.
 */
async function byLastUse(context: Context, api: Client, secret: Secret): Promise<string> {
  const { signal, out, clock } = context
  out.event(
    { event: 'secret-match', boundMs: 2 * rounds * pauseMs },
    'the audit log does not tell whose it is: looking for the key whose last use moves with it',
  )
  const { type } = secret
  const isOwn = (await context.credential()).secret.equals(secret)
  const keys = await readKeys(api, signal)
  let moved = keys.filter((key) => key.status === 'active' && key.type === type)
  for (let round = 1; round <= rounds && moved.length > 0; round++) {
    moved = await movedBy(context, api, moved, () => api.probe(secret, { signal }))
  }
  const admins = moved.filter(({ access }) => access === 'admin')
  const [asking] = admins
  // the one that asks is among them
  if (isOwn) moved = admins
  else if (asking !== undefined && admins.length === 1) moved = moved.filter((key) => key !== asking)
  if (moved.length > 1) {
    const anyhow = await movedBy(context, api, moved, async () => clock.sleep(pauseMs * (rounds - 1), signal))
    const ids = new Set(anyhow.map(({ id }) => id))
    const still = moved.filter(({ id }) => !ids.has(id))
    if (still.length === 1) moved = still
  }
  const [only] = moved
  if (only !== undefined && moved.length === 1) return only.id
  throw new KeysError(
    'secret-unmatched',
    `the secret works, and is of a ${type ?? ''} key; the API keeps no audit log that says of which`,
    {
      hint:
        moved.length === 0
          ? 'no key of this account was seen to be used by it: it may be of another account (--profile), or last uses are told late; name the key if you know it: pictify-keys incident <key>'
          : `it is one of these, which are all in use: ${namesOf(moved)}; look at each: pictify-keys incident <key>`,
    },
  )
}

/** Those of the keys that were used meanwhile. */
async function movedBy(
  { clock, signal }: Context,
  api: Client,
  keys: readonly Key[],
  act: () => Promise<unknown>,
): Promise<Key[]> {
  const before = new Map(keys.map(({ id, lastUsedAt }) => [id, lastUsedAt]))
  // the API may tell of last uses to the second
  await clock.sleep(pauseMs, signal)
  await act()
  const now = await readAgain(api, keys, signal)
  return now.filter(({ id, lastUsedAt }) => lastUsedAt !== null && lastUsedAt !== before.get(id))
}

/** Few are asked for one by one. */
async function readAgain(api: Client, keys: readonly Key[], signal: AbortSignal): Promise<Key[]> {
  const ids = new Set(keys.map(({ id }) => id))
  if (keys.length <= 20) return Promise.all(keys.map(({ id }) => api.keys.get(id, { signal })))
  return (await readKeys(api, signal)).filter(({ id }) => ids.has(id))
}

async function readKeys(api: Client, signal: AbortSignal): Promise<Key[]> {
  const keys: Key[] = []
  for await (const page of api.keys.listByPage({}, { signal, patient: true })) keys.push(...page)
  return keys
}

/** One that is cut off is refused as one that is revoked: nothing is said of whether its key works. */
function refused(keys: readonly Key[], { type }: Secret, { baseUrl }: Client): KeysError {
  const of = (status: Key['status']) => {
    const some = keys
      .filter((key) => key.status === status && key.type === type)
      .sort((a, b) => (b.revokedAt ?? b.createdAt).localeCompare(a.revokedAt ?? a.createdAt))
    return some.length === 0
      ? `there is no ${status} ${type ?? ''} key in this account`
      : `${status} ${type ?? ''} keys: ${namesOf(some)}`
  }
  return new KeysError(
    'secret-unmatched',
    `${baseUrl} does not take the secret as it was given: is it whole?`,
    {
      hint: `one that lacks a character is refused as a revoked one is, and its key may still work; look at what it may be of (pictify-keys incident <key>): ${of('active')}; ${of('revoked')}; or it is of a deleted key, or of another account or API (--profile, --api-url)`,
    },
  )
}

function namesOf(keys: readonly Key[]): string {
  const named = keys.slice(0, mostNamed).map(({ id, name }) => `${id} (${name})`)
  return [...named, ...(keys.length > mostNamed ? [`and ${keys.length - mostNamed} more`] : [])].join(', ')
}
