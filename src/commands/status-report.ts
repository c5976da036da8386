// Rules of this file:
// - everything is looked at, whatever else is wrong; the first failure decides the exit, a warning never does;
// - what cannot be known because of another failure is unknown, and said to be;
// - nothing is changed, and nobody is asked but the API.
import type { Context } from '../context.ts'
import { KeysError } from '../errors.ts'
import type { Check, StatusReport } from '../ui/status.ts'
import { lookAtAccount, lookAtMarked } from './status-account.ts'
import { lookAtConnection, lookAtCredential, lookAtVersions } from './status-machine.ts'
import { lookAtStateDirectory } from './status-rotations.ts'

/** Where what is looked at is noted. */
export interface Findings {
  note: (check: Check) => void
  ok: (check: string, message: string) => void
  warn: (check: string, problem: { code: string; message: string; hint?: string | undefined }) => void
  /** Looks; what fails is noted as wrong under this name, and undefined comes back. */
  attempt: <T>(check: string, look: () => Promise<T>) => Promise<T | undefined>
  /** What the first failure was. */
  readonly failure: KeysError | undefined
}

function createFindings(checks: Check[]): Findings {
  let failure: KeysError | undefined
  const note = (check: Check) => void checks.push(check)
  return {
    note,
    ok: (check, message) => note({ check, state: 'ok', message }),
    warn: (check, problem) => note({ check, state: 'warning', ...problem }),
    async attempt(check, look) {
      try {
        return await look()
      } catch (error) {
        if (!(error instanceof KeysError) || error.code === 'interrupted') throw error
        failure ??= error
        const { code, message, hint } = error
        if (checks.some((known) => known.message === message)) {
          note({ check, state: 'unknown', message: 'not known, for the same reason' })
        } else note({ check, state: 'wrong', code, message, hint })
        return undefined
      }
    },
    get failure() {
      return failure
    },
  }
}

/** Looks at everything. */
export async function inspect(
  context: Context,
): Promise<{ status: StatusReport; failure: KeysError | undefined }> {
  const checks: Check[] = []
  const findings = createFindings(checks)
  const node = lookAtVersions(context, findings)
  const profile = await findings.attempt('profile', async () => (await context.config()).profile)
  if (profile !== undefined) findings.ok('profile', profile)
  const apiUrl = await findings.attempt('connection', () => context.apiUrl())
  const connection = apiUrl === undefined ? undefined : await lookAtConnection(context, apiUrl, findings)
  const credential = await findings.attempt('credential', () => lookAtCredential(context, findings))
  const api =
    credential && apiUrl !== undefined ? await findings.attempt('api', () => context.api()) : undefined
  const { keys, headroom, ...account } = await lookAtAccount(context, api, findings)
  const local = await lookAtStateDirectory(context, findings)
  const marked = lookAtMarked(api, keys, local.open, findings)

  return {
    status: {
      version: context.version,
      node,
      profile: profile ?? null,
      apiUrl: apiUrl ?? null,
      connection: connection ?? null,
      credential: credential ?? null,
      ...account,
      keys: headroom ?? null,
      ...marked,
      stateDir: context.stateDir,
      rotations: local.open,
      locks: local.locks,
      setAside: local.setAside,
      checks,
      problems: checks.flatMap(({ state, code, message, hint }) =>
        code !== undefined && (state === 'wrong' || state === 'warning') ? [{ code, message, hint }] : [],
      ),
    },
    failure: findings.failure,
  }
}
