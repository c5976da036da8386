// Rules of this file:
// - whether asking again is of any use, and whether something may have been done, goes by the code alone;
// - no error holds what was sent.
import { systemCode } from '../system-error.ts'
import { KeysError } from '../errors.ts'
import { redact } from '../secret.ts'
import type { SecretName } from './gcp-sm-connection.ts'
import { refusal } from './refusal.ts'

/** The status codes of gRPC that are told apart. */
export const Code = {
  CANCELLED: 1,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16,
} as const
const names = new Map<number, string>(Object.entries(Code).map(([name, code]) => [code, name]))
const isFinal: readonly number[] = [
  Code.INVALID_ARGUMENT,
  Code.NOT_FOUND,
  Code.ALREADY_EXISTS,
  Code.FAILED_PRECONDITION,
]
/** Refused before anything was done. */
const isUndone: readonly number[] = [Code.RESOURCE_EXHAUSTED, Code.ABORTED]

/** What a call ended with, where it was no answer. */
export interface Fault extends Error {
  readonly code: number
  readonly details?: string
  /** Of Google's `ErrorInfo`: `SERVICE_DISABLED`, `IAM_PERMISSION_DENIED`. */
  readonly reason?: string
}

export function isFault(value: unknown): value is Fault {
  return value instanceof Error && typeof (value as { code?: unknown }).code === 'number'
}

/** `PERMISSION_DENIED`. */
export function codeName(code: number): string {
  return names.get(code) ?? `status ${code}`
}

/** Whether the call never left, for want of a login. */
export function isLoginFault(fault: Fault): boolean {
  return fault.code === Code.UNAUTHENTICATED || noToken.test(fault.details ?? fault.message)
}

const noToken = /^(\d+ \w+: )?Getting metadata from plugin failed with error: /

/** What is told of a call that failed. `isRead`: it changes nothing. */
export function explain(
  error: unknown,
  { name, secret, isRead }: { name: string; secret: SecretName; isRead: boolean },
): unknown {
  if (error instanceof KeysError || !(error instanceof Error)) return error
  const said = redact(isFault(error) ? (error.details ?? error.message) : error.message)
  if (!isFault(error) || noToken.test(said)) return signInFailed(error, said.replace(noToken, ''), name)
  // what it was made of may hold what was sent
  const cause = new Error(`${codeName(error.code)}: ${said}`)
  const message = `${name}: ${said} (${codeName(error.code)})`
  if (error.code === Code.UNAUTHENTICATED) return refusal(message, loginHint, cause)
  if (error.code === Code.PERMISSION_DENIED) return refusal(message, permissionHint(error, secret), cause)
  if (isFinal.includes(error.code)) {
    return refusal(message, 'see what Google says of it, and whether the secret is as it should be', cause)
  }
  if (error.code === Code.RESOURCE_EXHAUSTED) {
    const hint = `a quota of ${secret.project} is used up: wait a minute, then run the same command again`
    return new KeysError('target-failed', message, { hint, cause })
  }
  if (/certificate|self-signed/i.test(said)) {
    return refusal(message, 'NODE_EXTRA_CA_CERTS names the file of a further authority', cause)
  }
  const isNothing = isRead || isUndone.includes(error.code)
  return new KeysError(isNothing ? 'target-failed' : 'target-unclear', message, {
    hint: 'see whether the network and status.cloud.google.com are in order, then run the same command again',
    cause,
  })
}

const loginHint =
  'sign in: gcloud auth application-default login (or renew what GOOGLE_APPLICATION_CREDENTIALS names)'

function permissionHint({ reason }: Fault, { project }: SecretName): string {
  const hints: Record<string, string> = {
    SERVICE_DISABLED: `turn it on: gcloud services enable secretmanager.googleapis.com --project=${project}`,
    USER_PROJECT_DENIED:
      'the quota project of the login may not be used: gcloud auth application-default set-quota-project <project>',
    ACCESS_TOKEN_SCOPE_INSUFFICIENT:
      'the login lacks the scope https://www.googleapis.com/auth/cloud-platform: give it to the machine, or sign in anew',
    SECURITY_POLICY_VIOLATED:
      "the organisation's perimeter forbids it from here: run it inside, or have an access level granted",
  }
  return (
    hints[reason ?? ''] ??
    'check how it is spelt, and that the login has the role of docs/targets.md, "Google Secret Manager"'
  )
}

/** Before any call. Nothing was done in any case. */
function signInFailed(error: Error, said: string, name: string): KeysError {
  const cause = new Error(said)
  if (/Could not load the default credentials|Unable to find credentials/i.test(said)) {
    return refusal(`${name}: there is no Google login here`, loginHint, cause)
  }
  const message = `${name}: the Google login does not work: ${said}`
  const { status, code } = error as { status?: unknown; code?: unknown }
  const http = Number(status ?? code)
  const isUnreached =
    /^E(CONN|TIMEDOUT|AI_AGAIN|NOTFOUND|PIPE|HOSTUNREACH|NETUNREACH)/.test(systemCode(error) ?? '') ||
    /\b(ECONN\w+|ETIMEDOUT|EAI_AGAIN|ENOTFOUND|fetch failed|socket hang up)\b/.test(said)
  if (isUnreached || http === 429 || http >= 500) {
    return new KeysError('target-failed', message, {
      hint: 'see whether the network is in order, then run the same command again',
      cause,
    })
  }
  return refusal(message, loginHint, cause)
}
