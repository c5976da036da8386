// Rules of this file:
// - nothing is read from the process: what the command line takes from its environment is a parameter here;
// - a client remembers the credential it was made with, which rotate() needs and nobody else can ask for;
// - Keys and Client are written out, not derived from api/contract.ts: library.d.ts would show what is ours alone, and its words.
import { randomUUID } from 'node:crypto'
import { defaultBaseUrl, parseBaseUrl } from '../api/base-url.ts'
import { createClient as createApiClient } from '../api/client.ts'
import type {
  AuditEvent,
  CallOptions,
  Client as ApiClient,
  Key,
  KeyAccess,
  KeyFilter,
  KeyType,
  Minted,
  Plan,
  ProbeAnswer,
  RateLimit,
  Usage,
  Wait,
} from '../api/contract.ts'
import { systemClock } from '../clock.ts'
import { KeysError } from '../errors.ts'
import { createTransport, type Transport } from '../http.ts'
import { answersTo } from '../rotation/marked-name.ts'
import { parseSecret, Secret } from '../secret.ts'

/** Put in by the build. */
declare const PICTIFY_KEYS_VERSION: string

/** How a client is made. */
export interface ClientOptions {
  /** An admin key of the team: its text (`pk_live_…`), or a `Secret`. */
  credential: string | Secret
  /** `https://api.pictify.io` by default; a path prefix is kept. */
  baseUrl?: string | undefined
  /** Allows `http://` to another machine than this: the credential then travels in clear. */
  insecureHttp?: boolean | undefined
  /** A PEM file of certificate authorities to trust besides those that Node trusts. */
  caFile?: string | undefined
  /**
   * The environment: where proxies are named (`HTTPS_PROXY`, `NO_PROXY`), where targets find their own login
   * (`VAULT_ADDR`, `AWS_PROFILE`, `KUBECONFIG`, …), and what commands (`exec:` targets, `verify`) get, without the
   * credential. Nothing of the process is read: pass `process.env` to have what the command line has. Empty by default.
   */
  env?: Readonly<Record<string, string | undefined>> | undefined
  /** The team's plan, where its rate limit does not tell. */
  plan?: Plan | undefined
  /** How long one attempt of one request may take, in milliseconds: connecting, headers and body. 30,000 by default. */
  timeoutMs?: number | undefined
  /** How often a request is repeated after a 5xx or a broken connection. 3 by default. */
  retries?: number | undefined
  /** The longest a call waits for a rate limit before it fails with `rate-limit`, in milliseconds. 60,000 by default. */
  maxWaitMs?: number | undefined
  /** Told of every wait before it begins: for the rate limit, and before a repetition. What it throws is ignored. */
  onWait?: ((wait: Wait) => void) | undefined
  /** Called with one line a request: method, path, status, time taken, attempt. Never a secret. What it throws is ignored. */
  debug?: ((line: string) => void) | undefined
}

/** The keys of the team. Every call may throw what the wire and the account say: see `KeysError`. */
export interface Keys {
  /** Every key, newest first, page by page to the end. */
  list(filter?: KeyFilter, options?: CallOptions): AsyncIterable<Key>
  /** One key by its id. Throws `api-key-not-found`. */
  get(id: string, options?: CallOptions): Promise<Key>
  /** By id or exact name, active keys before revoked ones. Throws `api-key-not-found`, or `ambiguous-key` with the ids. */
  find(idOrName: string, options?: CallOptions): Promise<Key>
  /**
   * Creates a key. Its secret is in the answer and nowhere else, ever: keep it in `onSecret`, which is called (and
   * awaited) as soon as the secret is read. `timed-out` says that a key may have been created all the same; the same call
   * with the same `idempotencyKey` (any text of your own; a random one by default) then finds out.
   */
  create(
    input: { name: string; type: KeyType; access?: KeyAccess | undefined },
    options?: CallOptions & {
      idempotencyKey?: string | undefined
      onSecret?: ((secret: Secret) => void | Promise<void>) | undefined
    },
  ): Promise<Minted>
  /** Gives a key another name, 1 to 100 characters. Throws `invalid-name`, `api-key-not-found`. */
  rename(id: string, name: string, options?: CallOptions): Promise<Key>
  /** Stops a key from working, at once and for good; on a revoked key the same answer. Throws `api-key-not-found`. */
  revoke(id: string, options?: CallOptions): Promise<Key>
  /** Removes a revoked key from the account. Throws `api-key-active`, `api-key-not-found`. */
  delete(id: string, options?: CallOptions): Promise<void>
  /** What a key did: requests, errors and latency of the last day, week and month. Throws `api-key-not-found`. */
  usage(id: string, options?: CallOptions): Promise<Usage>
}

