import type { Client, KeyType, RateLimit } from '../api/contract.ts'
import type { Context } from '../context.ts'
import { formatDuration } from '../duration.ts'
import { KeysError } from '../errors.ts'
import type { Headroom, OpenRotation, Problem, StatusReport } from '../ui/status.ts'

/** A clock further off than this spoils evidence and leases, which go by the API's, only where it is not asked. */
const skewWorthSaying = 30_000

/** Looks at everything; what fails is a problem of the report, and the first failure decides the exit. */
export async function inspect(
  context: Context,
): Promise<{ status: StatusReport; failure: KeysError | undefined }> {
  const problems: Problem[] = []
  let failure: KeysError | undefined
  const attempt = async <T>(look: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await look()
    } catch (error) {
      if (!(error instanceof KeysError) || error.code === 'interrupted') throw error
      failure ??= error
      if (!problems.some(({ message }) => message === error.message)) {
        problems.push({ code: error.code, message: error.message, hint: error.hint })
      }
      return undefined
    }
  }

  const profile = await attempt(async () => (await context.config()).profile)
  const apiUrl = await attempt(() => context.apiUrl())
  const credential = await attempt(() => describeCredential(context, problems))
  const api = credential && apiUrl ? await attempt(() => context.api()) : undefined
  const keys = api && (await attempt(() => countKeys(api, context.signal)))
  if (api && keys) addSkew(api, problems)
  const plan = api?.plan
  const headroom = keys && (await withLimits(keys, plan, problems))
  const rotations = (await attempt(() => openRotations(context, problems))) ?? []
  const answered = failure?.status !== undefined

  return {
    status: {
      version: context.version,
      profile: profile ?? null,
      apiUrl: apiUrl ?? null,
      credential: credential ?? null,
      api: {
        reachable: keys !== undefined || answered,
        accepted: keys !== undefined,
        clockSkewMs: api?.clockSkewMs ?? null,
      },
      plan: plan ?? null,
      keys: headroom ?? null,
      rateLimit: api?.rateLimit ? rateOf(api.rateLimit) : null,
      stateDir: context.stateDir,
      rotations,
      problems,
    },
    failure,
  }
}

async function describeCredential(context: Context, problems: Problem[]) {
  const { secret, source } = await context.credential()
  if (source.kind === 'environment')
    return { ...source, key: secret.hint, protection: 'as this shell keeps it' }
  if (source.kind === 'keychain')
    return { ...source, key: secret.hint, protection: 'encrypted by it, open to your programs' }
  const mode = (await (await context.config()).mode()) ?? 0
  const open = (mode & 0o077) !== 0
  if (open) {
    problems.push({
      code: 'credential-exposed',
      message: `${source.path} can be read by others on this machine (mode ${mode.toString(8)})`,
      hint: `run chmod 600 ${source.path}, and rotate the key if anybody may have read it`,
    })
  }
  const protection = `in clear, mode ${mode.toString(8).padStart(4, '0')}`
  return { ...source, key: secret.hint, protection }
}

async function countKeys(api: Client, signal: AbortSignal): Promise<Record<KeyType, number>> {
  const counts = { live: 0, test: 0 }
  for await (const { type } of api.keys.list({ status: 'active' }, { signal })) counts[type] += 1
  return counts
}

async function withLimits(
  counts: Record<KeyType, number>,
  plan: Client['plan'],
  problems: Problem[],
): Promise<Record<KeyType, Headroom>> {
  const { keyLimit } = await import('../rotation/plan.ts')
  const of = (type: KeyType): Headroom => {
    const known = keyLimit(plan, type)
    const limit = known === undefined || !Number.isFinite(known) ? null : known
    if (limit !== null && counts[type] >= limit) {
      problems.push({
        code: 'key-limit-reached',
        message: `all ${limit} ${type} keys of the plan are in use, so no ${type} key can be rotated`,
        hint: `revoke one that is not needed: pictify-keys list --type ${type} --status active --sort last-used --reverse`,
      })
    }
    return { active: counts[type], limit }
  }
  return { live: of('live'), test: of('test') }
}

function addSkew({ clockSkewMs }: Client, problems: Problem[]): void {
  if (clockSkewMs === undefined || Math.abs(clockSkewMs) < skewWorthSaying) return
  const direction = clockSkewMs > 0 ? 'behind' : 'ahead of'
  problems.push({
    code: 'clock-skew',
    message: `this machine's clock is ${formatDuration(Math.abs(clockSkewMs))} ${direction} the API's`,
    hint: 'set the clock; rotations go by the API’s time, but their journals show yours',
  })
}

function rateOf({ limit, remaining, resetAt }: RateLimit) {
  return { limit, remaining, resetAt: new Date(resetAt).toISOString() }
}

async function openRotations({ stateDir }: Context, problems: Problem[]): Promise<OpenRotation[]> {
  const [{ createJournals }, { isOver }] = await Promise.all([
    import('../rotation/journal.ts'),
    import('../rotation/state.ts'),
  ])
  const open: OpenRotation[] = []
  for (const entry of await createJournals(stateDir).list()) {
    if ('problem' in entry) {
      const { code, message, hint } = entry.problem
      problems.push({ code, message, hint })
    } else if (!isOver(entry.journal.state)) {
      const { id, state, oldKey, startedAt } = entry.journal
      open.push({ id, state, oldKey: { id: oldKey.id, name: oldKey.name }, startedAt })
      problems.push({
        code: 'rotation-open',
        message: `the rotation of ${oldKey.name} (${oldKey.id}) is not over: ${state}`,
        hint: `go on with pictify-keys rotate ${oldKey.id} --resume, or undo it with --abort`,
      })
    }
  }
  return open
}
