// Rules of this file:
// - it is how a request comes in and an answer goes out, and the only file that knows the web framework;
// - every answer goes out by `send`, so that none lacks its rate limit headers;
// - between looking an idempotency key up and remembering its answer nothing is awaited: two at once are one.
import { isIP } from 'node:net'
import { Hono, type Context as HonoContext } from 'hono'
import type { Clock } from '../clock.ts'
import type { Account } from './account.ts'
import { refuseWith, replyWith, textOf, type Answer, type Reply } from './answers.ts'
import { readBody, readIdempotencyKey } from './input.ts'
import type { KeyRecord } from './keys.ts'
import { Problem } from './problem.ts'
import type { Quirks } from './quirks.ts'
import type { Random } from './random.ts'
import type { RateState } from './rate-limits.ts'
import type { Part } from './parts.ts'
import { createRoutes, type Route } from './routes.ts'

const largestBody = 1024 * 1024

/** One request on its way through: what the edge tells the app, and what the app finds out. */
export interface Exchange {
  readonly quirks: Quirks
  readonly ip: string
  /** The key that was accepted. */
  keyId?: string
}

interface AppOptions {
  account: Account
  clock: Clock
  random: Random
  /** Makes what has happened last, before an answer says that it has happened. */
  save: () => Promise<void>
  saveSoon: () => void
  without?: readonly Part[] | undefined
}

type Env = { Bindings: Exchange }
type Context = HonoContext<Env>

/** The API as the contract has it; `fetch(request, exchange)` answers one request. */
export function createApp({ account, clock, random, save, saveSoon, without = [] }: AppOptions): Hono<Env> {
  const app = new Hono<Env>()
  const { usage, audit, rates } = account
  const ids = random.fork('requests')

  const send = (c: Context, reply: Reply, rate: RateState): Response => {
    const headers = {
      ...reply.headers,
      'X-RateLimit-Limit': String(rate.limit),
      'X-RateLimit-Remaining': String(rate.remaining),
      'X-RateLimit-Reset': String(Math.ceil((rate.resetAt + c.env.quirks.skewMs) / 1_000)),
      'X-Request-Id': `req_${ids.text(16, 'lower')}`,
      'Cache-Control': 'no-store',
    }
    if (reply.body === undefined) return new Response(null, { status: reply.status, headers })
    const body = textOf(reply.body, c.env.quirks)
    return new Response(body, { status: reply.status, headers: { ...headers, 'Content-Type': reply.type } })
  }
  const refuse = (c: Context, problem: Problem): Response =>
    send(c, refuseWith(problem, c.req.path, c.env.quirks), rates.unused(clock.now()))

  /** From the credential to the answer; all that is refused on the way is thrown. */
  const answer = async (c: Context, route: Route, rate: (state: RateState) => void): Promise<Reply> => {
    const { quirks } = c.env
    const now = clock.now()
    const key = authenticate(account, c.req.header('Authorization'))
    c.env.keyId = key.id
    const state = rates.take(key.id, now)
    rate(state)
    if (state.exceeded) throw rateLimited(state, now)
    if (!route.access.includes(key.access)) {
      const detail = `An API key with ${key.access} access is not allowed to do this.`
      throw new Problem('insufficient-permissions', detail)
    }
    usage.settle(now)
    const body = async () => readBody(c.req.header('Content-Type'), await readText(c.req.raw))
    let replayed = false
    const once = async (work: (body: Record<string, unknown>) => Answer): Promise<Answer> => {
      const idempotencyKey = readIdempotencyKey(c.req.header('Idempotency-Key'))
      const input = await body()
      if (idempotencyKey === undefined || quirks.ignoreIdempotency) return work(input)
      const { result, isNew } = rememberOnce(account, `${c.req.path} ${idempotencyKey}`, input, now, work)
      replayed = !isNew
      return result
    }
    const id = c.req.param('id') ?? ''
    const result = await route.handle({
      key,
      now,
      quirks,
      id,
      query: (name) => c.req.query(name),
      body,
      once,
    })
    if (route.changes) await save()
    const reply = replyWith(result, quirks)
    return replayed ? { ...reply, headers: { ...reply.headers, 'Idempotency-Replayed': 'true' } } : reply
  }

  const call = async (c: Context, route: Route): Promise<Response> => {
    const began = performance.now()
    let rate = rates.unused(clock.now())
    let reply: Reply
    try {
      reply = await answer(c, route, (state) => (rate = state))
    } catch (error) {
      reply = refuseWith(problemOf(error), c.req.path, c.env.quirks)
    }
    const { keyId, quirks } = c.env
    if (keyId !== undefined) {
      const at = clock.now()
      const { status } = reply
      const { path: endpoint, method } = c.req
      const country = quirks.country ?? (/^[A-Z]{2}$/.exec(c.req.header('CF-IPCountry') ?? '')?.[0] || 'XX')
      const forwarded = c.req.header('CF-Connecting-IP') ?? ''
      const ip = isIP(forwarded) ? forwarded : c.env.ip
      const userAgent = c.req.header('User-Agent') ?? ''
      usage.record({ keyId, at, failed: status >= 400, latencyMs: performance.now() - began, country })
      audit.add({ at, action: 'api.request', keyId, endpoint, method, status, ip, userAgent })
      saveSoon()
    }
    return send(c, reply, rate)
  }

  const allowed = new Map<string, string[]>()
  for (const route of createRoutes(account, random)) {
    if (route.part !== undefined && without.includes(route.part)) continue
    app.on(route.method, route.path, (c) => call(c, route))
    allowed.set(route.path, [...(allowed.get(route.path) ?? []), route.method])
  }
  for (const [path, methods] of allowed) {
    const headers = { Allow: methods.join(', ') }
    const detail = `Only ${headers.Allow} can be used here.`
    app.all(path, (c) => refuse(c, new Problem('method-not-allowed', detail, { headers })))
  }
  app.notFound((c) => refuse(c, new Problem('not-found', `There is nothing at ${c.req.path}.`)))
  app.onError((error, c) => refuse(c, problemOf(error)))
  return app
}

