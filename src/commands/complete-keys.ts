// Rules of this file:
// - what is kept of an account for its completions is ids and names, in a file of its owner's alone, and never a secret;
// - it makes no keychain ask for its password: then what `list` printed last is known, or nothing;
// - a person at a prompt waits for the API a second at most, and then gets what was known before, or nothing.
import { createHash } from 'node:crypto'
import { readdir, rm } from 'node:fs/promises'
import path from 'node:path'
import type { Config } from '../config.ts'
import type { Context } from '../context.ts'
import { adminKeyVariable } from '../credentials/environment.ts'
import { fingerprintOf } from '../credentials/fingerprint.ts'
import { ensurePrivateDirectory, readRegularFile, writeDurably } from '../durable-file.ts'
import { hasCode } from '../errors.ts'
import { Secret } from '../secret.ts'

/** What a completion needs to know of a key. */
export interface KnownKey {
  id: string
  name: string
  type: string
  status: string
}

/** A list younger than this is not asked for again. */
const freshMs = 60_000
/** One older than this is worth nothing even where there is no other. */
const staleMs = 24 * 3_600_000
const limitMs = 1_000
/** More nobody chooses from at a prompt. */
const mostKeys = 1_000
const version = 1
const sizeLimit = 1024 * 1024

const fileOf = ({ cacheDir }: Context, mark: string) => path.join(cacheDir, `keys-${mark}.json`)

/** The keys of the account in force, as far as they can be had at once. Never throws. */
export async function knownKeys(context: Context): Promise<KnownKey[]> {
  try {
    const mark = await accountMark(context)
    if (mark === undefined) return []
    const file = fileOf(context, mark)
    const kept = await readKept(file, context.clock.now())
    if (kept !== undefined && kept.ageMs < freshMs) return kept.keys
    const keys = await withinLimit(readKeys(context), context)
    if (keys === 'signed out') return []
    if (keys === undefined) return kept?.keys ?? []
    await keep(file, keys, context.clock.now())
    return keys
  } catch {
    // whoever pressed the key wants no error in the middle of a line
    return []
  }
}

/** Keeps the list that a command has just had, for where completion itself cannot ask for it. Never throws. */
export async function noteKnownKeys(context: Context, keys: readonly KnownKey[]): Promise<void> {
  // whose keys they are is not known, and a list under no name helps nobody
  const mark = await accountMark(context).catch(() => undefined)
  if (mark === undefined) return
  const known = keys.slice(0, mostKeys).map(({ id, name, type, status }) => ({ id, name, type, status }))
  await keep(fileOf(context, mark), known, context.clock.now())
}

/**
 * Forgets what is kept of every account; what is still wanted of another is asked for again. What cannot be removed is of
 * a credential that nobody has any more, and so is never offered again: that fails no command.
 */
export async function forgetKnownKeys({ cacheDir }: Context): Promise<void> {
  const files = await readdir(cacheDir).catch(() => [])
  const kept = files.filter((file) => /^keys-.*\.json$/.test(file))
  await Promise.all(kept.map((file) => rm(path.join(cacheDir, file), { force: true }).catch(() => undefined)))
}

/**
 * Whose list it is, without a look into a keychain, which could ask for its password: another key is another account for
 * all that is known here. Undefined where nobody is signed in.
 */
async function accountMark(context: Context): Promise<string | undefined> {
  const own = context.env[adminKeyVariable]
  const whose = own
    ? new Secret(own).fingerprint('pictify-keys completion', 32)
    : profileMark(await context.config())
  if (whose === undefined) return undefined
  const apiUrl = await context.apiUrl()
  return createHash('sha256').update(`${apiUrl}\n${whose}`).digest('hex').slice(0, 32)
}

function profileMark(config: Config): string | undefined {
  const { store, profile, facts } = config
  if (store === undefined) return undefined
  const secret = config.adminKey()
  const fingerprints = secret === undefined ? (facts.keyFingerprints ?? []) : [fingerprintOf(secret)]
  return ['profile', profile, ...fingerprints].join(' ')
}

async function withinLimit<T>(work: Promise<T>, { clock }: Context): Promise<T | undefined> {
  const over = new AbortController()
  try {
    return await Promise.race([work, clock.sleep(limitMs, over.signal).then(() => undefined)])
  } finally {
    over.abort()
  }
}

async function readKeys(context: Context): Promise<KnownKey[] | 'signed out' | undefined> {
  try {
    const client = await context.api()
    const keys: KnownKey[] = []
    const signal = AbortSignal.any([context.signal, AbortSignal.timeout(limitMs)])
    for await (const { id, name, type, status } of client.keys.list({}, { signal })) {
      keys.push({ id, name, type, status })
      if (keys.length === mostKeys) break
    }
    return keys
  } catch (error) {
    context.out.debug(String(error))
    // what another credential could see is no business of whoever has none
    return hasCode(error, 'not-signed-in', 'invalid-api-key') ? 'signed out' : undefined
  }
}

async function readKept(file: string, now: number): Promise<{ keys: KnownKey[]; ageMs: number } | undefined> {
  try {
    const kept = JSON.parse((await readRegularFile(file, { sizeLimit })).toString()) as {
      version: unknown
      at: number
      keys: KnownKey[]
    }
    const ageMs = now - kept.at
    const isUsable = kept.version === version && Array.isArray(kept.keys) && ageMs >= 0 && ageMs < staleMs
    return isUsable ? { keys: kept.keys, ageMs } : undefined
  } catch {
    // none, or not ours
    return undefined
  }
}

async function keep(file: string, keys: readonly KnownKey[], now: number): Promise<void> {
  try {
    await ensurePrivateDirectory(path.dirname(file))
    await writeDurably(file, JSON.stringify({ version, at: now, keys }), { mode: 0o600 })
  } catch {
    // a folder that cannot be written to makes it slower, and nothing else
  }
}
