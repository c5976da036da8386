import { KeysError, type ErrorCode } from './errors.ts'
import { formatDuration } from './duration.ts'

/** A request that got no whole answer. */
export class RequestFailure extends KeysError {
  /** Whether it may pass by itself, so that trying again makes sense. */
  readonly transient: boolean
  constructor(failure: Failure, message: string, cause?: unknown) {
    super(failure.code, message, { hint: failure.hint, maybeDone: failure.maybeDone, cause })
    this.transient = failure.transient
  }
}

interface Failure {
  readonly code: ErrorCode
  readonly hint: string
  readonly transient: boolean
  readonly maybeDone: boolean
}

/** No answer within the time for one attempt. */
export function lostAnswer(url: string, timeoutMs: number): RequestFailure {
  return new RequestFailure(slow, `${hostOf(url)} did not answer within ${formatDuration(timeoutMs)}`)
}

/**
 * What a failed connection means: `dns-failed`, `tls-failed`, `timed-out`, `not-an-api` (what answers is not HTTP) or
 * `connection-failed`. `thrown` is what a fetch or undici threw; its causes are searched.
 */
export function connectionFailure(thrown: unknown, url: string): RequestFailure {
  const host = hostOf(url)
  const chain = causes(thrown)
  for (const cause of chain) {
    const proxyStatus = /proxy (?:response|authentication required) \((\d{3})\)/i.exec(
      cause.message ?? '',
    )?.[1]
    if (proxyStatus !== undefined) {
      return new RequestFailure(
        proxyRefused,
        `the proxy refused to connect to ${host} (${proxyStatus})`,
        thrown,
      )
    }
    const [failure, message] = meaning(cause) ?? []
    if (failure !== undefined) {
      return new RequestFailure(
        throughProxy(failure, cause, url),
        message?.(placeOf(cause, host)) ?? '',
        thrown,
      )
    }
  }
  return new RequestFailure(broken, `the connection to ${host} broke`, thrown)
}

interface Cause {
  code?: string
  name?: string
  message?: string
  address?: string
  port?: number
}

const slow: Failure = {
  code: 'timed-out',
  hint: 'try again, or give it longer with --timeout',
  transient: true,
  maybeDone: true,
}
const broken: Failure = {
  code: 'connection-failed',
  hint: 'try again; if it stays, look at the network between here and there',
  transient: true,
  maybeDone: true,
}
const proxyRefused: Failure = {
  code: 'connection-failed',
  hint: 'look at HTTP_PROXY and HTTPS_PROXY (a proxy may want a user and a password), or put the host in NO_PROXY',
  transient: false,
  maybeDone: false,
}
const never = (code: ErrorCode, hint: string): Failure => ({ code, hint, transient: false, maybeDone: false })
const notYet = (code: ErrorCode, hint: string): Failure => ({ code, hint, transient: true, maybeDone: false })
const trustHint = 'if it is your own, trust its authority with --ca-file or NODE_EXTRA_CA_CERTS'

type Meaning = readonly [Failure, (place: string) => string]

const selfSigned: Meaning = [
  never('tls-failed', `it is signed by itself; ${trustHint}`),
  (place) => `the certificate of ${place} is not trusted`,
]
const unknownIssuer: Meaning = [
  never('tls-failed', `nobody here knows the authority that signed it; ${trustHint}`),
  (place) => `the certificate of ${place} is not trusted`,
]
const noHttps: Meaning = [
  never('tls-failed', 'the port does not speak https: is the base URL right?'),
  (place) => `${place} does not answer with TLS`,
]
const unreachable: Meaning = [
  notYet('connection-failed', 'look at the network, the VPN and the firewall'),
  (place) => `${place} cannot be reached`,
]
const connectTimedOut: Meaning = [
  notYet('timed-out', 'look at the network, the VPN and the firewall'),
  (place) => `${place} did not take the connection in time`,
]

