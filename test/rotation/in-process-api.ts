// The sandbox without sockets: requests go to its edge by a call, so that thousands of rotations take minutes.
import { EventEmitter } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '../../src/clock.ts'
import type { Fetch } from '../../src/http.ts'
import { createAccount, type Account } from '../../src/sandbox/account.ts'
import { createApp } from '../../src/sandbox/app.ts'
import { createEdge } from '../../src/sandbox/edge.ts'
import { createFaultSet, parseFault } from '../../src/sandbox/faults.ts'
import { planLimits } from '../../src/sandbox/plans.ts'
import { createRandom } from '../../src/sandbox/random.ts'

/** A connection as far as the edge must have one: it can be cut, and written to. */
class Connection extends EventEmitter {
  closed = false
  destroyed = false
  readonly chunks: Buffer[] = []
  status = 0
  head: Record<string, string | number> = {}

  writeHead(status: number, head: Record<string, string | number>): void {
    Object.assign(this, { status, head })
  }
  write(chunk: Buffer, done?: () => void): void {
    this.chunks.push(Buffer.from(chunk))
    done?.()
  }
  end(): void {
    this.emit('ended')
  }
  destroy(): void {
    this.closed = this.destroyed = true
    this.emit('close')
  }
}

export interface InProcessApi {
  account: Account
  /** What a client is given for the network. A request that is stalled takes as long as one attempt may. */
  fetch: Fetch
  addFault(spec: string): void
  clearFaults(): void
}

export const inProcessUrl = 'https://api.example'

export function createInProcessApi({
  clock,
  seed,
  propagationMs,
  usageLagMs,
  stalledMs,
}: {
  clock: Clock
  seed: number
  propagationMs: number
  usageLagMs: number
  stalledMs: number
}): InProcessApi {
  const random = createRandom(String(seed))
  const limits = planLimits.pro
  const account = createAccount({ limits, clock, random, propagationMs, usageLagMs, past: undefined })
  const faults = createFaultSet(random.fork('faults'))
  const save = async () => {}
  const app = createApp({ account, clock, random, save, saveSoon: () => {} })
  const edge = createEdge({
    app,
    faults,
    clock,
    log: () => {},
    onRequest: () => undefined,
    signal: new AbortController().signal,
  })

  return {
    account,
    addFault: (spec) => void faults.add(parseFault(spec)),
    clearFaults: () => faults.clear(),
    async fetch(url, { method, headers, body }) {
      const connection = new Connection()
      const broken = new Promise<never>((_, reject) =>
        connection.once('close', () => reject(Object.assign(new Error('cut'), { code: 'ECONNRESET' }))),
      )
      const ended = new Promise<void>((resolve) => connection.once('ended', resolve))
      // Whoever else waits for its end does not answer: that is how the edge stalls.
      const stalled = new Promise<void>((resolve) => connection.once('newListener', () => resolve())).then(
        async () => {
          await clock.sleep(stalledMs)
          throw Object.assign(new Error('stalled'), { code: 'UND_ERR_HEADERS_TIMEOUT' })
        },
      )
      const answering = edge(new Request(url, { method, headers, ...(body !== undefined && { body }) }), {
        incoming: { socket: { remoteAddress: '192.0.2.1' } } as IncomingMessage,
        outgoing: connection as unknown as ServerResponse,
      })
      const response = await Promise.race([answering, broken, stalled])
      if (!response.headers.has('x-hono-already-sent')) return response
      await Promise.race([ended, broken])
      const sent = new Headers(Object.entries(connection.head).map(([name, value]) => [name, String(value)]))
      const text = Buffer.concat(connection.chunks).toString()
      return { status: connection.status, headers: sent, text: async () => text }
    },
  }
}
