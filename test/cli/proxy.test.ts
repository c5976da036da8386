import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { errorOf, openAccount, type Account } from './account.ts'

// The program as it is bundled: what of undici serves proxies is in a chunk of its own, which no other run loads.
let account: Account
let proxy: Server
let address: string
const seen: string[] = []

beforeEach(async () => {
  account = await openAccount()
  seen.length = 0
  proxy = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`)
    response.setHeader('content-type', 'application/json').end('{"apiKeys":[]}')
  })
  proxy.on('connect', (request, socket) => {
    seen.push(`CONNECT ${request.url}`)
    socket.end('HTTP/1.1 403 Forbidden\r\n\r\n')
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
})
afterEach(async () => {
  proxy.close()
  await account.end()
})

test('HTTP_PROXY is asked for what is plain http', async () => {
  const ran = await account.run(
    ['list', '--json', '--api-url', 'http://api.pictify.test', '--insecure-http'],
    {
      env: { HTTP_PROXY: address },
    },
  )
  expect(ran).toMatchObject({ exit: 0, stdout: '{"apiKeys":[]}\n' })
  expect(seen).toEqual(['GET http://api.pictify.test/api-keys?page=1&limit=100'])
})

test('HTTPS_PROXY is asked for a tunnel; where it gives none, the run fails and says so', async () => {
  const ran = await account.run(['list', '--json', '--api-url', 'https://api.pictify.test'], {
    env: { HTTPS_PROXY: address },
  })
  expect(ran.exit).toBe(1)
  expect(errorOf(ran)).toMatchObject({ code: 'connection-failed' })
  expect(errorOf(ran).message).toContain('proxy')
  expect(seen[0]).toBe('CONNECT api.pictify.test:443')
})
