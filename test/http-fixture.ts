import { readFile } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Server, Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { afterEach, expect } from 'vitest'
import { RequestFailure } from '../src/connection-failure.ts'
import { attempt, createTransport, type TransportOptions } from '../src/http.ts'

/** What the tests opened; closed after each, last first. */
export const undo: (() => Promise<unknown> | void)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

export const certificate = (name: string) =>
  fileURLToPath(new URL(`certificates/${name}.pem`, import.meta.url))

export async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => sockets.add(socket))
  undo.push(() => {
    for (const socket of sockets) socket.destroy()
    return new Promise((resolve) => server.close(resolve))
  })
  return (server.address() as AddressInfo).port
}

export const serve = (listener: RequestListener) => listen(createServer(listener))

export async function serveTls(
  name: string,
  listener: RequestListener = (_, response) => response.end('{}'),
) {
  const [cert, key] = await Promise.all([readFile(certificate(name)), readFile(certificate('server-key'))])
  return listen(createTlsServer({ cert, key }, listener))
}

export async function transport(env: Record<string, string> = {}, options?: TransportOptions) {
  const made = await createTransport(env, options)
  undo.push(() => made.close())
  return made.fetch
}

interface GetOptions {
  timeoutMs?: number
  env?: Record<string, string>
  options?: TransportOptions
  signal?: AbortSignal
}

export async function get(url: string, { timeoutMs = 20_000, env, options, signal }: GetOptions = {}) {
  const request = { method: 'GET', url, headers: { authorization: 'Bearer pk_live_secretsecret' } }
  return attempt(await transport(env, options), request, timeoutMs, signal)
}

export async function failure(promise: Promise<unknown>): Promise<RequestFailure> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(RequestFailure)
  return error as RequestFailure
}

/** A port that nothing listens on. */
export async function closedPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
