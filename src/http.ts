// Rules of this file:
// - it alone imports undici, and only when a connection is wanted;
// - it knows HTTP and nothing of Pictify; one call is one attempt, and repeating it is for the caller to decide;
// - a redirect is never followed: the credential goes to the host it was meant for, or nowhere;
// - no error of it holds a header or a body.
import { readFile } from 'node:fs/promises'
import type { Agent, Dispatcher } from 'undici'
import { connectionFailure, lostAnswer } from './connection-failure.ts'
import { KeysError } from './errors.ts'

interface FetchInit {
  method: string
  headers: Record<string, string>
  body?: string | undefined
  signal: AbortSignal
  redirect: 'manual'
}

interface FetchAnswer {
  readonly status: number
  readonly headers: { get(name: string): string | null }
  text(): Promise<string>
}

/** What is asked of a `fetch`; the global one will do. */
export type Fetch = (url: string, init: FetchInit) => Promise<FetchAnswer>

export interface HttpRequest {
  method: string
  url: string
  headers: Record<string, string>
  body?: string | undefined
}

export interface HttpAnswer {
  readonly status: number
  readonly headers: { get(name: string): string | null }
  readonly text: string
}

/**
 * One attempt: connecting, sending, headers and body, all within `timeoutMs` of real time (a body that drips in
 * counts against it). Throws `RequestFailure` when there was no whole answer, and the signal's reason when it aborts.
 */
export async function attempt(
  fetch: Fetch,
  request: HttpRequest,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<HttpAnswer> {
  signal?.throwIfAborted()
  const abort = new AbortController()
  const onAbort = () => abort.abort(signal?.reason)
  signal?.addEventListener('abort', onAbort, { once: true })
  let late = false
  const timer = setTimeout(() => {
    late = true
    abort.abort(new Error('the time for one attempt is over'))
  }, timeoutMs)
  try {
    const answer = await fetch(request.url, { ...request, signal: abort.signal, redirect: 'manual' })
    return { status: answer.status, headers: answer.headers, text: await answer.text() }
  } catch (error) {
    signal?.throwIfAborted()
    throw late ? lostAnswer(request.url, timeoutMs) : connectionFailure(error, request.url)
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', onAbort)
  }
}

export interface Transport {
  readonly fetch: Fetch
  /** Drops every connection at once, so that nothing holds the process. */
  readonly close: () => Promise<void>
}

/** How one server is known, and how it knows us, where that is settled for it alone. Certificates and keys are PEM. */
export interface ServerTls {
  /** Trusted in place of those that Node trusts. */
  ca?: string[]
  cert?: string
  key?: string
  /** The name that the server's certificate must have, where the URL has another. */
  servername?: string
  /** False: any certificate will do. */
  rejectUnauthorized?: boolean
}

export interface TransportOptions {
  /** A PEM file of certificate authorities to trust beside those that Node trusts. */
  caFile?: string | undefined
  /** For the server, not for a proxy on the way; it goes before `caFile`. */
  serverTls?: ServerTls | undefined
  /** `process.versions.node`; where it is known, start-up is tuned to it. */
  nodeVersion?: string | undefined
}

/**
 * Connections for production: kept alive, through the proxies of `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` (lower
 * case goes first). Throws `usage` for a CA file or a proxy address that cannot be used.
 */
export async function createTransport(
  env: Readonly<Record<string, string | undefined>>,
  { caFile, serverTls, nodeVersion }: TransportOptions = {},
): Promise<Transport> {
  await tuneFor(nodeVersion)
  const trusted =
    caFile === undefined ? undefined : { ca: await authorities(caFile, env['NODE_EXTRA_CA_CERTS']) }
  const tls = { ...trusted, ...serverTls }
  const httpProxy = env['http_proxy'] || env['HTTP_PROXY'] || ''
  const httpsProxy = env['https_proxy'] || env['HTTPS_PROXY'] || ''
  const noProxy = env['no_proxy'] ?? env['NO_PROXY'] ?? ''
  const dispatcher =
    httpProxy || httpsProxy
      ? await proxied({ httpProxy, httpsProxy, noProxy }, tls, trusted)
      : await direct(tls)
  return {
    fetch: (url, init) => dispatch(dispatcher, url, init),
    close: () => dispatcher.destroy(),
  }
}

// `attempt` keeps the time, so undici's own limits are off.
const untimed = { headersTimeout: 0, bodyTimeout: 0 } as const

/** The dispatcher alone: the whole of undici takes twice as long to load as a command has. */
async function direct(tls: ServerTls): Promise<Agent> {
  const { default: Agent } = await import('undici/lib/dispatcher/agent.js')
  return new Agent({ ...untimed, connect: { timeout: 0, ...tls } })
}

async function proxied(
  proxies: { httpProxy: string; httpsProxy: string; noProxy: string },
  requestTls: ServerTls,
  proxyTls: ServerTls | undefined,
): Promise<Dispatcher> {
  for (const [variable, address] of [
    ['HTTP_PROXY', proxies.httpProxy],
    ['HTTPS_PROXY', proxies.httpsProxy],
  ] as const) {
    if (address !== '' && !(/^(https?|socks5?):\/\/./i.test(address) && URL.canParse(address))) {
      throw new KeysError('usage', `${variable} is not the address of a proxy`, {
        hint: 'write it with its scheme and port, for example http://proxy.example:3128',
      })
    }
  }
  // CommonJS: bundled, it has a default alone
  const { EnvHttpProxyAgent } = (await import('undici')).default
  return new EnvHttpProxyAgent({
    ...proxies,
    ...untimed,
    // plain http goes through a proxy as curl sends it; many refuse a tunnel to any port but 443
    proxyTunnel: false,
    connect: { timeout: 0, ...requestTls },
    requestTls,
    ...(proxyTls && { proxyTls }),
  })
}

/**
 * V8 of Node 20 optimizes undici's WebAssembly parser as it loads, which holds a short-lived process at its end for
 * longer than all else together takes, and compiles all of it before the first byte. Later versions do either when it
 * is worth it, and are slower with the flags.
 */
async function tuneFor(nodeVersion: string | undefined): Promise<void> {
  if (nodeVersion?.startsWith('20.') !== true) return
  const { setFlagsFromString } = await import('node:v8')
  setFlagsFromString('--liftoff-only --wasm-lazy-compilation')
}

/** Naming authorities to TLS replaces Node's own and those of NODE_EXTRA_CA_CERTS, so all are named. PEM. */
export async function authorities(caFile: string, extraFile: string | undefined): Promise<string[]> {
  const { rootCertificates } = await import('node:tls')
  const own = await readAuthorities(caFile)
  return [...rootCertificates, own, ...(extraFile ? [await readAuthorities(extraFile)] : [])]
}

async function readAuthorities(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new KeysError('usage', `cannot read the CA file ${path}`, {
      hint: 'name a readable file of certificates in PEM format',
      cause,
    })
  })
  if (!text.includes('-----BEGIN CERTIFICATE-----')) {
    throw new KeysError('usage', `the CA file ${path} holds no certificate in PEM format`, {
      hint: 'it should have lines that read -----BEGIN CERTIFICATE-----',
    })
  }
  return text
}

