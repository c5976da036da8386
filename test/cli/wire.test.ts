import { createServer as createTcp, type AddressInfo, type Server } from 'node:net'
import { createServer as createTls } from 'node:https'
import { readFile } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { errorOf, openAccount, type Account } from './account.ts'

let account: Account
const servers: Server[] = []
beforeEach(async () => {
  account = await openAccount({ keys: 5 })
})
afterEach(async () => {
  await account.end()
  for (const server of servers.splice(0)) server.close()
})

async function listen(server: Server): Promise<number> {
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

const list = (url: string, ...args: string[]) => account.run(['list', '--json', '--api-url', url, ...args])

describe('a base URL that', () => {
  test.each([
    ['is not a URL', 'https://a b', 'invalid-url'],
    ['has no scheme', 'api.pictify.io', 'invalid-url'],
    ['is quoted', '"https://api.pictify.io"', 'invalid-url'],
    ['has a password', 'https://user:password@api.pictify.io', 'invalid-url'],
    ['is not https', 'http://api.pictify.example', 'insecure-url'],
    ['is of another scheme', 'ftp://api.pictify.io', 'invalid-url'],
  ])('%s is exit 2', async (_, url, code) => {
    const ran = await list(url)
    expect(ran).toMatchObject({ exit: 2, stdout: '' })
    expect(errorOf(ran).code).toBe(code)
    expect(errorOf(ran).hint).toBeTruthy()
    expect(ran.stderr).not.toContain('password@')
  })

  test('flag goes before environment', async () => {
    const ran = await account.run(['list', '--json', '--api-url', account.sandbox.url], {
      env: { PICTIFY_API_URL: 'nonsense' },
    })
    expect(ran.exit).toBe(0)
  })

  test('answers HTML is not an API', async () => {
    account.sandbox.addFault('html')
    const ran = await list(account.sandbox.url)
    expect(ran).toMatchObject({ exit: 1, stdout: '' })
    expect(errorOf(ran).code).toBe('not-an-api')
  })
})

describe('a connection that', () => {
  test('is refused', async () => {
    const port = await listen(createTcp())
    servers.splice(0).forEach((server) => server.close())
    const ran = await list(`http://127.0.0.1:${port}`)
    expect(ran.exit).toBe(1)
    expect(errorOf(ran).code).toBe('connection-failed')
    expect(errorOf(ran).message).toContain(String(port))
  })

  test('cannot be: the name does not resolve', async () => {
    const ran = await list('https://nowhere.invalid')
    expect(ran.exit).toBe(1)
    expect(errorOf(ran).code).toBe('dns-failed')
  })

  test('cannot be trusted, until --ca-file says so', async () => {
    const certificate = new URL('../certificates/', import.meta.url)
    const [cert, key] = await Promise.all(
      ['localhost.pem', 'server-key.pem'].map((name) => readFile(new URL(name, certificate))),
    )
    const port = await listen(
      createTls({ cert, key }, (_, response) => response.end(JSON.stringify({ apiKeys: [] }))),
    )
    const ran = await list(`https://localhost:${port}`)
    expect(ran.exit).toBe(1)
    expect(errorOf(ran).code).toBe('tls-failed')
    const caFile = new URL('ca.pem', certificate).pathname
    const trusted = await list(`https://localhost:${port}`, '--ca-file', caFile)
    expect(trusted).toMatchObject({ exit: 0, stdout: '{"apiKeys":[]}\n' })
    const missing = await list(`https://localhost:${port}`, '--ca-file', 'missing.pem')
    expect(missing.exit).toBe(2)
    expect(errorOf(missing).message).toContain('missing.pem')
  })

  test('stalls ends with --timeout', async () => {
    account.sandbox.addFault('stall')
    const ran = await list(account.sandbox.url, '--timeout', '300ms')
    expect(ran).toMatchObject({ exit: 1, stdout: '' })
    expect(errorOf(ran).code).toBe('timed-out')
  })
})

describe('an answer that', () => {
  test('is cut short prints no half document', async () => {
    account.sandbox.addFault('cut-body')
    const ran = await list(account.sandbox.url)
    expect(ran).toMatchObject({ exit: 1, stdout: '' })
    expect(errorOf(ran).message).not.toBe('')
  })

  test('fails now and then is asked for again', async () => {
    account.sandbox.addFault('status-503@1')
    const ran = await list(account.sandbox.url)
    expect(ran.exit).toBe(0)
    expect((JSON.parse(ran.stdout) as { apiKeys: unknown[] }).apiKeys).toHaveLength(6)
  })

  test('comes in the other envelope is read all the same', async () => {
    account.sandbox.addFault('list-under=keys')
    expect((await list(account.sandbox.url)).exit).toBe(0)
  })
})

test('--debug tells every request and never a secret', async () => {
  const ran = await account.run(['list', '--debug'])
  expect(ran.exit).toBe(0)
  expect(ran.stderr).toMatch(/GET \/api-keys.* 200/)
  expect(ran.stderr).not.toContain(account.sandbox.adminKey.reveal().slice(8))
})
