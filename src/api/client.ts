// Rules of this file:
// - it is the contract of contract.ts over HTTP; above it nobody knows a path or an envelope;
// - a minted secret is handed over before anything else of the answer is looked at.
import { type Clock, systemClock } from '../clock.ts'
import { KeysError } from '../errors.ts'
import type { Fetch, HttpAnswer } from '../http.ts'
import { redact, type Secret } from '../secret.ts'
import { readAuditLogPages } from './audit-logs.ts'
import { findSecret, readJson, readOne, readPage, unreadable } from './answer.ts'
import type {
  AuditLogFilter,
  CallOptions,
  Client,
  Key,
  KeyFilter,
  Keys,
  Plan,
  RateLimit,
  Wait,
} from './contract.ts'
import { findKey } from './key-lookup.ts'
import { checkName } from './name.ts'
import { findOwner } from './owner.ts'
import { flat, type PagesOptions, readByPage, readPages } from './pages.ts'
import { readRateLimit } from './pace.ts'
import { path, query } from './path.ts'
import { createLimits, type Limits, probeOnce } from './probe.ts'
import { looksLikeHtml } from './problem.ts'
import { auditEventSchema, isPlainAuditEvent, isPlainKey, keySchema, usageSchema } from './schemas.ts'
import { type Call, createSender } from './sender.ts'

export interface ClientOptions {
  /** What sends: `createTransport(…).fetch`, or in tests the global fetch looked up at call time. */
  fetch: Fetch
  /** As `parseBaseUrl` gives it. */
  baseUrl: string
  credential: Secret
  /** Of pictify-keys, for `User-Agent`. */
  version: string
  clock?: Clock
  /** 0 up to 1, as Math.random, for the jitter of back-offs. */
  random?: () => number
  /** One line a request: method, path, status, time taken, attempt. Never a secret. */
  debug?: (line: string) => void
  /** Told of every wait before it begins: for the rate limit, and before a repetition. */
  onWait?: ((wait: Wait) => void) | undefined
  /** As the user set it; else it is read off the rate limit. */
  plan?: Plan | undefined
  /** Whether a key of this name answers to a further one as well (a marked successor to its plain name). */
  answersTo?: ((keyName: string, wanted: string) => boolean) | undefined
  /** For one attempt: connecting, headers and body. Default 30 s. */
  timeoutMs?: number | undefined
  /** After 5xx and broken connections. Default 3. */
  retries?: number | undefined
  /** The longest a call waits for a rate limit before it fails with `rate-limit`. Default 60 s. */
  maxWaitMs?: number | undefined
}

/** A full page is the most the API gives. */
const pageSize = 100
const pagesInFlight = 6
const clockSetMs = 2_000

const plans: Readonly<Record<number, Plan>> = { 60: 'free', 300: 'pro', 1_000: 'business' }

/** What every credential of one server shares. */
interface Server {
  skewMs: number | undefined
  clockSetAt: number | undefined
  limits: Limits
}

export function createClient(options: ClientOptions): Client {
  return clientOf(options, { skewMs: undefined, clockSetAt: undefined, limits: createLimits() })
}