/** One request on undici's dispatcher; settles when the whole body is here, it failed, or the signal aborts. */
function dispatch(dispatcher: Dispatcher, url: string, init: FetchInit): Promise<FetchAnswer> {
  const { origin, pathname, search } = new URL(url)
  const { method, headers, body, signal } = init
  return new Promise((resolve, reject) => {
    let cancel = () => {}
    const onAbort = () => {
      // before it is connected there is no controller yet, and nobody should wait for one
      reject(signal.reason as Error)
      cancel()
    }
    signal.addEventListener('abort', onAbort, { once: true })
    let status = 0
    let fields: Record<string, string | string[] | undefined> = {}
    const chunks: Buffer[] = []
    dispatcher.dispatch(
      { origin, path: pathname + search, method, headers, ...(body !== undefined && { body }) },
      {
        onRequestStart(controller) {
          cancel = () => controller.abort(signal.reason as Error)
          if (signal.aborted) cancel()
        },
        onResponseStart(_controller, statusCode, responseHeaders) {
          status = statusCode
          fields = responseHeaders
        },
        onResponseData(_controller, chunk) {
          chunks.push(chunk)
        },
        onResponseEnd() {
          signal.removeEventListener('abort', onAbort)
          resolve({
            status,
            headers: { get: (name) => single(fields[name.toLowerCase()]) },
            text: async () => new TextDecoder().decode(Buffer.concat(chunks)),
          })
        },
        onResponseError(_controller, error) {
          signal.removeEventListener('abort', onAbort)
          reject(error)
        },
      },
    )
  })
}

function single(value: string | string[] | undefined): string | null {
  return Array.isArray(value) ? value.join(', ') : (value ?? null)
}

/** Whether a URL's host is this machine itself, so that nobody reads along where it is plain http. */
export function isLoopback(hostname: string): boolean {
  return (
    hostname === 'localhost' ||
    hostname.endsWith('.localhost') ||
    hostname === '[::1]' ||
    /^127(\.\d{1,3}){3}$/.test(hostname)
  )
}
