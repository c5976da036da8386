// Rules of this file:
// - what an answer means is said here, once: what was refused, why, and what to do;
// - a redirect is not followed with a token: the new name is looked up where the old one was, and said.
import { KeysError } from '../errors.ts'
import type { HttpAnswer } from '../http.ts'
import { redact, Secret } from '../secret.ts'
import { fromGh, type GitHubAccount, tokenOf } from './github-account.ts'
import { createStoreRequests, retryAfterMs, type StoreAnswer } from './store-request.ts'
import type { TargetDeps } from './target.ts'

/** Says no more than that: GitHub wants a minute of peace where it does not say how long. */
const unsaidPauseMs = 60_000

export interface GitHubRequest {
  method: 'GET' | 'PUT' | 'DELETE'
  /** Its segments encoded. */
  path: string
  body?: object
  /** What is asked for, in case it is not there: `the repository acme/app`. */
  thing: string
  /** Statuses to be given back, beside success. */
  also?: readonly number[]
}

export interface GitHub {
  /** Throws as `Target.write` says where it is not answered by a success, or by one of `also`. */
  ask(request: GitHubRequest, signal: AbortSignal): Promise<StoreAnswer>
}

/** Speaks to GitHub's REST API. `needs`: what a token must be allowed, for a person. */
export function createGitHub({
  name,
  account,
  needs,
  deps,
}: {
  name: string
  account: GitHubAccount
  needs: string
  deps: TargetDeps
}): GitHub {
  const { host, apiUrl, variable } = account
  const caFile = deps.env['SSL_CERT_FILE'] || undefined
  const requests = createStoreRequests({ name, baseUrl: apiUrl, deps, tls: { caFile }, throttledMs })
  const renew = `renew ${variable}, or sign in by gh auth login and ${fromGh(variable, host)}`

  async function send(
    { method, path, body }: Pick<GitHubRequest, 'method' | 'path' | 'body'>,
    signal: AbortSignal,
  ) {
    const headers = {
      authorization: `Bearer ${tokenOf(name, account, deps.env)}`,
      accept: 'application/vnd.github+json',
      'x-github-api-version': '2022-11-28',
      'user-agent': 'pictify-keys',
    }
    return requests({ method, path, headers, body, repeatable: true }, signal)
  }

  /** GitHub's own sentence, without what it may repeat of ours. */
  function said({ status, text }: HttpAnswer): string {
    const message = field(text, 'message')
      ?.split('\n')[0]
      ?.replace(/\p{Cc}/gu, ' ')
      .slice(0, 160)
    const secrets = [...deps.secrets(), new Secret(account.token ?? '')]
    return message ? `${status}: ${redact(message, secrets)}` : String(status)
  }

  async function refused(answer: StoreAnswer, { path, thing }: GitHubRequest, signal: AbortSignal) {
    const { status, headers } = answer
    const refuse = (message: string, hint: string) => ({ code: 'target-refused' as const, message, hint })
    const waitMs = throttledMs(answer, deps.clock.now())
    if (waitMs !== undefined) {
      const until = new Date(deps.clock.now() + waitMs).toISOString().replace(/\.\d+/, '')
      return {
        code: 'target-failed' as const,
        message: `${host} takes no more requests of this token until ${until} (${status})`,
        hint: 'run the same command again then',
      }
    }
    if ([301, 302, 307, 308].includes(status)) {
      const now = await newName(answer, signal)
      if (now === undefined) return refuse(`${thing} has moved`, 'see in a browser what it is called by now')
      return refuse(`${thing} is called ${now} by now`, `name it so: --to github:${now}…`)
    }
    if (status === 401)
      return refuse(`${host} does not take the token in ${variable} (${said(answer)})`, renew)
    const signOn = /(?:^|[;\s])url=(https:\/\/[^\s;,]+)/.exec(headers.get('x-github-sso') ?? '')?.[1]
    if (status === 403 && signOn) {
      const message = `the token in ${variable} is not authorized for the organization's single sign-on`
      return refuse(message, `authorize it within the hour at ${signOn}`)
    }
    if (status === 403) {
      const message = `the token in ${variable} is not allowed to ask for ${path} (${said(answer)})`
      // what a workflow is given has this prefix, as have the tokens of all apps
      const isApps = account.token?.startsWith('ghs_') === true
      const workflow =
        "; a workflow's own GITHUB_TOKEN can never touch secrets: give it the token of an app or a person"
      return refuse(message, `it needs ${needs}${isApps ? workflow : ''}`)
    }
    if (status === 404) {
      const message = `there is no ${thing}, or the token in ${variable} may not see it (404)`
      return refuse(message, `check how it is spelt, and that the token has ${needs}`)
    }
    if (status === 422) return refuse(`GitHub refuses what it was sent (${said(answer)})`, 'see what it says')
    return {
      code: 'target-failed' as const,
      message: `${host} answered ${said(answer)}`,
      hint: 'see whether GitHub is in order, then run the same command again',
    }
  }

  /** What a repository is called that is no more where it was: GitHub gives its number, which stays. */
  async function newName(answer: HttpAnswer, signal: AbortSignal): Promise<string | undefined> {
    const location = answer.headers.get('location') ?? field(answer.text, 'url') ?? ''
    const number = location.startsWith(`${apiUrl}/`) ? /\/repositories\/(\d+)/.exec(location)?.[1] : undefined
    if (number === undefined) return undefined
    return field((await send({ method: 'GET', path: `/repositories/${number}` }, signal)).text, 'full_name')
  }

  return {
    async ask(request, signal) {
      const answer = await send(request, signal)
      const { status } = answer
      if (status < 300 || request.also?.includes(status)) return answer
      const { code, message, hint } = await refused(answer, request, signal)
      const isUnclear = request.method !== 'GET' && (answer.maybeDone || status >= 500)
      throw new KeysError(isUnclear ? 'target-unclear' : code, `${name}: ${message}`, { hint })
    },
  }
}

/**
 * How long GitHub asks to wait: its limits are told by 403 as well as 429, with `Retry-After`, with the second at which
 * the hour is over, or without either. Undefined: this answer is no limit.
 */
function throttledMs({ status, headers, text }: HttpAnswer, now: number): number | undefined {
  if (status !== 403 && status !== 429) return undefined
  const there = Date.parse(headers.get('date') ?? '')
  const at = Number.isNaN(there) ? now : there
  const asked = retryAfterMs(headers.get('retry-after'), at)
  if (asked !== undefined) return asked
  const reset = Number(headers.get('x-ratelimit-reset') ?? Number.NaN) * 1_000
  if (headers.get('x-ratelimit-remaining') === '0' && !Number.isNaN(reset)) return Math.max(1_000, reset - at)
  return status === 429 || /rate limit/i.test(field(text, 'message') ?? '') ? unsaidPauseMs : undefined
}

/** A text of a JSON object; undefined where there is none of that name. */
export function field(text: string, key: string): string | undefined {
  const value = object(text)?.[key]
  return typeof value === 'string' ? value : undefined
}

/** A JSON object; undefined for anything else. */
export function object(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
