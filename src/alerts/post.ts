// Rules of this file:
// - what may pass by itself (5xx, 408, 429, no connection, no answer) is tried again, after a pause; a refusal is not;
// - a redirect is not followed; no URL beyond its host, no header and no body is in an error.
import { RequestFailure } from '../connection-failure.ts'
import { formatDuration } from '../duration.ts'
import { KeysError } from '../errors.ts'
import { attempt, isLoopback, type Fetch, type HttpAnswer } from '../http.ts'
import type { Clock } from '../clock.ts'
import { NotifierRefusal } from './notifier.ts'

const attempts = 4
/** Slack answers within 3 s; others are to as well. */
const attemptMs = 10_000
const firstPauseMs = 500

export interface PostDeps {
  fetch: Fetch
  clock: Clock
  /** 0 up to 1. */
  random: () => number
  userAgent: string
  debug: (line: string) => void
}

export interface Post {
  /** The notifier's name. */
  name: string
  url: string
  body: string
  /** Made for every attempt: they may hold the time. */
  headers: () => Record<string, string>
}

/** Throws NotifierRefusal for what it answers for good, and what `attempt` throws where it does not answer. */
export async function post(
  { name, url, body, headers }: Post,
  { fetch, clock, random, userAgent, debug }: PostDeps,
  signal: AbortSignal,
): Promise<void> {
  for (let count = 1; ; count += 1) {
    const all = { 'content-type': 'application/json', 'user-agent': userAgent, ...headers() }
    const outcome = await attempt(
      fetch,
      { method: 'POST', url, headers: all, body },
      attemptMs,
      signal,
    ).catch((error: unknown) => {
      if (error instanceof RequestFailure) return error
      throw error
    })
    const isFailure = outcome instanceof RequestFailure
    debug(`notifier ${name}: ${isFailure ? outcome.message : outcome.status} attempt ${count}`)
    if (!isFailure && outcome.status >= 200 && outcome.status < 300) return
    const passes = isFailure ? outcome.transient : mayPass(outcome.status)
    if (!passes || count === attempts) throw isFailure ? outcome : refused(url, outcome, count)
    const backoffMs = firstPauseMs * 2 ** (count - 1)
    const pauseMs =
      (isFailure ? undefined : retryAfterMs(outcome, clock.now())) ?? backoffMs * (0.5 + random() / 2)
    debug(`notifier ${name}: waiting ${formatDuration(pauseMs)}`)
    await clock.sleep(pauseMs, signal)
  }
}

function mayPass(status: number): boolean {
  return status >= 500 || status === 429 || status === 408
}

function refused(url: string, { status, text }: HttpAnswer, count: number): KeysError {
  const { host } = new URL(url)
  // Slack says in a word what is wrong: no_service, channel_is_archived
  const word = /^[a-z][a-z_]{2,40}$/.test(text.trim()) ? `: ${text.trim()}` : ''
  const often = count > 1 ? `, ${count} times` : ''
  const what = status >= 300 && status < 400 ? ', which leads elsewhere and is not followed' : ''
  const message = `${host} answered ${status}${word}${often}${what}`
  const hint = 'is its URL still the right one? the receiver may say more'
  return mayPass(status)
    ? new KeysError('notifier-failed', message, { hint })
    : new NotifierRefusal(message, { hint })
}

/** Undefined where it does not say. */
function retryAfterMs({ headers }: HttpAnswer, now: number): number | undefined {
  const text = headers.get('retry-after')?.trim()
  if (text === undefined) return undefined
  if (/^\d+$/.test(text)) return Number(text) * 1_000
  const at = Date.parse(text)
  return Number.isNaN(at) ? undefined : Math.max(0, at - now)
}

/** The URL of a variable; its text is in no error. Throws `notifier-failed`. */
export function readUrl(variable: string, text: string, insecureHttp: boolean): string {
  const refuse = (what: string, hint: string) =>
    new KeysError('notifier-failed', `${variable} ${what}`, { hint })
  const url = URL.canParse(text.trim()) ? new URL(text.trim()) : undefined
  if (url === undefined || !['https:', 'http:'].includes(url.protocol)) {
    throw refuse('is not a URL', 'it is to begin with https://')
  }
  if (url.username !== '' || url.password !== '') {
    throw refuse('has a user or a password in it, which are not sent', 'take them out; sign with secretEnv')
  }
  if (url.protocol === 'http:' && !insecureHttp && !isLoopback(url.hostname)) {
    throw refuse('is plain http to another machine', 'use https, or allow it with --insecure-http')
  }
  url.hash = ''
  return url.href
}