const meanings: Readonly<Record<string, Meaning>> = {
  ENOTFOUND: [
    never('dns-failed', 'look for a typing error in the base URL; behind a proxy, set HTTPS_PROXY'),
    (place) => `there is no host ${place}`,
  ],
  EAI_AGAIN: [
    notYet('dns-failed', 'names cannot be looked up just now: is this machine online?'),
    (place) => `the host ${place} could not be looked up`,
  ],
  ECONNREFUSED: [
    notYet('connection-failed', 'is the server running, and is the port of the base URL right?'),
    (place) => `${place} refused the connection`,
  ],
  EHOSTUNREACH: unreachable,
  ENETUNREACH: unreachable,
  ENETDOWN: unreachable,
  ETIMEDOUT: connectTimedOut,
  UND_ERR_CONNECT_TIMEOUT: connectTimedOut,
  UND_ERR_HEADERS_TIMEOUT: [slow, (place) => `${place} did not answer in time`],
  UND_ERR_BODY_TIMEOUT: [slow, (place) => `${place} did not finish its answer in time`],
  DEPTH_ZERO_SELF_SIGNED_CERT: selfSigned,
  SELF_SIGNED_CERT_IN_CHAIN: unknownIssuer,
  UNABLE_TO_GET_ISSUER_CERT: unknownIssuer,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknownIssuer,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: unknownIssuer,
  CERT_UNTRUSTED: unknownIssuer,
  CERT_HAS_EXPIRED: [
    never(
      'tls-failed',
      'if it looks valid elsewhere, look at the date of this machine; else it must be renewed there',
    ),
    (place) => `the certificate of ${place} has expired`,
  ],
  CERT_NOT_YET_VALID: [
    never('tls-failed', 'look at the date of this machine'),
    (place) => `the certificate of ${place} is not valid yet`,
  ],
  CERT_REVOKED: [
    never('tls-failed', 'do not send it a key; tell whoever runs the server'),
    (place) => `the certificate of ${place} was revoked`,
  ],
  ERR_TLS_CERT_ALTNAME_INVALID: [
    never('tls-failed', 'it was issued for another host: is the base URL right, and is nobody in between?'),
    (place) => `the certificate of ${place} is not for that name`,
  ],
  ERR_SSL_WRONG_VERSION_NUMBER: noHttps,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: noHttps,
}

function meaning({ code = '', name = '', message = '' }: Cause): Meaning | undefined {
  const known = meanings[code]
  if (known !== undefined) return known
  if (/wrong version number|packet length too long/i.test(message)) return noHttps
  if (/^ERR_(SSL|TLS)_|^EPROTO$|^CERT_/.test(code)) {
    return [
      never('tls-failed', 'is the base URL right, and does the server speak TLS 1.2 or later?'),
      (place) => `no secure connection to ${place} (${code})`,
    ]
  }
  if (name === 'HTTPParserError' || code.startsWith('HPE_')) {
    // cut short is broken; anything else was never HTTP
    if (code === 'HPE_INVALID_EOF_STATE') return undefined
    return [
      { ...never('not-an-api', 'is the base URL right?'), maybeDone: true },
      (place) => `what answers at ${place} does not speak HTTP`,
    ]
  }
  return undefined
}

/** A failure to connect names the address that was tried; where that is not the URL's port it was a proxy's. */
function throughProxy(failure: Failure, cause: Cause, url: string): Failure {
  if (cause.port === undefined || cause.port === portOf(url)) return failure
  return {
    ...failure,
    hint: 'that is the proxy of HTTP_PROXY or HTTPS_PROXY: is it right, and is it running?',
  }
}

function placeOf(cause: Cause, host: string): string {
  if (cause.port === undefined || cause.address === undefined) return host
  return host.endsWith(`:${cause.port}`) ? host : `${host} (${cause.address}:${cause.port})`
}

function hostOf(url: string): string {
  return new URL(url).host
}

function portOf(url: string): number {
  const { port, protocol } = new URL(url)
  return port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port)
}

/** An error, what caused it and what that gathered (a host with several addresses fails once for each). */
function causes(thrown: unknown): Cause[] {
  const found: Cause[] = []
  const queue = [thrown]
  for (let error = queue.shift(); error instanceof Error && found.length < 20; error = queue.shift()) {
    found.push(error)
    queue.push(error.cause, ...(error instanceof AggregateError ? (error.errors as unknown[]) : []))
  }
  return found
}
