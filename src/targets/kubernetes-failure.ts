// Rules of this file:
// - that something is absent is the cluster's own word, never a proxy's;
// - no error of it holds a header or a body, and of the library's own only what is known to be harmless.
import { RequestFailure, connectionFailure } from '../connection-failure.ts'
import { systemCode } from '../system-error.ts'
import { KeysError } from '../errors.ts'
import type { Login } from './kubernetes-config.ts'
import { Overlong } from './kubernetes-program.ts'
import { refusal } from './refusal.ts'
import { Conflict } from './store.ts'

interface Context {
  name: string
  kind: 'read' | 'write'
  login: Login
  /** Makes one short line without a secret of what a server or a program said. */
  clean: (text: string) => string
}

/** The cluster says that it has no such thing: of `resource`, which is that of the request, or `namespaces`. */
export class NotFound extends KeysError {
  readonly resource: string
  constructor(resource: string, message: string) {
    super('target-failed', message, {
      hint: 'see whether it is the right cluster, and what stands in between',
    })
    this.resource = resource
  }
}

/** A request that never left, for want of a login. */
export class LoginFailure extends Error {
  constructor(cause: unknown) {
    super('cannot sign in', { cause })
  }
}

export interface Failure {
  error: Error
  mayHelp: boolean
  isLogin?: boolean
  pauseMs?: number | undefined
}

/** What went wrong with one request, and whether it makes sense to ask again. */
export function understand(thrown: unknown, context: Context): Failure {
  const { name, kind, login, clean } = context
  if (thrown instanceof LoginFailure) {
    if (thrown.cause instanceof Overlong) {
      const message = `${name}: cannot sign in: ${clean(thrown.cause.message)}`
      return { error: new KeysError('target-failed', message, { hint: login.renew }), mayHelp: false }
    }
    const { message = '', path: command } = thrown.cause as { message?: string; path?: string }
    const isMissing = systemCode(thrown.cause) === 'ENOENT' && command !== undefined
    const reason = isMissing ? `there is no ${command}` : clean(message) || 'its program failed'
    return { error: refusal(`${name}: cannot sign in: ${reason}`, login.renew), mayHelp: false }
  }
  if (isAnswer(thrown)) return answered(thrown, context)
  if (thrown instanceof SyntaxError) {
    // without the cause, which may quote what came
    return { error: noCluster(name, kind, login), mayHelp: false }
  }
  const failure = thrown instanceof RequestFailure ? thrown : connectionFailure(thrown, login.server)
  const isUnclear = kind === 'write' && failure.maybeDone
  const error = new KeysError(isUnclear ? 'target-unclear' : 'target-failed', `${name}: ${failure.message}`, {
    hint: 'see whether kubectl reaches the cluster: kubectl version',
    cause: failure,
  })
  return { error, mayHelp: failure.transient }
}

/** The library's own exception, whose message and body are not for showing. */
interface Answer {
  code: number
  body: unknown
  headers: Record<string, string>
}

function isAnswer(thrown: unknown): thrown is Answer {
  return (
    thrown instanceof Error && 'headers' in thrown && typeof (thrown as Partial<Answer>).code === 'number'
  )
}

function answered(
  { code, body, headers }: Answer,
  {
    name,
    kind,
    login,
    clean,
  }: { name: string; kind: 'read' | 'write'; login: Login; clean: (text: string) => string },
): Failure {
  const status = statusOf(body)
  const said = clean(status.message ?? '') || `${login.where} answered ${code}`
  const done = (error: Error): Failure => ({ error, mayHelp: false })
  switch (code) {
    case 401:
      return {
        error: refusal(`${name}: ${login.where} does not take the login (any more)`, login.renew),
        mayHelp: false,
        isLogin: true,
      }
    case 404:
      // a page that a proxy has not is no proof of anything
      if (status.reason !== 'NotFound' || !status.details?.kind) return done(noCluster(name, 'read', login))
      return done(new NotFound(status.details.kind, `${name}: ${said}`))
    case 409:
      return done(new Conflict(said))
    case 429:
    case 500:
    case 502:
    case 503:
    case 504: {
      // a 429 or 503 was turned away at the door
      const isUnclear = kind === 'write' && ![429, 503].includes(code)
      const error = new KeysError(isUnclear ? 'target-unclear' : 'target-failed', `${name}: ${said}`, {
        hint: 'try again; if it stays, see what the cluster is busy with',
      })
      const seconds = Number(headers['retry-after'])
      return { error, mayHelp: true, pauseMs: seconds > 0 ? seconds * 1_000 : undefined }
    }
    default:
      return done(
        refusal(`${name}: ${said}`, code === 403 && /cannot \w+ resource/.test(said) ? roleHint : ruleHint),
      )
  }
}

export const roleHint =
  'check how it is spelt, or give it the role that docs/targets.md shows; kubectl auth can-i --list shows what it may do'
const ruleHint = 'that is a rule of the cluster: keep it, or ask whoever runs the cluster'

/** What answers is something else. */
export function noCluster(name: string, kind: 'read' | 'write', { where }: { where: string }): KeysError {
  return new KeysError(
    kind === 'write' ? 'target-unclear' : 'target-failed',
    `${name}: what answers for ${where} does not speak as a cluster does`,
    { hint: 'see whether kubectl can speak to it, and what stands in between' },
  )
}

interface Status {
  message?: string
  reason?: string
  details?: { kind?: string }
}

/** What a cluster answers with when it does not do what it was asked. */
function statusOf(body: unknown): Status {
  try {
    return ((typeof body === 'string' ? JSON.parse(body) : body) as Status | undefined) ?? {}
  } catch {
    // a proxy's page says nothing that helps
    return {}
  }
}
