import { createServer } from 'node:http'
import { connect } from 'node:net'
import { describe, expect, test } from 'vitest'
import { createTransport } from '../src/http.ts'
import { certificate, closedPort, failure, get, listen, serve, serveTls, undo } from './http-fixture.ts'

/** Takes plain requests in absolute form, and tunnels; every name leads to this machine. */
async function serveProxy(): Promise<{
  address: string
  seen: string[]
  credentials: (string | undefined)[]
}> {
  const seen: string[] = []
  const credentials: (string | undefined)[] = []
  const proxy = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`)
    credentials.push(request.headers['proxy-authorization'])
    response.end('{"by":"proxy"}')
  })
  proxy.on('connect', (request, socket) => {
    seen.push(`CONNECT ${request.url}`)
    credentials.push(request.headers['proxy-authorization'])
    const upstream = connect(Number(request.url?.split(':')[1]), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      upstream.pipe(socket).pipe(upstream)
    })
    for (const end of [socket, upstream])
      end.on('error', () => [socket, upstream].forEach((s) => s.destroy()))
    undo.push(() => void [socket, upstream].forEach((s) => s.destroy()))
  })
  return { address: `127.0.0.1:${await listen(proxy)}`, seen, credentials }
}

describe('proxies from the environment', () => {
  test.each(['HTTP_PROXY', 'http_proxy'])('%s takes plain http as it is', async (variable) => {
    const { address, seen, credentials } = await serveProxy()
    const answer = await get('http://api.pictify.test/api-keys?page=1', {
      env: { [variable]: `http://user:p%40ss@${address}` },
    })
    expect(answer.text).toBe('{"by":"proxy"}')
    expect(seen).toEqual(['GET http://api.pictify.test/api-keys?page=1'])
    expect(credentials).toEqual([`Basic ${Buffer.from('user:p@ss').toString('base64')}`])
  })

  test.each(['HTTPS_PROXY', 'https_proxy'])(
    '%s tunnels https, whose certificate is still looked at',
    async (variable) => {
      const port = await serveTls('localhost')
      const { address, seen } = await serveProxy()
      const env = { [variable]: `http://${address}` }
      const url = `https://api.pictify.test:${port}/`
      const answer = await get(url, { env, options: { caFile: certificate('ca') } })
      expect(answer.status).toBe(200)
      expect(seen).toEqual([`CONNECT api.pictify.test:${port}`])
      expect(await failure(get(url, { env }))).toMatchObject({ code: 'tls-failed' })
      const elsewhere = `https://elsewhere.test:${port}/`
      const wrongHost = await failure(get(elsewhere, { env, options: { caFile: certificate('ca') } }))
      expect(wrongHost.message).toContain('is not for that name')
    },
  )

  test.each(['NO_PROXY', 'no_proxy'])('%s is spared the proxy', async (variable) => {
    const port = await serve((_, response) => response.end('{"by":"server"}'))
    const { address, seen } = await serveProxy()
    const env = { HTTP_PROXY: `http://${address}`, [variable]: 'example.com,127.0.0.1' }
    expect((await get(`http://127.0.0.1:${port}/`, { env })).text).toBe('{"by":"server"}')
    expect(seen).toEqual([])
  })

  test('an empty variable is none', async () => {
    const port = await serve((_, response) => response.end('{"by":"server"}'))
    const env = { HTTP_PROXY: '', https_proxy: '' }
    expect((await get(`http://127.0.0.1:${port}/`, { env })).text).toBe('{"by":"server"}')
  })

  test('a proxy that is not there is named as the one at fault', async () => {
    const port = await closedPort()
    const env = { HTTPS_PROXY: `http://user:hunter2@127.0.0.1:${port}` }
    const error = await failure(get('https://api.pictify.test/', { env }))
    expect(error).toMatchObject({ code: 'connection-failed', maybeDone: false })
    expect(error.message).toContain(`127.0.0.1:${port}`)
    expect(error.hint).toContain('proxy')
    expect(`${error.message}${error.hint}`).not.toContain('hunter2')
  })

  test('a proxy that wants a password says so', async () => {
    const proxy = createServer((_, response) => response.writeHead(407).end())
    proxy.on('connect', (_, socket) => socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n'))
    const address = `http://127.0.0.1:${await listen(proxy)}`
    const env = { HTTPS_PROXY: address, HTTP_PROXY: address }
    for (const url of ['https://api.pictify.test/', 'http://api.pictify.test/']) {
      const error = await failure(get(url, { env }))
      expect(error).toMatchObject({ code: 'connection-failed', transient: false, maybeDone: false })
      expect(error.message).toBe('the proxy refused to connect to api.pictify.test (407)')
    }
  })

  test.each(['proxy.example:3128', 'ftp://proxy.example', 'http://'])(
    '"%s" is not an address',
    async (address) => {
      await expect(createTransport({ HTTPS_PROXY: address })).rejects.toMatchObject({
        code: 'usage',
        message: 'HTTPS_PROXY is not the address of a proxy',
      })
    },
  )
})
