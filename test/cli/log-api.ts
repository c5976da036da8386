// An API with an audit log in which many events have one instant, and many are equal to the letter.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { AuditEvent } from '../../src/api/contract.ts'

export interface LogApi {
  url: string
  env: Record<string, string>
  /** How many pages of the log were answered. */
  pages(): number
  /** How long a page takes. */
  delayMs: number
  /** What is left of the rate limit, and for how long; without it there is plenty. */
  rate: { remaining: number; resetInMs: number } | undefined
  /** Whether events of one instant come in another order with each request. */
  shuffles: boolean
  close(): Promise<void>
}

const begin = Date.parse('2026-03-01T00:00:00Z')
const agents = ['pictify-node/1.4.2', 'curl/8.5.0', 'python-requests/2.31', '\u001b[31m=cmd|calc']

/** Newest first: some instants have one event, some 250. */
export function eventsOf(count: number): AuditEvent[] {
  const events: AuditEvent[] = []
  for (let second = 0; events.length < count; second += 1) {
    const together = second % 40 === 39 ? 250 : (second * 7) % 13
    for (let tie = 0; tie < together && events.length < count; tie += 1) {
      const number = tie % 3 === 0 ? 0 : tie
      events.push({
        timestamp: new Date(begin - second * 1_000)
          .toISOString()
          .replace('.000Z', second % 2 ? '.000Z' : 'Z'),
        action: 'api.request',
        keyId: number % 2 === 0 ? 'key_even' : 'key_odd',
        endpoint: number % 5 === 0 ? '/image' : `/templates/t_${number}`,
        method: number % 5 === 0 ? 'POST' : 'GET',
        status: [200, 200, 404, 500][number % 4] ?? 0,
        ip: `203.0.${second % 3}.${number % 200}`,
        userAgent: agents[number % 4] ?? '',
      })
    }
  }
  return events
}

export async function createLogApi(events: readonly AuditEvent[]): Promise<LogApi> {
  let pages = 0
  const server = createServer((request, response) => void answer(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const instants = events.map(({ timestamp }) => Date.parse(timestamp))

  const api: LogApi = {
    url,
    env: { PICTIFY_API_URL: url, PICTIFY_ADMIN_KEY: 'pk_live_0123456789abcdef' },
    pages: () => pages,
    delayMs: 0,
    rate: undefined,
    shuffles: false,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }

  function selected(query: URLSearchParams): AuditEvent[] {
    const [since, until] = ['since', 'until'].map((name) => Date.parse(query.get(name) ?? ''))
    const keyId = query.get('keyId')
    const found = events.filter((event, index) => {
      const at = instants[index] ?? 0
      const isIn = !(at < (since ?? NaN)) && !(at >= (until ?? NaN))
      return isIn && (keyId === null || event.keyId === keyId)
    })
    if (!api.shuffles) return found
    // one order for each query: pages of one reading fit together
    const salt = (until ?? 0) % 2 === 0 ? 1 : -1
    const order = (event: AuditEvent) => Date.parse(event.timestamp)
    return found.sort((a, b) => order(b) - order(a) || salt * a.endpoint.localeCompare(b.endpoint))
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams: query } = new URL(request.url ?? '', url)
    if (api.delayMs > 0) await sleep(api.delayMs)
    const page = Number(query.get('page') ?? 1)
    const limit = Number(query.get('limit') ?? 100)
    const rate = api.rate
    const headers = {
      'content-type': 'application/json',
      'x-ratelimit-limit': '1000',
      'x-ratelimit-remaining': String(rate?.remaining ?? 999),
      'x-ratelimit-reset': String(Math.ceil((Date.now() + (rate?.resetInMs ?? 60_000)) / 1_000)),
    }
    if (pathname === '/api-keys') {
      return void response
        .writeHead(200, headers)
        .end(JSON.stringify({ apiKeys: [], pagination: { total: 0 } }))
    }
    if (pathname !== '/audit-logs') return void response.writeHead(404, headers).end('{}')
    pages += 1
    const found = selected(query)
    const auditLogs = found.slice((page - 1) * limit, page * limit)
    const pagination = { page, limit, total: found.length, totalPages: Math.ceil(found.length / limit) }
    response.writeHead(200, headers).end(JSON.stringify({ auditLogs, pagination }))
  }

  return api
}
