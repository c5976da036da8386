// Rules of this file:
// - every error a user can meet is a KeysError with a code of this table; the code alone decides the exit;
// - a message says what failed, a hint what to do; lower case, no full stop, never a secret.

/** The process exit codes. Documented in the README; scripts rely on them. */
export const Exit = {
  done: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  notSignedIn: 4,
  waiting: 5,
  undone: 6,
  needsPerson: 7,
  locked: 8,
  limit: 9,
  findings: 10,
} as const
/** An exit code of the command line. */
export type ExitCode = (typeof Exit)[keyof typeof Exit]

/** Every error code and the exit it ends with. */
export const errorExits = {
  // usage
  usage: Exit.usage,
  'ambiguous-key': Exit.usage,
  'needs-answer': Exit.usage,
  'not-confirmed': Exit.failed,
  'invalid-name': Exit.usage,
  'invalid-url': Exit.usage,
  'insecure-url': Exit.usage,
  'invalid-secret': Exit.usage,
  'invalid-target': Exit.usage,
  'rotation-differs': Exit.usage,
  'recently-used': Exit.usage,
  // the account
  'api-key-not-found': Exit.notFound,
  'rotation-not-found': Exit.notFound,
  'secret-unmatched': Exit.notFound,
  'not-signed-in': Exit.notSignedIn,
  'invalid-api-key': Exit.notSignedIn,
  'insufficient-permissions': Exit.notSignedIn,
  'credential-store': Exit.notSignedIn,
  'keychain-unavailable': Exit.notSignedIn,
  'keychain-locked': Exit.notSignedIn,
  'keychain-denied': Exit.notSignedIn,
  'keychain-timeout': Exit.notSignedIn,
  'keychain-entry': Exit.notSignedIn,
  'keychain-changed': Exit.notSignedIn,
  'profile-not-found': Exit.notFound,
  'api-key-active': Exit.failed,
  'api-key-revoked': Exit.failed,
  'key-limit-reached': Exit.limit,
  'rate-limit': Exit.limit,
  'quota-exceeded': Exit.limit,
  // the wire
  'validation-error': Exit.failed,
  'idempotency-key-reused': Exit.failed,
  'api-error': Exit.failed,
  'unreadable-answer': Exit.failed,
  'not-an-api': Exit.failed,
  'connection-failed': Exit.failed,
  'dns-failed': Exit.failed,
  'tls-failed': Exit.failed,
  'timed-out': Exit.failed,
  // this machine
  'state-directory': Exit.failed,
  'journal-unreadable': Exit.failed,
  'escrow-locked': Exit.needsPerson,
  'config-unreadable': Exit.failed,
  'output-failed': Exit.failed,
  // targets
  'target-refused': Exit.failed,
  'target-failed': Exit.failed,
  'target-unclear': Exit.failed,
  'target-changed': Exit.failed,
  // rotation
  'rotation-waiting': Exit.waiting,
  'rotation-undone': Exit.undone,
  'rotation-needs-person': Exit.needsPerson,
  'rotation-locked': Exit.locked,
  'verify-failed': Exit.failed,
  'plan-failed': Exit.failed,
  // audit
  'keys-file': Exit.usage,
  'audit-findings': Exit.findings,
  'audit-skipped': Exit.findings,
  'no-audit-log': Exit.notFound,
  'no-usage': Exit.notFound,
  'signing-key': Exit.usage,
  'receipts-altered': Exit.failed,
  'output-file': Exit.failed,
  // alerts
  'alerts-firing': Exit.findings,
  'alerts-skipped': Exit.findings,
  'alerts-untold': Exit.failed,
  'alerts-locked': Exit.locked,
  'alerts-state': Exit.failed,
  'notifier-failed': Exit.failed,
  // not ours
  interrupted: Exit.failed,
  internal: Exit.failed,
} as const satisfies Record<string, ExitCode>
/** What an error is, for programs: a code never changes its meaning. docs/errors.md has the cause and the cure of each. */
export type ErrorCode = keyof typeof errorExits

/** What an error says besides its code and its message. */
export interface ErrorDetails {
  /** What to do about it. */
  readonly hint?: string | undefined
  /** The HTTP status, where the API answered. */
  readonly status?: number | undefined
  /** How long the API asks to wait, where it said so. */
  readonly retryAfterMs?: number | undefined
  /** Overrides the exit of the code (a plan that fails only for a limit is still a limit). */
  readonly exit?: ExitCode | undefined
  /** Whether what was asked may have been done all the same, by an attempt whose answer was lost. */
  readonly maybeDone?: boolean | undefined
  readonly cause?: unknown
}

/** An error meant for the user: code for scripts, message and hint for people. */
export class KeysError extends Error {
  override readonly name = 'KeysError'
  readonly code: ErrorCode
  readonly exit: ExitCode
  readonly hint: string | undefined
  readonly status: number | undefined
  readonly retryAfterMs: number | undefined
  readonly maybeDone: boolean

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, { cause: details.cause })
    this.code = code
    this.exit = details.exit ?? errorExits[code]
    this.hint = details.hint
    this.status = details.status
    this.retryAfterMs = details.retryAfterMs
    this.maybeDone = details.maybeDone ?? false
  }
}

/** One that was told already, by what was printed or by an earlier run: it decides the exit alone. */
export class ToldError extends KeysError {}

/** Whether an error is a KeysError with one of these codes. */
export function hasCode<C extends ErrorCode>(
  error: unknown,
  ...codes: C[]
): error is KeysError & { readonly code: C } {
  return error instanceof KeysError && (codes as ErrorCode[]).includes(error.code)
}
