import { http, HttpResponse, type HttpResponseResolver } from 'msw'
import { setupServer } from 'msw/node'
import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import { createClient, type ClientOptions } from '../../src/api/client.ts'
import type { Key } from '../../src/api/contract.ts'
import type { Clock } from '../../src/clock.ts'
import { KeysError } from '../../src/errors.ts'
import { Secret } from '../../src/secret.ts'

export const baseUrl = 'https://api.pictify.test'
export const adminSecret = 'pk_live_adminadminadmin'
/** 2026-03-01T12:00:00Z, where every virtual clock starts. */
export const start = Date.UTC(2026, 2, 1, 12)

export const server = setupServer()

/** Call once in a test file: every request that no handler takes is an error. */
export function useServer(): void {
  beforeAll(() => server.listen({ onUnhandledRequest: 'error' }))
  afterEach(() => server.resetHandlers())
  afterAll(() => server.close())
}

/** A clock on which sleeping takes no time and is written down. */
export function virtualClock(): Clock & { slept: number[] } {
  let now = start
  const slept: number[] = []
  return {
    slept,
    now: () => now,
    async sleep(ms, signal) {
      signal?.throwIfAborted()
      slept.push(ms)
      now += ms
    },
  }
}

/** A client over msw, on a virtual clock, with the longest of every random pause. */
export function client(options: Partial<ClientOptions> = {}) {
  return createClient({
    fetch: (url, init) => globalThis.fetch(url, init),
    baseUrl,
    credential: new Secret(adminSecret),
    version: '1.2.3',
    clock: virtualClock(),
    random: () => 1,
    ...options,
  })
}

export function key(fields: Partial<Key> = {}): Key {
  return {
    id: 'key_abc123',
    name: 'Production Server',
    type: 'live',
    status: 'active',
    createdAt: '2026-01-01T00:00:00.000Z',
    lastUsedAt: null,
    ...fields,
  }
}

export interface Seen {
  method: string
  url: URL
  headers: Headers
  body: string
}

/** Answers calls to `path` in turn with `answers` (the last one over and over), and writes down what came. */
export function answering(path: string, ...answers: ((call: Seen) => Response)[]): Seen[] {
  const seen: Seen[] = []
  const resolver: HttpResponseResolver = async ({ request }) => {
    const call = {
      method: request.method,
      url: new URL(request.url),
      headers: request.headers,
      body: await request.text(),
    }
    seen.push(call)
    return answers[Math.min(seen.length, answers.length) - 1]?.(call)
  }
  server.use(http.all(`${baseUrl}${path}`, resolver))
  return seen
}

export const json = (body: unknown, status = 200, headers: Record<string, string> = {}) => {
  return () => HttpResponse.json(body as Record<string, unknown>, { status, headers })
}

export const text = (body: string | null, status = 200, headers: Record<string, string> = {}) => {
  return () => new HttpResponse(body, { status, headers })
}

/** No answer at all. */
export const broken = () => HttpResponse.error()

export async function failure(promise: Promise<unknown>): Promise<KeysError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(KeysError)
  return error as KeysError
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}
