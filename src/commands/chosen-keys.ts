import type { Client, Key } from '../api/contract.ts'
import type { Context } from '../context.ts'
import { formatDuration } from '../duration.ts'
import { KeysError } from '../errors.ts'
import { parseMark } from '../rotation/marked-name.ts'
import { formatAge } from '../ages.ts'
import { oneLine } from '../ui/text.ts'
import { keyChoices, readKeys } from './key-choices.ts'
import { lastUses } from './last-use.ts'
import { ownKeyId } from './own-key.ts'

const recently = 24 * 3_600_000

/** Every key that is named, each once. Nothing is changed before all are found. */
export async function findKeys(api: Client, named: readonly string[], signal: AbortSignal): Promise<Key[]> {
  const found = new Map<string, Key>()
  for (const name of named) {
    const key = await api.keys.find(name, { signal })
    found.set(key.id, key)
  }
  return [...found.values()]
}

/**
 * The key that is named, or that is chosen now: of the active ones, which then are at hand, but for those that are taking
 * another's place.
 */
export async function oneKey(
  context: Context,
  api: Client,
  named: string | undefined,
  question: string,
): Promise<{ key: Key; active?: readonly Key[] }> {
  const { out, prompt, signal } = context
  if (named !== undefined) return { key: await api.keys.find(named, { signal }) }
  const active = await readKeys(api, 'active', signal)
  const free = active.filter(({ name }) => parseMark(name) === undefined)
  const choices = keyChoices(free, { now: api.now(), columns: out.columns })
  return { key: await prompt.search(question, choices, '<key>'), active }
}

/** The keys that are named, or that are chosen now: of those with this status, where one is given. */
export async function severalKeys(
  context: Context,
  api: Client,
  named: readonly string[],
  { question, status }: { question: string; status: 'active' | 'revoked' | undefined },
): Promise<Key[]> {
  const { out, prompt, signal } = context
  if (named.length > 0) return findKeys(api, named, signal)
  const choices = keyChoices(await readKeys(api, status, signal), { now: api.now(), columns: out.columns })
  return prompt.searchMany(question, choices, '<keys>')
}

/** Says who last used the keys that are about to be taken away, where a question follows. */
export async function showLastUses(
  context: Context,
  api: Client,
  keys: readonly Key[],
  { yes, force }: { yes: boolean; force: boolean },
): Promise<void> {
  const isAsked = !yes || (!force && keys.some((key) => isRecentlyUsed(key, api.now())))
  if (!context.out.interactive || keys.length === 0 || !isAsked) return
  context.out.show(...(await lastUses(api, keys, context.signal)))
}

/**
 * Asks before keys are revoked. One that was used of late needs its name typed, or `--force`; where nobody can be
 * asked that is `recently-used`. The credential in use needs `--force`.
 */
export async function confirmRevoking(
  context: Context,
  api: Client,
  keys: readonly Key[],
  { yes, force }: { yes: boolean; force: boolean },
): Promise<void> {
  const { out, prompt } = context
  if (keys.length === 0) return
  if (force) {
    // it waives the typed name; a person at hand is asked all the same
    if (out.interactive && !yes) await prompt.confirm(questionAbout(keys), '--yes')
    return
  }
  for (const key of keys) await refuseOwn(context, api, key)
  const used = keys.filter((key) => isRecentlyUsed(key, api.now()))
  const [first] = used
  if (first && !out.interactive) {
    const names = used.map((key) => `${key.name} (${key.id}, used ${formatAge(key.lastUsedAt, api.now())})`)
    throw new KeysError(
      'recently-used',
      `used in the last ${formatDuration(recently)}: ${names.join(', ')}`,
      {
        hint: 'something still works with it: replace it with pictify-keys rotate, or give --force',
      },
    )
  }
  const unused = keys.filter((key) => !used.includes(key))
  if (!yes && unused.length > 0) {
    await prompt.confirm(questionAbout(unused), '--yes')
  }
  for (const key of used) {
    out.warn(
      `${key.name} (${key.id}) was used ${formatAge(key.lastUsedAt, api.now())}: what uses it will fail`,
    )
    // a name that cannot be seen cannot be typed either, and Enter is not its name
    const name = oneLine(key.name).trim() || key.id
    await prompt.typed(`Revoke it for good? Type ${name} to confirm:`, name, '--force')
  }
}

function questionAbout(keys: readonly Key[]): string {
  return `Revoke ${describe(keys)} for good?`
}

export function describe(keys: readonly Key[]): string {
  const [only] = keys
  if (only && keys.length === 1) return `${only.name} (${only.id})`
  return `${keys.length} keys (${keys.map(({ name, id }) => `${name}, ${id}`).join('; ')})`
}

function isRecentlyUsed({ lastUsedAt }: Key, now: number): boolean {
  return lastUsedAt !== null && Date.parse(lastUsedAt) > now - recently
}

async function refuseOwn(context: Context, api: Client, key: Key): Promise<void> {
  if (key.access !== undefined && key.access !== 'admin') return
  const own = await ownKeyId(context, api)
  if (own !== undefined && own !== key.id) return
  // not known whose the credential is: an admin key may be it, a key of unsaid access is taken not to be
  if (own === undefined && key.access !== 'admin') return
  const what = own === key.id ? 'is' : 'may be'
  throw new KeysError('usage', `${key.name} (${key.id}) ${what} the admin key in use`, {
    hint: 'replace it with pictify-keys rotate --self, or give --force to lock yourself out',
  })
}