/** The body, up to 1 MiB. The framework's own limit makes a new Request, which the adapter's does not bear. */
async function readText({ headers, body }: Request): Promise<string> {
  const tooLarge = () => new Problem('payload-too-large', 'The body is larger than 1 MiB.')
  if (Number(headers.get('Content-Length') ?? 0) > largestBody) throw tooLarge()
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.length
    if (size > largestBody) throw tooLarge()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function authenticate(account: Account, header: string | undefined): KeyRecord {
  const headers = { 'WWW-Authenticate': 'Bearer' }
  const secret = /^Bearer +(\S+) *$/i.exec(header ?? '')?.[1]
  if (secret === undefined) {
    throw new Problem('missing-auth', 'Send your API key as "Authorization: Bearer <key>".', { headers })
  }
  const key = account.authenticate(secret)
  if (!key) throw new Problem('invalid-api-key', 'The API key is invalid or has been revoked.', { headers })
  return key
}

function rateLimited({ limit, resetAt, exceeded }: RateState, now: number): Problem {
  const what =
    exceeded === 'day' ? 'The requests of this day are used up.' : `The limit is ${limit} requests a minute.`
  const retryAfter = Math.max(1, Math.ceil((resetAt - now) / 1_000))
  return new Problem('rate-limit', `${what} Try again in ${retryAfter} s.`, { retryAfter })
}

/** The earlier answer to the same request, or the work's own; refusals are not remembered. Awaits nothing. */
function rememberOnce(
  { memory }: Account,
  place: string,
  body: Record<string, unknown>,
  now: number,
  work: (body: Record<string, unknown>) => Answer,
): { result: Answer; isNew: boolean } {
  const request = JSON.stringify(Object.entries(body).sort(([a], [b]) => (a < b ? -1 : 1)))
  const earlier = memory.find(place, now)
  if (earlier && earlier.request !== request) {
    throw new Problem('idempotency-key-reused', 'This Idempotency-Key was used with another request body.')
  }
  if (earlier) return { result: earlier.answer, isNew: false }
  const result = work(body)
  memory.add(place, { request, at: now, answer: result })
  return { result, isNew: true }
}

/** What the sandbox cannot do for a reason of its own (a full disk) is a 500 that says why. */
function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error
  return new Problem('internal-error', error instanceof Error ? error.message : String(error))
}
