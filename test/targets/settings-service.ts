// The service that examples/target/ is about: settings with ETags, over real sockets.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Fault } from './contract-fixture.ts'

export interface SettingsService {
  readonly url: string
  readonly token: string
  readonly settings: Map<string, { value: string; version: number }>
  fail(fault: Fault): Promise<() => Promise<void>>
  /** Runs before the next change is made, with its request here already. */
  beforeNextWrite(change: () => Promise<void>): void
  close(): Promise<void>
}

export async function startSettingsService(): Promise<SettingsService> {
  const token = 'editor-of-settings'
  const settings: SettingsService['settings'] = new Map()
  const hanging: IncomingMessage[] = []
  let fault: Fault | undefined
  let interlude: (() => Promise<void>) | undefined

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = ''
    for await (const chunk of request) text += String(chunk)
    const end = (status: number, headers: Record<string, string> = {}, body = '') =>
      void response.writeHead(status, headers).end(body)
    const failing = fault
    if (failing === 'slow') return void hanging.push(request)
    if (failing === 'down') return void request.socket.destroy()
    if (failing === 'throttled once') fault = undefined
    if (failing === 'throttled' || failing === 'throttled once') return end(429, { 'retry-after': '1' })
    if (failing === 'expired' || request.headers.authorization !== `Bearer ${token}`) return end(401)
    const isChange = request.method !== 'GET'
    if (failing === 'forbidden' && isChange) return end(403)
    const { 'if-match': ifMatch, 'if-none-match': ifNone } = request.headers
    if (isChange && interlude && ifMatch !== '"no version has this"') {
      const change = interlude
      interlude = undefined
      await change()
    }
    const name = decodeURIComponent((request.url ?? '').replace('/settings/', ''))
    const now = settings.get(name)
    const etag = now === undefined ? undefined : `"${now.version}"`
    if (!isChange) {
      if (now === undefined || etag === undefined) return end(404)
      return end(200, { 'content-type': 'application/json', etag }, JSON.stringify({ value: now.value }))
    }
    if ((ifMatch !== undefined && ifMatch !== etag) || (ifNone === '*' && now !== undefined)) return end(412)
    if (request.method === 'DELETE') settings.delete(name)
    else {
      const { value } = JSON.parse(text) as { value: string }
      settings.set(name, { value, version: (now?.version ?? 0) + 1 })
    }
    end(204)
  }

  const server = createServer((request, response) => void answer(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    token,
    settings,
    fail: async (kind) => {
      fault = kind
      return async () => {
        fault = undefined
        for (const request of hanging.splice(0)) request.socket.destroy()
      }
    },
    beforeNextWrite: (change) => void (interlude = change),
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
