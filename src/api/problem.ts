// Rules of this file:
// - every way in which the API says no is read here, and becomes one KeysError;
// - what the API wrote is stripped of control characters, cut to a length, and redacted before it is repeated.
import { type ErrorCode, KeysError } from '../errors.ts'
import type { HttpAnswer } from '../http.ts'
import { redact, type Secret } from '../secret.ts'

export interface Refusal {
  /** What was being done, for people: `listing keys`. */
  what: string
  /** The method and path of it. */
  call: string
  /** Whether a 404 is about the key named in the path. */
  namesKey: boolean
  answer: HttpAnswer
  /** Now by the API's clock, Unix milliseconds. */
  now: number
  secrets: readonly Secret[]
}

/** The slugs of problem types and the `code`s of other envelopes, in all spellings seen, lower case with dashes. */
const codes: Readonly<Record<string, ErrorCode>> = {
  'invalid-api-key': 'invalid-api-key',
  'missing-auth': 'invalid-api-key',
  'missing-authorization': 'invalid-api-key',
  unauthorized: 'invalid-api-key',
  'insufficient-permissions': 'insufficient-permissions',
  forbidden: 'insufficient-permissions',
  'rate-limit': 'rate-limit',
  'rate-limit-exceeded': 'rate-limit',
  'quota-exceeded': 'quota-exceeded',
  'key-limit-reached': 'key-limit-reached',
  'validation-error': 'validation-error',
  'idempotency-key-reused': 'idempotency-key-reused',
  'api-key-not-found': 'api-key-not-found',
  'api-key-active': 'api-key-active',
  'api-key-revoked': 'api-key-revoked',
}

const hints: Readonly<Partial<Record<ErrorCode, string>>> = {
  'invalid-api-key':
    'give an admin key that is active: in PICTIFY_ADMIN_KEY where that is set (it goes first), else by pictify-keys login',
  'insufficient-permissions':
    'use an admin-level key with key management permissions; a team Admin can create one',
  'quota-exceeded': 'wait for the quota to start anew, or upgrade the plan',
  'key-limit-reached':
    'revoke keys that nobody uses (pictify-keys list --unused-for 30d), or upgrade the plan',
  'validation-error': 'correct what the message names',
  'idempotency-key-reused': 'run the command again, so that it asks with a key of its own',
  'api-key-not-found': 'pictify-keys list shows the ids and names',
  'api-key-active': 'revoke it first: pictify-keys revoke',
  'not-an-api': 'is the base URL right?',
}

/** The error of an answer that is not 2xx. */
export function refusal({ what, call, namesKey, answer, now, secrets }: Refusal): KeysError {
  const { status } = answer
  const clean = (text: string) =>
    shorten(
      redact(text, secrets)
        .replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
        .trim(),
    )
  if (status >= 300 && status < 400) {
    return new KeysError('not-an-api', `${what}: ${call} was redirected${redirectTarget(answer, clean)}`, {
      hint: 'redirects are not followed, so that the key goes nowhere else: set the base URL to the right place',
      status,
    })
  }
  const body = fields(answer.text)
  if (body === undefined && looksLikeHtml(answer) && status < 500 && ![401, 402, 429].includes(status)) {
    return new KeysError('not-an-api', `${what}: ${call} answered ${status} with a web page`, {
      hint: hints['not-an-api'],
      status,
    })
  }
  const code = codeOf(body, status, namesKey)
  const said = body === undefined ? '' : clean(sentence(body))
  if (code === 'rate-limit') return rateLimited(what, status, retryAfterMs(answer, body, now), now)
  const message = said === '' ? fallback(code, status, call) : said
  return new KeysError(code, `${what}: ${message}`, {
    hint: hints[code] ?? (status >= 500 ? 'try again later; the fault is on the side of the API' : undefined),
    status,
    retryAfterMs: status >= 500 ? retryAfterMs(answer, body, now) : undefined,
  })
}

function codeOf(body: Fields | undefined, status: number, namesKey: boolean): ErrorCode {
  const said = body === undefined ? undefined : namedCode(body)
  // a quota comes as 402 or 429 and is no rate limit, whatever else the answer calls itself
  if (status === 402 || (status === 429 && said?.includes('quota-exceeded'))) return 'quota-exceeded'
  for (const name of said ?? []) {
    const code = codes[name]
    if (code !== undefined) return code
  }
  if (status === 401) return 'invalid-api-key'
  if (status === 403) return 'insufficient-permissions'
  if (status === 404) return namesKey ? 'api-key-not-found' : 'not-an-api'
  if (status === 429) return 'rate-limit'
  if (status === 400 || status === 422) return 'validation-error'
  return 'api-error'
}

