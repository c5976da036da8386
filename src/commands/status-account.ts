import type { Client, Key, KeyType, RateLimit } from '../api/contract.ts'
import type { Context } from '../context.ts'
import { formatDuration } from '../duration.ts'
import { parseMark, type Mark } from '../rotation/marked-name.ts'
import { keyLimit } from '../key-limits.ts'
import type { Headroom, OpenRotation, RotationElsewhere, StatusReport } from '../ui/status.ts'
import { quoted } from '../command-line.ts'
import type { Findings } from './status-report.ts'

/** A clock further off than this spoils evidence and leases, which go by the API's, only where it is not asked. */
const skewWorthSaying = 30_000

interface Account extends Pick<StatusReport, 'api' | 'plan' | 'rateLimit'> {
  headroom: StatusReport['keys']
  /** Every key; undefined where the API did not say. */
  keys: Key[] | undefined
}

/** What the API says of the account: whether it takes the credential, and what there is room for. */
export async function lookAtAccount(
  { signal }: Context,
  api: Client | undefined,
  findings: Findings,
): Promise<Account> {
  const keys = api && (await findings.attempt('api', () => readAll(api, signal)))
  if (api === undefined || keys === undefined) {
    for (const check of [...(api === undefined ? ['api'] : []), 'clock', 'plan', 'keys', 'rate']) {
      findings.note(unknown(check))
    }
    const reachable = findings.failure?.status !== undefined
    const refused = { reachable, accepted: false, clockSkewMs: api?.clockSkewMs ?? null }
    return { api: refused, plan: api?.plan ?? null, headroom: null, rateLimit: null, keys }
  }
  findings.ok('api', 'reachable, and takes the credential')
  lookAtClock(api, findings)
  const headroom = lookAtPlan(api, keys, findings)
  const rateLimit = api.rateLimit === undefined ? null : rateOf(api.rateLimit)
  if (rateLimit === null) findings.ok('rate', 'the API tells of no limit')
  else lookAtRate(rateLimit, findings)
  const { clockSkewMs = null, plan = null } = api
  return { api: { reachable: true, accepted: true, clockSkewMs }, plan, headroom, rateLimit, keys }
}

const unknown = (check: string) =>
  ({ check, state: 'unknown', message: 'not known without the API' }) as const

async function readAll(api: Client, signal: AbortSignal): Promise<Key[]> {
  const keys: Key[] = []
  for await (const key of api.keys.list({}, { signal })) keys.push(key)
  return keys
}

function lookAtClock({ clockSkewMs }: Client, { ok, warn }: Findings): void {
  if (clockSkewMs === undefined) return ok('clock', 'the API does not tell its time')
  const apart = formatDuration(Math.abs(clockSkewMs))
  if (Math.abs(clockSkewMs) < skewWorthSaying) {
    // the API tells its time to the second
    const seconds = Math.ceil(Math.abs(clockSkewMs) / 1_000) || 1
    return ok('clock', `within ${formatDuration(seconds * 1_000)} of the API's`)
  }
  warn('clock', {
    code: 'clock-skew',
    message: `this machine's clock is ${apart} ${clockSkewMs > 0 ? 'behind' : 'ahead of'} the API's`,
    hint: 'set the clock; rotations go by the API’s time, but their journals show yours',
  })
}

function lookAtPlan({ plan }: Client, keys: readonly Key[], findings: Findings): Record<KeyType, Headroom> {
  if (plan === undefined) {
    const hint = 'say it with --plan free|pro|business|enterprise, or PICTIFY_PLAN'
    findings.note({ check: 'plan', state: 'ok', message: 'not told by the rate limit', hint })
  } else findings.ok('plan', plan)
  const of = (type: KeyType): Headroom => {
    const active = keys.filter((key) => key.type === type && key.status === 'active').length
    const known = keyLimit(plan, type)
    const limit = known === undefined || !Number.isFinite(known) ? null : known
    return { active, limit, room: known === undefined ? null : active < known }
  }
  const headroom = { live: of('live'), test: of('test') }
  const full = (['live', 'test'] as const).filter((type) => headroom[type].room === false)
  const counts = `${countOf('live', headroom.live)}, ${countOf('test', headroom.test)}`
  if (full.length === 0) findings.ok('keys', `${counts}${plan === undefined ? '' : ': room for a rotation'}`)
  for (const type of full) {
    findings.warn('keys', {
      code: 'key-limit-reached',
      message: `${counts}: all ${type} keys of the plan are in use, so no ${type} key can be rotated`,
      hint: `revoke one that is not needed: pictify-keys list --type ${type} --status active --sort last-used --reverse`,
    })
  }
  return headroom
}

