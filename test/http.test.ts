import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { createServer as createTcpServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { describe, expect, test, vi } from 'vitest'
import { attempt, createTransport } from '../src/http.ts'
import { certificate, closedPort, failure, get, listen, serve, serveTls, transport } from './http-fixture.ts'

describe('an answer', () => {
  test('has status, headers in any case, and text', async () => {
    const port = await serve((request, response) => {
      response.writeHead(201, { 'X-RateLimit-Limit': '60', 'set-cookie': ['a=1', 'b=2'] })
      response.end(
        JSON.stringify({ method: request.method, url: request.url, sent: request.headers['x-sent'] }),
      )
    })
    const fetch = await transport()
    const answer = await attempt(
      fetch,
      {
        method: 'PUT',
        url: `http://127.0.0.1:${port}/v1/a%2Fb?x=1`,
        headers: { 'x-sent': 'é'.normalize('NFD')[0] ?? '' },
        body: '{}',
      },
      20_000,
    )
    expect(answer.status).toBe(201)
    expect(answer.headers.get('x-ratelimit-LIMIT')).toBe('60')
    expect(answer.headers.get('set-cookie')).toBe('a=1, b=2')
    expect(answer.headers.get('x-none')).toBeNull()
    expect(JSON.parse(answer.text)).toEqual({ method: 'PUT', url: '/v1/a%2Fb?x=1', sent: 'e' })
  })

  test('keeps characters whole that come in two chunks', async () => {
    const bytes = Buffer.from('{"name":"Zürich ☂"}')
    const port = await serve((_, response) => {
      response.write(bytes.subarray(0, 10))
      setImmediate(() => response.end(bytes.subarray(10)))
    })
    expect((await get(`http://127.0.0.1:${port}/`)).text).toBe(bytes.toString())
  })

  test('comes over connections that are kept', async () => {
    const ports = new Set<number | undefined>()
    const port = await serve((request, response) => {
      ports.add(request.socket.remotePort)
      response.end('{}')
    })
    const fetch = await transport()
    for (let i = 0; i < 8; i += 1) {
      await attempt(fetch, { method: 'GET', url: `http://127.0.0.1:${port}/`, headers: {} }, 20_000)
    }
    // a second is opened where the first is not yet seen to be free
    expect(ports.size).toBeLessThanOrEqual(2)
  })

  test('that is a redirect is not followed, so that the credential goes nowhere else', async () => {
    const seen: unknown[] = []
    const elsewhere = await serve((request, response) => {
      seen.push(request.headers.authorization)
      response.end('{}')
    })
    const port = await serve((_, response) => {
      response.writeHead(302, { location: `http://localhost:${elsewhere}/` }).end()
    })
    expect((await get(`http://127.0.0.1:${port}/`)).status).toBe(302)
    expect(seen).toEqual([])
  })
})

describe('a broken connection', () => {
  test('a server that takes the request and says nothing runs out of time', async () => {
    const port = await serve(() => undefined)
    const error = await failure(get(`http://127.0.0.1:${port}/`, { timeoutMs: 200 }))
    expect(error).toMatchObject({ code: 'timed-out', transient: true, maybeDone: true })
    expect(error.message).toBe(`127.0.0.1:${port} did not answer within 200ms`)
  })

  test('a body that drips in does not get more time for each drop', async () => {
    const port = await serve((_, response) => {
      const drip = setInterval(() => response.write(' '), 20)
      response.on('close', () => clearInterval(drip))
    })
    const error = await failure(get(`http://127.0.0.1:${port}/`, { timeoutMs: 300 }))
    expect(error).toMatchObject({ code: 'timed-out', maybeDone: true })
  })

  test('a body cut short is no answer', async () => {
    const port = await serve((_, response) => {
      response.writeHead(200, { 'content-length': 100 }).write('{"apiKeys":[')
      setTimeout(() => response.destroy(), 20)
    })
    const error = await failure(get(`http://127.0.0.1:${port}/`))
    expect(error).toMatchObject({ code: 'connection-failed', transient: true, maybeDone: true })
  })

  test('a connection that is cut before the answer may have done its work', async () => {
    const port = await serve((request) => request.socket.destroy())
    const error = await failure(get(`http://127.0.0.1:${port}/`))
    expect(error).toMatchObject({ code: 'connection-failed', transient: true, maybeDone: true })
    expect(error.message).toBe(`the connection to 127.0.0.1:${port} broke`)
  })

  test('a refused one has done nothing', async () => {
    const port = await closedPort()
    const error = await failure(get(`http://127.0.0.1:${port}/`))
    expect(error).toMatchObject({ code: 'connection-failed', transient: true, maybeDone: false })
    expect(error.message).toBe(`127.0.0.1:${port} refused the connection`)
    expect(error.hint).toContain('is the server running')
  })

  test('a host that does not exist', { timeout: 60_000 }, async () => {
    const error = await failure(get('http://nonexistent.invalid', { timeoutMs: 50_000 }))
    expect(error).toMatchObject({ code: 'dns-failed', maybeDone: false })
    expect(error.message).toContain('nonexistent.invalid')
  })

  test('a server that does not speak HTTP', async () => {
    const port = await listen(createTcpServer((socket) => socket.end('220 mail.example ESMTP\r\n')))
    const error = await failure(get(`http://127.0.0.1:${port}/`))
    expect(error).toMatchObject({ code: 'not-an-api', transient: false })
    expect(error.hint).toBe('is the base URL right?')
  })

  test('never shows the credential', async () => {
    const port = await serve((request) => request.socket.destroy())
    const error = await failure(get(`http://127.0.0.1:${port}/`))
    expect(`${error.message} ${error.hint} ${String(error.cause)} ${error.stack}`).not.toContain(
      'secretsecret',
    )
  })
})

describe('cancelling', () => {
  test('ends a request under way with the reason of the signal', async () => {
    const abort = new AbortController()
    const reason = new Error('enough')
    const port = await serve(() => abort.abort(reason))
    await expect(get(`http://127.0.0.1:${port}/`, { signal: abort.signal })).rejects.toBe(reason)
  })

  test('sends nothing when it comes first', async () => {
    let requests = 0
    const port = await serve((_, response) => {
      requests += 1
      response.end()
    })
    const signal = AbortSignal.abort(new Error('enough'))
    await expect(get(`http://127.0.0.1:${port}/`, { signal })).rejects.toThrow('enough')
    expect(requests).toBe(0)
  })

  test('does not wait for a connection that is not made yet', async () => {
    // a tunnel that never opens
    const proxy = createServer()
    const abort = new AbortController()
    proxy.on('connect', () => abort.abort(new Error('enough')))
    const port = await listen(proxy)
    const env = { HTTPS_PROXY: `http://127.0.0.1:${port}` }
    await expect(get('https://api.pictify.test/', { env, signal: abort.signal })).rejects.toThrow('enough')
  })

  test('leaves no listener on the signal', async () => {
    const port = await serve((_, response) => response.end('{}'))
    const { signal } = new AbortController()
    const added = vi.spyOn(signal, 'addEventListener')
    const removed = vi.spyOn(signal, 'removeEventListener')
    await get(`http://127.0.0.1:${port}/`, { signal })
    expect(added).toHaveBeenCalledTimes(1)
    expect(removed.mock.calls[0]?.[1]).toBe(added.mock.calls[0]?.[1])
  })
})

describe('TLS', () => {
  test.each([
    ['self-signed', 'is not trusted', 'signed by itself'],
    ['localhost', 'is not trusted', 'nobody here knows the authority'],
  ])('a certificate that nobody vouches for (%s) is refused', async (name, message, hint) => {
    const port = await serveTls(name)
    const error = await failure(get(`https://localhost:${port}/`))
    expect(error).toMatchObject({ code: 'tls-failed', transient: false, maybeDone: false })
    expect(error.message).toContain(message)
    expect(error.hint).toContain(hint)
    expect(error.hint).toContain('--ca-file')
  })

  test.each([
    ['expired', 'has expired', 'date of this machine'],
    ['other-host', 'is not for that name', 'another host'],
  ])('a certificate of a trusted authority that is wrong (%s) is refused', async (name, message, hint) => {
    const port = await serveTls(name)
    const error = await failure(get(`https://localhost:${port}/`, { options: { caFile: certificate('ca') } }))
    expect(error).toMatchObject({ code: 'tls-failed', transient: false })
    expect(error.message).toBe(`the certificate of localhost:${port} ${message}`)
    expect(error.hint).toContain(hint)
  })

  test('a CA file is trusted beside the usual authorities', async () => {
    const port = await serveTls('localhost')
    const answer = await get(`https://localhost:${port}/`, { options: { caFile: certificate('ca') } })
    expect(answer.status).toBe(200)
  })

  test('NODE_EXTRA_CA_CERTS stays trusted with a CA file', async () => {
    const port = await serveTls('localhost')
    const env = { NODE_EXTRA_CA_CERTS: certificate('ca') }
    const answer = await get(`https://localhost:${port}/`, {
      env,
      options: { caFile: certificate('self-signed') },
    })
    expect(answer.status).toBe(200)
  })

  describe('of one server alone', () => {
    const pem = (name: string) => readFile(certificate(name), 'utf8')

    test('its authorities are trusted in place of all others', async () => {
      const port = await serveTls('localhost')
      const url = `https://localhost:${port}/`
      expect((await get(url, { options: { serverTls: { ca: [await pem('ca')] } } })).status).toBe(200)
      const other = get(url, {
        options: { caFile: certificate('ca'), serverTls: { ca: [await pem('self-signed')] } },
      })
      expect(await failure(other)).toMatchObject({ code: 'tls-failed', maybeDone: false })
    })

    test('its certificate may be for another name than the URL has', async () => {
      const port = await serveTls('other-host')
      const ca = [await pem('ca')]
      const url = `https://localhost:${port}/`
      expect((await failure(get(url, { options: { serverTls: { ca } } }))).code).toBe('tls-failed')
      const serverTls = { ca, servername: 'elsewhere.test' }
      expect((await get(url, { options: { serverTls } })).status).toBe(200)
    })

    test('any certificate will do where that is said', async () => {
      const port = await serveTls('expired')
      const answer = await get(`https://localhost:${port}/`, {
        options: { serverTls: { rejectUnauthorized: false } },
      })
      expect(answer.status).toBe(200)
    })
  })

  test('https to a port that speaks http says so', async () => {
    const port = await serve((_, response) => response.end())
    const error = await failure(get(`https://localhost:${port}/`))
    expect(error).toMatchObject({ code: 'tls-failed' })
    expect(error.hint).toContain('does not speak https')
  })

  test.each([
    ['no such file', certificate('missing'), 'cannot read the CA file'],
    ['a folder', fileURLToPath(new URL('certificates', import.meta.url)), 'cannot read the CA file'],
    [
      'not PEM',
      fileURLToPath(import.meta.url).replace('http.test.ts', 'certificates/README.md'),
      'no certificate',
    ],
  ])('a CA file that cannot be used is an error of usage: %s', async (_, caFile, message) => {
    await expect(createTransport({}, { caFile })).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining(message) as string,
    })
  })
})

test('closing drops a request under way', async () => {
  const { fetch, close } = await createTransport({})
  const port = await serve(() => void close())
  const error = await failure(
    attempt(fetch, { method: 'GET', url: `http://127.0.0.1:${port}/`, headers: {} }, 20_000),
  )
  expect(error.code).toBe('connection-failed')
})
