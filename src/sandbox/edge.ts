// Rules of this file:
// - it stands before the API as a content delivery network would: what goes wrong on the way goes wrong here;
// - a fault either answers instead of the API, and then no work is done, or spoils the API's answer, and then it is.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '../clock.ts'
import type { Exchange } from './app.ts'
import { refuseWith, type Reply } from './answers.ts'
import type { Fault, FaultName, FaultSet } from './faults.ts'
import { Problem } from './problem.ts'
import { quirksOf } from './quirks.ts'

/** One request that came in, as a test looks at it. */
export interface LoggedRequest {
  /** Unix milliseconds. */
  at: number
  method: string
  /** With the query. */
  path: string
  /** Without the credential. */
  headers: Record<string, string>
  /** What was, or would have been, answered; undefined while it is not known. */
  status?: number
  /** Whether the answer was sent whole. */
  answered: boolean
  /** The key that was accepted. */
  keyId?: string
}

export interface EdgeOptions {
  app: { fetch(request: Request, exchange: Exchange): Response | Promise<Response> }
  faults: FaultSet
  clock: Clock
  log: (request: LoggedRequest) => void
  /** Comes before the faults strike. */
  onRequest: ((request: LoggedRequest) => void | Promise<void>) | undefined
  /** Aborts when the sandbox closes. */
  signal: AbortSignal
}

interface Sockets {
  incoming: IncomingMessage
  outgoing: ServerResponse
}

/** What a fault leaves to be sent; undefined when nothing more is. */
type Remainder = Promise<Response | undefined>

/** What tells the adapter that nothing is left for it to send. */
const alreadySent = () => new Response(null, { headers: { 'x-hono-already-sent': 'true' } })

export function createEdge({ app, faults, clock, log, onRequest, signal }: EdgeOptions) {
  const gone = (outgoing: ServerResponse) =>
    new Promise<void>((resolve) => {
      if (outgoing.closed) resolve()
      else outgoing.once('close', resolve)
    })

  const fail = (problem: Problem) => async (_: Sockets, path: string) => responseOf(refuseWith(problem, path))
  const instead: Partial<Record<FaultName, (sockets: Sockets, path: string, fault: Fault) => Remainder>> = {
    cut: async ({ outgoing }) => void outgoing.destroy(),
    stall: async ({ outgoing }) => void (await gone(outgoing)),
    'status-403': fail(new Problem('insufficient-permissions', 'This API key may not do that.')),
    'status-404': async (sockets, path) =>
      fail(new Problem('not-found', `There is nothing at ${path}.`))(sockets, path),
    'status-500': fail(new Problem('internal-error', 'Something went wrong on our side.')),
    'status-502': fail(new Problem('bad-gateway', 'The server behind this one gave no valid answer.')),
    'status-503': fail(new Problem('service-unavailable', 'We are down for a moment.')),
    'status-504': fail(new Problem('gateway-timeout', 'The server behind this one did not answer in time.')),
    'status-429': async (sockets, path, { ms }) => {
      const retryAfter = Math.max(1, Math.ceil(ms / 1_000))
      return fail(new Problem('rate-limit', 'Too many requests.', { retryAfter }))(sockets, path)
    },
    'status-429-bare': async () => new Response('Too Many Requests', { status: 429 }),
    refuse: fail(new Problem('invalid-api-key', 'The API key is invalid or has been revoked.')),
    html: async () =>
      new Response('<!doctype html><title>Pictify</title><h1>Sign in</h1>', {
        headers: { 'Content-Type': 'text/html' },
      }),
  }
  const afterwards: Partial<
    Record<FaultName, (response: Response, sockets: Sockets, fault: Fault) => Remainder>
  > = {
    'lose-answer': async (_, { outgoing }) => void outgoing.destroy(),
    async 'cut-body'(response, { outgoing }) {
      const body = await beginBody(response, outgoing)
      await new Promise((resolve) => outgoing.write(body.subarray(0, Math.floor(body.length / 2)), resolve))
      outgoing.destroy()
      return undefined
    },
    async drip(response, { outgoing }, { ms }) {
      const body = await beginBody(response, outgoing)
      for (const byte of body) {
        if (outgoing.destroyed) return undefined
        outgoing.write(Buffer.of(byte))
        await pause(ms)
      }
      outgoing.end()
      return undefined
    },
    async slow(response, _, { ms }) {
      await pause(ms)
      return response
    },
  }
  /** Shorter when the sandbox closes, which cuts all connections anyway. */
  const pause = async (ms: number) => {
    try {
      await clock.sleep(ms, signal)
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }

  return async (request: Request, sockets: Sockets): Promise<Response> => {
    const { pathname, search } = new URL(request.url)
    const headers = Object.fromEntries(request.headers)
    if ('authorization' in headers) headers['authorization'] = '[secret]'
    const entry: LoggedRequest = {
      at: clock.now(),
      method: request.method,
      path: pathname + search,
      headers,
      answered: false,
    }
    log(entry)
    await onRequest?.(entry)
    const struck = faults.strike(request.method, pathname)
    const quirks = quirksOf(struck)
    const finish = (response: Response | undefined): Response => {
      if (!response) return alreadySent()
      entry.status = response.status
      entry.answered = true
      response.headers.set('Date', new Date(clock.now() + quirks.skewMs).toUTCString())
      return response
    }

    for (const fault of struck) {
      const act = instead[fault.name]
      if (act) return finish(await act(sockets, pathname, fault))
    }
    const exchange: Exchange = { quirks, ip: sockets.incoming.socket.remoteAddress ?? '' }
    let response = await app.fetch(request, exchange)
    entry.status = response.status
    if (exchange.keyId !== undefined) entry.keyId = exchange.keyId
    response.headers.set('Date', new Date(clock.now() + quirks.skewMs).toUTCString())
    for (const fault of struck) {
      const left = await (afterwards[fault.name]?.(response, sockets, fault) ?? Promise.resolve(response))
      if (!left) return alreadySent()
      response = left
    }
    return finish(response)
  }
}

function responseOf({ status, body, type, headers }: Reply): Response {
  return new Response(JSON.stringify(body), { status, headers: { ...headers, 'Content-Type': type } })
}

/** Sends the head of an answer, and hands back the body for sending it some other way. */
async function beginBody(response: Response, outgoing: ServerResponse): Promise<Buffer> {
  const body = Buffer.from(await response.arrayBuffer())
  outgoing.writeHead(response.status, {
    ...Object.fromEntries(response.headers),
    'Content-Length': body.length,
  })
  return body
}
