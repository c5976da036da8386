import type { AuditEvent, Client, Key } from '../api/contract.ts'
import { KeysError } from '../errors.ts'
import { formatAge } from '../ages.ts'

/** Of so many keys it is looked up who used them; of further ones only when. */
const mostLookedUp = 10
/** Our own probes are passed over, but not without end. */
const mostProbes = 50

/** Who last used each of these keys, and when: a line each, for whoever is about to take them away. */
export async function lastUses(api: Client, keys: readonly Key[], signal: AbortSignal): Promise<string[]> {
  const users = await Promise.all(keys.slice(0, mostLookedUp).map((key) => lastUser(api, key, signal)))
  return keys.map((key, index) => `${key.name} (${key.id}) ${sentence(key, users[index], api.now())}`)
}

/** `failed`: why the audit log does not tell. */
type LastUser = { event: AuditEvent | undefined } | { failed: string } | undefined

async function lastUser(api: Client, { id, lastUsedAt }: Key, signal: AbortSignal): Promise<LastUser> {
  if (lastUsedAt === null) return undefined
  try {
    let newest: AuditEvent | undefined
    let seen = 0
    for await (const event of api.auditLogs({ keyId: id }, { signal })) {
      newest ??= event
      if (!event.userAgent.startsWith('pictify-keys/')) return { event }
      if (++seen === mostProbes) break
    }
    return { event: newest }
  } catch (error) {
    if (!(error instanceof KeysError) || error.code === 'interrupted') throw error
    const isAbsent = error.status === 404 || error.status === 403
    return {
      failed: isAbsent
        ? 'there is no audit log that says by whom'
        : `the audit log cannot be read: ${error.message}`,
    }
  }
}

function sentence({ lastUsedAt }: Key, user: LastUser, now: number): string {
  if (lastUsedAt === null) return 'was never used'
  const when = `was last used ${formatAge(lastUsedAt, now)} (${lastUsedAt})`
  if (user === undefined) return when
  if ('failed' in user) return `${when}; ${user.failed}`
  const { event } = user
  if (event === undefined) return `${when}; the audit log has nothing of it`
  const who = `by ${event.userAgent || 'a program that does not say which'} from ${event.ip || 'an unknown address'}`
  const isThat = Math.abs(Date.parse(event.timestamp) - Date.parse(lastUsedAt)) < 60_000
  return isThat ? `${when} ${who}` : `${when}; the audit log has it last at ${event.timestamp}, ${who}`
}
