import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Webhook } from 'standardwebhooks'

/** What came in. */
export interface Received {
  headers: IncomingHttpHeaders
  body: string
  path: string
}

/** `stall` answers never, `cut` breaks the connection; a number is a status. */
type Answer = number | 'stall' | 'cut' | { status: number; headers?: Record<string, string>; body?: string }

export interface Receiver {
  url: string
  received: Received[]
  /** What the next requests get, one after the other; the last one goes for all that follow. */
  answers: Answer[]
  close(): Promise<void>
}

export async function createReceiver(...answers: Answer[]): Promise<Receiver> {
  const received: Received[] = []
  const server: Server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (text: string) => (body += text))
    request.on('end', () => {
      received.push({ headers: request.headers, body, path: request.url ?? '' })
      const answer = (receiver.answers.length > 1 ? receiver.answers.shift() : receiver.answers[0]) ?? 200
      if (answer === 'stall') return
      if (answer === 'cut') return void request.socket.destroy()
      const {
        status,
        headers = {},
        body: text = '',
      } = typeof answer === 'number' ? { status: answer } : answer
      response.writeHead(status, headers).end(text)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const receiver: Receiver = {
    url: `http://127.0.0.1:${port}/hooks/path-that-is-secret-0123456789`,
    received,
    answers,
    close() {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
  return receiver
}

export const signingSecret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`

interface Payload {
  type: string
  timestamp: string
  data: {
    rule: string
    incidents: { id: string; key: { id: string; name: string }; recovery: string | null }[]
    commands: string[]
  }
}

/** What it says, once its signature was verified by the library that receivers use. */
export function verified({ body, headers }: Received, secret = signingSecret): Payload {
  return new Webhook(secret).verify(body, headers as Record<string, string>) as Payload
}
