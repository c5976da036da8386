// Stands between a target and the real server it speaks to, passes everything on, and fails as a test asks it to.
import { createServer, request as requestHttp, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer, request as requestHttps } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { Fault } from '../targets/contract.ts'

export interface Answer {
  status: number
  headers?: Record<string, string>
  body: string
}

export interface FaultProxy {
  url: string
  /** Every request that came, as `GET /path`; their headers and bodies are not kept. */
  readonly requests: readonly string[]
  /**
   * Fails from now on; resolves to the way to end that. What a refusal looks like is the server's own affair, so each
   * kind of server says it: `answers` gives the answer to a request, undefined passes it on.
   */
  fail(fault: Fault, answers: (request: IncomingMessage) => Answer | undefined): Promise<() => Promise<void>>
  /** Runs `change` before the next request that `isWrite` names is passed on. */
  beforeNext(isWrite: (request: IncomingMessage, body: string) => boolean, change: () => Promise<void>): void
  /** Shows every request that comes from now on, with its body. */
  watch(look: (request: IncomingMessage, body: string) => void): void
  close(): Promise<void>
}

/** On loopback, before `upstream`. With `tls` both sides speak TLS, and `ca` is the authority of the server's side. */
export async function createFaultProxy(
  upstream: string,
  tls?: { key: Buffer | string; cert: Buffer | string; ca: Buffer | string },
): Promise<FaultProxy> {
  const requests: string[] = []
  let failing: { fault: Fault; answers: (request: IncomingMessage) => Answer | undefined } | undefined
  let watching: ((request: IncomingMessage, body: string) => void) | undefined
  let pending:
    { isWrite: (request: IncomingMessage, body: string) => boolean; change: () => Promise<void> } | undefined
  const base = new URL(upstream)
  const send = base.protocol === 'https:' ? requestHttps : requestHttp

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    requests.push(`${request.method} ${request.url}`)
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks)
    watching?.(request, body.toString())
    if (failing?.fault === 'slow') return
    if (failing?.fault === 'down') return void request.socket.destroy()
    const answer = failing?.answers(request)
    if (answer) {
      if (failing?.fault === 'throttled once') failing = undefined
      response.writeHead(answer.status, answer.headers).end(answer.body)
      return
    }
    if (pending?.isWrite(request, body.toString())) {
      const { change } = pending
      pending = undefined
      await change()
    }
    const passed = send(
      new URL(request.url ?? '/', base),
      {
        method: request.method,
        headers: request.headers,
        ...(tls && { ca: tls.ca, servername: 'localhost' }),
      },
      (reply) => {
        response.writeHead(reply.statusCode ?? 502, reply.headers)
        reply.pipe(response)
      },
    )
    passed.on('error', () => request.socket.destroy())
    passed.end(body)
  }

  const listener = (request: IncomingMessage, response: ServerResponse) => void handle(request, response)
  const server = tls ? createTlsServer({ key: tls.key, cert: tls.cert }, listener) : createServer(listener)
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => sockets.add(socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo

  return {
    url: `${tls ? 'https://localhost' : 'http://127.0.0.1'}:${port}`,
    requests,
    async fail(fault, answers) {
      failing = { fault, answers }
      // what is kept alive would not notice
      if (fault === 'down') for (const socket of sockets) socket.destroy()
      return async () => {
        failing = undefined
      }
    },
    beforeNext(isWrite, change) {
      pending = { isWrite, change }
    },
    watch(look) {
      watching = look
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
