import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Consul's key-value store as its HTTP API has it: base64 values, and a change only where the index is as it was. */
export async function startConsul() {
  const entries = new Map<string, { value: Buffer; index: number }>()
  let index = 0
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://consul')
    const key = pathname.replace('/v1/kv/', '')
    const entry = entries.get(key)
    const body: Buffer[] = []
    request.on('data', (chunk: Buffer) => body.push(chunk))
    request.on('end', () => {
      if (request.method === 'GET') {
        response.statusCode = entry === undefined ? 404 : 200
        const shown = entry && [{ Key: key, Value: entry.value.toString('base64'), ModifyIndex: entry.index }]
        response.end(shown && JSON.stringify(shown))
        return
      }
      const isAsItWas = Number(searchParams.get('cas')) === (entry?.index ?? 0)
      if (isAsItWas && request.method === 'PUT')
        entries.set(key, { value: Buffer.concat(body), index: ++index })
      if (isAsItWas && request.method === 'DELETE') entries.delete(key)
      response.end(String(isAsItWas))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    read: (key: string) => entries.get(key)?.value.toString(),
    write: (key: string, value: string) => entries.set(key, { value: Buffer.from(value), index: ++index }),
    close: () => new Promise((resolve) => server.close(resolve)),
  }
}