/** One team's account. Connections are kept alive, and hold no process that has nothing else to do. */
export interface Client {
  /** With no slash at its end. */
  readonly baseUrl: string
  readonly keys: Keys
  /** Who did what with which key, newest first. `since` and `until` are ISO 8601. Not every plan keeps a log. */
  auditLogs(
    filter?: { keyId?: string | undefined; since?: string | undefined; until?: string | undefined },
    options?: CallOptions,
  ): AsyncIterable<AuditEvent>
  /** Whether the API takes a secret at this moment. One request, no retries; it throws for nothing but an abort. */
  probe(secret: Secret, options?: CallOptions): Promise<ProbeAnswer>
  /** What the last answer said of the credential's rate limit; undefined before the first. */
  readonly rateLimit: RateLimit | undefined
  /** As it was given, or read off the rate limit; undefined while neither is known. */
  readonly plan: Plan | undefined
  /** Drops every connection at once. A call that is made later opens new ones. */
  close(): Promise<void>
}

/** What rotate() needs of a client besides the client. */
export interface Access {
  api: ApiClient
  credential: Secret
  env: Readonly<Record<string, string | undefined>>
  insecureHttp: boolean
  debug: (line: string) => void
}

const accesses = new WeakMap<Client, Access>()

/** Throws `usage` for what createClient() did not make. */
export function accessOf(client: Client): Access {
  const access = accesses.get(client)
  if (access !== undefined) return access
  throw new KeysError('usage', 'that is no client of pictify-keys', {
    hint: 'give what createClient() returned',
  })
}

/**
 * A client of the API with an admin key as its credential. Nothing is sent before the first call. Throws
 * `invalid-secret` for what cannot be a key, `invalid-url` and `insecure-url` for the base URL. That the API does not take
 * the credential shows in a call: `invalid-api-key`, `insufficient-permissions`.
 */
export function createClient(options: ClientOptions): Client {
  const { env = {}, insecureHttp = false, caFile } = options
  const debug = harmless(options.debug)
  const credential = secretOf(options.credential, 'the credential')
  const baseUrl = parseBaseUrl(options.baseUrl ?? defaultBaseUrl, { insecureHttp })
  let transport: Promise<Transport> | undefined
  const api = createApiClient({
    fetch: async (url, init) => (await (transport ??= createTransport(env, { caFile }))).fetch(url, init),
    baseUrl,
    credential,
    version: PICTIFY_KEYS_VERSION,
    answersTo,
    plan: options.plan,
    timeoutMs: options.timeoutMs,
    retries: options.retries,
    maxWaitMs: options.maxWaitMs,
    debug,
    onWait: harmless(options.onWait),
    clock: systemClock,
  })
  const { keys } = api
  const client: Client = {
    baseUrl,
    keys: {
      list: (...given) => keys.list(...given),
      get: (...given) => keys.get(...given),
      find: (...given) => keys.find(...given),
      create: (input, { idempotencyKey = randomUUID(), ...rest } = {}) =>
        keys.create(input, { idempotencyKey, ...rest }),
      rename: (...given) => keys.rename(...given),
      revoke: (...given) => keys.revoke(...given),
      delete: (...given) => keys.delete(...given),
      usage: (...given) => keys.usage(...given),
    },
    auditLogs: (filter, callOptions) => api.auditLogs(filter, callOptions),
    probe: (secret, callOptions) => api.probe(secret, callOptions),
    get rateLimit() {
      return api.rateLimit
    },
    get plan() {
      return api.plan
    },
    async close() {
      const opened = transport
      transport = undefined
      await (await opened)?.close()
    },
  }
  accesses.set(client, { api, credential, env, insecureHttp, debug })
  return client
}

/** A caller's listener that stops nothing: a request that it cut short might be done, and its answer lost. */
function harmless<T>(listener: ((heard: T) => void) | undefined): (heard: T) => void {
  return (heard) => {
    try {
      listener?.(heard)
    } catch {
      // Whose call it was is nobody's to say: many may go on at once.
    }
  }
}

/** A secret as a caller gives it. Throws `invalid-secret`. */
export function secretOf(given: string | Secret, what: string): Secret {
  if (given instanceof Secret) return given
  if (typeof given === 'string') return parseSecret(given, what)
  throw new KeysError('invalid-secret', `${what}: there is none`, {
    hint: 'give the text of an admin key, or a Secret of it',
  })
}
