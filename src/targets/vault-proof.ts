// Rules of this file:
// - what is asked here changes nothing; what the login may not even ask is told of, and is no reason to stop.
import { formatDuration } from '../duration.ts'
import type { TargetDeps } from './target.ts'
import { forbidden } from './vault-answer.ts'
import { pathOf, type Found } from './vault-kv.ts'
import type { VaultSession } from './vault-session.ts'

/** Longer than a rotation takes with its usual waits. */
const rotationMs = 30 * 60_000
/** More requests than a rotation makes of one target. */
const rotationUses = 50

/** What a policy must grant for all that a write and its undo do. */
function needed({ mount, data, version }: Found): Record<string, string[]> {
  if (data !== undefined) return { [pathOf(mount)]: ['update'] }
  if (mount.kv === 1) return { [pathOf(mount)]: ['create', 'update', 'delete'] }
  return {
    [pathOf(mount)]: version === 0 ? ['create', 'update'] : ['update'],
    [pathOf(mount, 'delete')]: ['update'],
  }
}

/** Throws `target-refused` where a right is lacking. Returns what could not be proved. */
export async function proveRights(
  name: string,
  found: Found,
  session: VaultSession,
  signal: AbortSignal,
): Promise<string[]> {
  const needs = needed(found)
  const body = { paths: Object.keys(needs) }
  const asked = { method: 'POST', path: 'sys/capabilities-self', body, repeatable: true } as const
  const answer = await session.send({ ...asked, needs: 'update', mayBeForbidden: true }, signal)
  if (answer.status !== 200) {
    return [
      'whether the login may write is not proved: it may not ask sys/capabilities-self (the policy "default" grants that)',
    ]
  }
  const { data = {} } = JSON.parse(answer.text) as { data?: Record<string, string[]> }
  for (const [path, capabilities] of Object.entries(needs)) {
    const has = data[path] ?? []
    const lacks = has.includes('root') ? [] : capabilities.filter((each) => !has.includes(each))
    if (lacks.length > 0) throw forbidden(name, { path, needs: lacks.join(' or ') })
  }
  return []
}

/** Whether who is signed in will be so to the end: what there is to say against it. */
export async function proveLogin(
  session: VaultSession,
  { clock }: TargetDeps,
  signal: AbortSignal,
): Promise<string[]> {
  const { by, endsAt } = await session.login()
  if (by === undefined || by.kind === 'kubernetes') return []
  if (by.kind === 'approle') {
    if (endsAt === undefined || endsAt - clock.now() > rotationMs) return []
    return [
      'the AppRole login ends before a rotation may have ended, and is then made anew: the secret id must be good for that (secret_id_num_uses, secret_id_ttl)',
    ]
  }
  const asked = { method: 'GET', path: 'auth/token/lookup-self', repeatable: true } as const
  const answer = await session.send({ ...asked, needs: 'read', mayBeForbidden: true }, signal)
  if (answer.status !== 200) {
    return [
      'how long the login lasts is not known: it may not look itself up (the policy "default" grants that)',
    ]
  }
  const { data } = JSON.parse(answer.text) as {
    data: { ttl?: number; num_uses?: number; renewable?: boolean }
  }
  const { ttl = 0, num_uses: uses = 0, renewable = false } = data
  const told: string[] = []
  if (ttl > 0 && ttl * 1_000 < rotationMs) {
    const way = renewable ? 'renew it first (vault token renew)' : 'use one that lasts longer'
    const ends = `the login ends in ${formatDuration(ttl * 1_000)}`
    told.push(`${ends}, and a rotation may take longer and could then neither write nor undo: ${way}`)
  }
  if (uses > 0 && uses < rotationUses) {
    told.push(`the login is good for ${uses} more requests, and a rotation may need more`)
  }
  return told
}