function countOf(type: KeyType, { active, limit }: Headroom): string {
  return limit === null ? `${active} ${type}` : `${active} of ${limit} ${type}`
}

function rateOf({ limit, remaining, resetAt }: RateLimit) {
  return { limit, remaining, resetAt: new Date(resetAt).toISOString() }
}

function lookAtRate({ limit, remaining, resetAt }: ReturnType<typeof rateOf>, { ok, warn }: Findings): void {
  const message = `${remaining} of ${limit} requests a minute left, all of them again at ${resetAt}`
  if (remaining > 0) return ok('rate', message)
  warn('rate', { code: 'rate-limit', message, hint: 'wait until then; every command does so by itself' })
}

/** Marked successors that no journal of this machine knows, and those that are revoked. */
export function lookAtMarked(
  api: Client | undefined,
  keys: readonly Key[] | undefined,
  local: readonly OpenRotation[],
  findings: Findings,
): Pick<StatusReport, 'elsewhere' | 'orphans'> {
  if (api === undefined || keys === undefined) {
    findings.note(unknown('others'))
    return { elsewhere: [], orphans: [] }
  }
  const known = new Set(local.map(({ id }) => id))
  const elsewhere: RotationElsewhere[] = []
  const orphans: { id: string; name: string }[] = []
  for (const { id, name, status, createdAt } of keys) {
    const mark = parseMark(name)
    if (mark === undefined || known.has(mark.rotationId)) continue
    if (status === 'revoked') orphans.push({ id, name })
    else elsewhere.push({ ...rotationOf(mark, api.now()), newKey: { id, createdAt } })
  }
  for (const rotation of elsewhere) noteElsewhere(rotation, findings)
  if (orphans.length > 0) {
    const ids = orphans.map(({ id }) => id)
    const what = ids.length === 1 ? 'is a revoked successor' : 'are revoked successors'
    findings.warn('orphans', {
      code: 'orphan',
      message: `${ids.join(', ')} ${what} that a run which ended left behind`,
      hint: `pictify-keys delete ${ids.map(quoted).join(' ')} (the next rotation of the key does it too)`,
    })
  }
  if (elsewhere.length === 0) findings.ok('others', 'no other machine has a rotation open')
  return { elsewhere, orphans }
}

function rotationOf(mark: Mark, now: number): Omit<RotationElsewhere, 'newKey'> {
  const { rotationId: id, oldId, plain, leaseUntil } = mark
  const state = leaseUntil === 0 ? 'waiting' : leaseUntil > now ? 'running' : 'dead'
  const until = leaseUntil === 0 ? null : new Date(leaseUntil).toISOString()
  return { id, state, oldKey: { id: oldId, name: plain }, leaseUntil: until }
}

function noteElsewhere({ state, oldKey, newKey, leaseUntil }: RotationElsewhere, findings: Findings): void {
  const what = `${oldKey.name} (${oldKey.id}), successor ${newKey.id}`
  if (state === 'running') {
    return findings.ok('others', `${what}: another machine is at work on it until ${leaseUntil}`)
  }
  const ended =
    state === 'dead' ? `the run that had it ended by ${leaseUntil}` : 'it waits to be gone on with'
  const hint = `run its own line again, here or there: pictify-keys rotate ${quoted(oldKey.id)} --to <its targets>`
  const code = state === 'dead' ? 'orphan' : 'rotation-open'
  findings.warn('others', { code, message: `${what}: begun on another machine; ${ended}`, hint })
}