function clientOf(options: ClientOptions, server: Server): Client {
  const { clock = systemClock, credential, timeoutMs = 30_000 } = options
  let rateLimit: RateLimit | undefined

  const apiNow = () => clock.now() + (server.skewMs ?? 0)

  function noteTime({ headers }: HttpAnswer): void {
    const skewMs = Date.parse(headers.get('date') ?? '') - clock.now()
    if (Number.isNaN(skewMs)) return
    // Cut to the second and a little late, a header shows the API's clock too early by up to that much, never too
    // late: the greatest of them is nearest. One that is much less means that a clock was set.
    const known = server.skewMs ?? -Infinity
    const wasSet = Math.abs(skewMs - known) > clockSetMs
    if (wasSet && server.skewMs !== undefined) server.clockSetAt = clock.now()
    if (skewMs > known || wasSet) server.skewMs = skewMs
  }

  const shared = {
    fetch: options.fetch,
    baseUrl: options.baseUrl,
    userAgent: `pictify-keys/${options.version}`,
    clock,
    random: options.random ?? Math.random,
    debug: options.debug ?? (() => {}),
    onWait: options.onWait ?? (() => {}),
    timeoutMs,
    retries: options.retries ?? 3,
    maxWaitMs: options.maxWaitMs ?? 60_000,
    apiNow,
  }
  const { send } = createSender({
    ...shared,
    credential,
    rateLimit: () => rateLimit,
    onAnswer(answer) {
      noteTime(answer)
      rateLimit = readRateLimit(answer) ?? rateLimit
    },
  })

  const keyPages = (
    { type, status }: KeyFilter = {},
    { signal, patient }: CallOptions = {},
  ): PagesOptions<Key> => ({
    fetch: async (page, either) => {
      const what = 'listing keys'
      const parameters = query({ page, limit: pageSize, type, status })
      const answer = await send({ what, method: 'GET', path: `/api-keys${parameters}`, patient }, either)
      return readPage(what, answer, ['apiKeys', 'keys'], keySchema, isPlainKey)
    },
    identity: (key) => key.id,
    inFlight: pagesInFlight,
    signal,
  })

  const keys: Keys = {
    list: (filter, callOptions) => readPages(keyPages(filter, callOptions)),

    listByPage: (filter, callOptions) => readByPage(keyPages(filter, callOptions)),

    async get(id, { signal } = {}) {
      const what = about('reading the key', id)
      const answer = await send({ what, method: 'GET', path: path`/api-keys/${id}`, namesKey: true }, signal)
      return readKey(what, answer)
    },

    find: (idOrName, callOptions) => findKey(keys, idOrName, options.answersTo, apiNow, callOptions),

    async create(input, { idempotencyKey, onSecret, signal }) {
      checkName(input.name)
      const what = 'creating a key'
      const answer = await send(
        { what, method: 'POST', path: '/api-keys', body: input, idempotencyKey },
        signal,
      )
      const secret = findSecret(answer)
      if (secret === undefined) {
        readJson(what, answer)
        throw unreadable(
          what,
          answer,
          'there is no secret in it, so a key was probably created that nobody can use',
        )
      }
      await onSecret?.(secret)
      return { secret, apiKey: readable(() => readKey(what, answer)) }
    },

    async rename(id, name, { signal } = {}) {
      checkName(name)
      const call: Call = {
        what: about('renaming the key', id),
        method: 'PUT',
        path: path`/api-keys/${id}`,
        body: { name },
        namesKey: true,
      }
      return change(id, call, (key) => key.name === name, signal)
    },

    async revoke(id, { signal } = {}) {
      const what = about('revoking the key', id)
      const call: Call = { what, method: 'POST', path: path`/api-keys/${id}/revoke`, namesKey: true }
      return change(id, call, (key) => key.status === 'revoked', signal)
    },

    async delete(id, { signal } = {}) {
      // `{"deleted": true}`, `{"message"}` and 204 are all seen: the status says it
      const what = about('deleting the key', id)
      const answer = await send(
        { what, method: 'DELETE', path: path`/api-keys/${id}`, namesKey: true },
        signal,
      )
      if (looksLikeHtml(answer)) readJson(what, answer)
    },

    async usage(id, { signal, patient } = {}) {
      const what = about('reading the usage of the key', id)
      const answer = await send(
        { what, method: 'GET', path: path`/api-keys/${id}/usage`, namesKey: true, patient },
        signal,
      )
      return readOne(what, answer, ['usage'], usageSchema)
    },
  }

  /** Where the answer shows no key, it may be a message alone, or of something else than the API: the key tells. */
  async function change(
    id: string,
    call: Call,
    isDone: (key: Key) => boolean,
    signal: AbortSignal | undefined,
  ): Promise<Key> {
    const answer = await send(call, signal)
    const shown = readable(() => readKey(call.what, answer))
    if (shown !== undefined) return shown
    const key = await keys.get(id, { signal })
    if (isDone(key)) return key
    readJson(call.what, answer)
    throw unreadable(call.what, answer, 'it does not show the key, which is as it was')
  }

  const auditLogPages = (
    { keyId, since, until }: AuditLogFilter,
    inFlight: number,
    { signal, patient, onTotal }: Parameters<Client['auditLogsByPage']>[1] = {},
  ) =>
    readAuditLogPages({
      fetch: async (page, either) => {
        const what = 'reading the audit log'
        const parameters = query({ keyId, since, until, page, limit: pageSize })
        const answer = await send({ what, method: 'GET', path: `/audit-logs${parameters}`, patient }, either)
        const read = readPage(what, answer, ['auditLogs', 'events'], auditEventSchema, isPlainAuditEvent)
        if (read.pagination.total !== undefined) onTotal?.(read.pagination.total)
        return read
      },
      pageSize,
      inFlight,
      signal,
    })

  const auditLogs: Client['auditLogs'] = (filter = {}, callOptions) =>
    flat(auditLogPages(filter, 1, callOptions))

  const probe = (secret: Secret, userAgent: string, signal?: AbortSignal) =>
    probeOnce({ ...shared, userAgent, onAnswer: noteTime }, server.limits, secret, signal)

  return {
    baseUrl: options.baseUrl,
    keys,

    auditLogs,
    auditLogsByPage: (filter, callOptions) => auditLogPages(filter, pagesInFlight, callOptions),
    probe: (secret, { signal } = {}) => probe(secret, shared.userAgent, signal),

    whose: (secret, { signal } = {}) =>
      findOwner({
        clock,
        apiNow,
        call: (mark) => probe(secret, `${shared.userAgent} (${mark})`, signal),
        auditLogs,
        signal,
      }),

    now: apiNow,
    get clockSkewMs() {
      return server.skewMs
    },
    get clockSetAt() {
      return server.clockSetAt
    },
    get rateLimit() {
      return rateLimit
    },
    get plan() {
      return options.plan ?? (rateLimit && plans[rateLimit.limit])
    },
    as: (other) => clientOf({ ...options, credential: other }, server),
  }
}

/** What is done to which key; what was given as its id may be anything. */
function about(what: string, id: string): string {
  return `${what} ${redact(id)}`
}

function readKey(what: string, answer: HttpAnswer): Key {
  return readOne(what, answer, ['apiKey', 'key'], keySchema)
}

/** What was read, or undefined where the answer cannot be read. */
function readable<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof KeysError) return undefined
    throw error
  }
}