/** The names the answer gives to what happened, most telling first. */
function namedCode(body: Fields): string[] {
  const inner = isFields(body['error']) ? body['error'] : {}
  return [slug(body['type']), body['code'], inner['code'], slug(inner['type']), body['error']].flatMap(
    (name) => (typeof name === 'string' ? [name.toLowerCase().replace(/[_\s]+/g, '-')] : []),
  )
}

function slug(type: unknown): string | undefined {
  return typeof type === 'string'
    ? type
        .replace(/[/#]+$/, '')
        .split(/[/#:]/)
        .at(-1)
    : undefined
}

/** What the answer says in words, with what it says of single fields. */
function sentence(body: Fields): string {
  const inner = isFields(body['error']) ? body['error'] : {}
  const said = [body['detail'], body['message'], inner['message'], body['error'], body['title']].find(
    (text) => typeof text === 'string' && text !== '',
  ) as string | undefined
  const wrong = fieldErrors(body['errors'] ?? inner['errors'])
  return [said?.replace(/\.$/, ''), wrong.join('; ')].filter(Boolean).join(': ')
}

/** `errors` as `[{field, message}]`, as a list of sentences, or as `{ field: message | messages }`. */
function fieldErrors(errors: unknown): string[] {
  if (Array.isArray(errors)) {
    return errors.flatMap((error: unknown) => {
      if (typeof error === 'string') return [error]
      if (!isFields(error)) return []
      const field = [error['field'], error['path'], error['param']].find((name) => typeof name === 'string')
      const message = error['message'] ?? error['msg'] ?? error['code']
      return typeof message === 'string' ? [field === undefined ? message : `${field}: ${message}`] : []
    })
  }
  if (!isFields(errors)) return []
  return Object.entries(errors).map(([field, said]) => `${field}: ${[said].flat().filter(isText).join(', ')}`)
}

/** How long the API asks to wait: `Retry-After` (seconds or a date), the body's `retryAfter`, or the limit's reset. */
function retryAfterMs(answer: HttpAnswer, body: Fields | undefined, now: number): number | undefined {
  const header = answer.headers.get('retry-after')?.trim()
  if (header) {
    const ms = /^\d+(\.\d+)?$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - now
    if (!Number.isNaN(ms)) return Math.max(0, ms)
  }
  const said = Number(body?.['retryAfter'] ?? NaN)
  if (said >= 0) return said * 1_000
  const reset = Number(answer.headers.get('x-ratelimit-reset') ?? NaN)
  return answer.status === 429 && reset > 0 ? Math.max(0, reset * 1_000 - now) : undefined
}

function rateLimited(what: string, status: number, waitMs: number | undefined, now: number): KeysError {
  const until = waitMs === undefined ? undefined : new Date(now + waitMs)
  const when = until === undefined || Number.isNaN(until.getTime()) ? '' : ` until ${until.toISOString()}`
  return new KeysError('rate-limit', `${what}: the rate limit of this key is used up${when}`, {
    hint: `run it again ${when === '' ? 'in a minute' : 'after that'}; the limit is per key and goes with the plan`,
    status,
    retryAfterMs: waitMs,
  })
}

function fallback(code: ErrorCode, status: number, call: string): string {
  if (code === 'invalid-api-key') return 'the API does not accept this key'
  if (code === 'insufficient-permissions') return 'this key may not manage keys'
  if (code === 'api-key-not-found') return 'the API knows no such key'
  if (code === 'quota-exceeded') return "the plan's quota is used up"
  if (code === 'not-an-api') return `nothing is at ${call}`
  return `${call} answered ${status}`
}

function redirectTarget(answer: HttpAnswer, clean: (text: string) => string): string {
  const location = answer.headers.get('location')
  if (location === null || !URL.canParse(location)) return ''
  const { origin, pathname } = new URL(location)
  return ` to ${clean(origin + pathname)}`
}

/** Whether an answer is a web page: of a login form, a gateway, the wrong host. */
export function looksLikeHtml(answer: HttpAnswer): boolean {
  return /\bhtml\b/i.test(answer.headers.get('content-type') ?? '') || /^\s*</.test(answer.text)
}

type Fields = Record<string, unknown>

function fields(text: string): Fields | undefined {
  try {
    const json: unknown = JSON.parse(text)
    return isFields(json) ? json : undefined
  } catch (error) {
    // not JSON is a plain answer: the status alone speaks
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

function shorten(text: string): string {
  return text.length > 300 ? `${text.slice(0, 299)}…` : text
}
