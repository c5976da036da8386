import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Clock } from '../../src/clock.ts'
import type { HttpAnswer } from '../../src/http.ts'
import { createStoreRequests, type StoreRequest } from '../../src/targets/store-request.ts'
import { failure } from './contract.ts'
import { testDeps } from './deps.ts'

type Answer = { status: number; headers?: Record<string, string> } | 'cut'

let answers: Answer[]
let requests: { method: string | undefined; url: string | undefined; body: string }[]
let slept: number[]
let debugged: string[]
let baseUrl: string
let close: () => Promise<unknown>

beforeEach(async () => {
  answers = []
  requests = []
  slept = []
  debugged = []
  const server = createServer((request, response) => void answer(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`
  close = () => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  }
})
afterEach(() => close())

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let body = ''
  for await (const chunk of request) body += String(chunk)
  requests.push({ method: request.method, url: request.url, body })
  const next = answers.shift() ?? { status: 200 }
  if (next === 'cut') request.socket.destroy()
  else response.writeHead(next.status, next.headers).end('{"ok":true}')
}

const clock = {
  now: () => Date.parse('2026-01-01T00:00:00Z'),
  sleep: async (ms: number) => void slept.push(ms),
}
function send(
  request: Partial<StoreRequest> = {},
  {
    url = baseUrl,
    throttledMs,
    sleep = clock.sleep,
  }: { url?: string; throttledMs?: (answer: HttpAnswer) => number | undefined; sleep?: Clock['sleep'] } = {},
) {
  const deps = testDeps('/', {
    clock: { ...clock, sleep },
    debug: (line) => debugged.push(line),
    env: {},
  })
  const requestsTo = createStoreRequests({ name: 'store:a', baseUrl: url, deps, throttledMs })
  return requestsTo(
    { method: 'GET', path: '/x', headers: { 'x-token': 'hidden' }, repeatable: true, ...request },
    new AbortController().signal,
  )
}

test('sends JSON that is written already as it is', async () => {
  await send({ method: 'POST', json: '{"n": 12345678901234567890}' })
  expect(requests[0]?.body).toBe('{"n": 12345678901234567890}')
})

test('sends JSON, and gives any answer as it is', async () => {
  answers = [{ status: 403 }]
  const { status, text } = await send({ method: 'POST', path: '/a%2Fb', body: { value: 1 } })
  expect({ status, text }).toEqual({ status: 403, text: '{"ok":true}' })
  expect(requests).toEqual([{ method: 'POST', url: '/v1/a%2Fb', body: '{"value":1}' }])
  expect(debugged).toEqual(['store:a: POST /a%2Fb 403'])
})

describe('asks again', () => {
  test.each([429, 502, 503, 504])('after %i, with growing pauses, four times in all', async (status) => {
    answers = [{ status }, { status }, { status }, { status }]
    expect((await send({ method: 'PUT', repeatable: false })).status).toBe(status)
    expect(requests).toHaveLength(4)
    expect(slept).toEqual([500, 1_000, 2_000])
  })

  test('when the store says, in seconds or as a date, and at most 20 s later', async () => {
    answers = [
      { status: 429, headers: { 'retry-after': '3' } },
      { status: 503, headers: { 'retry-after': 'Thu, 01 Jan 2026 00:00:07 GMT' } },
      { status: 503, headers: { 'retry-after': '86400' } },
    ]
    expect((await send()).status).toBe(200)
    expect(slept).toEqual([3_000, 7_000, 20_000])
  })

  test('after a lost answer, where that is safe', async () => {
    answers = ['cut', 'cut']
    expect((await send({ method: 'PUT' })).status).toBe(200)
    expect(requests).toHaveLength(3)
  })

  test('after as long as a store says in its own way, and not where that is too long', async () => {
    const throttledMs = ({ headers }: HttpAnswer) => Number(headers.get('x-wait')) || undefined
    answers = [
      { status: 403, headers: { 'x-wait': '2000' } },
      { status: 403, headers: { 'x-wait': '20001' } },
    ]
    expect((await send({}, { throttledMs })).status).toBe(403)
    expect(slept).toEqual([2_000])
    expect((await send({}, { throttledMs })).status).toBe(200)
  })
})

describe('what came of an earlier attempt is told', () => {
  test.each<[string, Answer[], boolean]>([
    ['an answer that was lost', ['cut', { status: 403 }], true],
    ['an answer in its stead', [{ status: 502 }, { status: 403 }], true],
    ['a refusal for now', [{ status: 429 }, { status: 403 }], false],
    ['the only one', [{ status: 403 }], false],
  ])('%s', async (_what, given, maybeDone) => {
    answers = given
    expect(await send({ method: 'PUT' })).toMatchObject({ status: 403, maybeDone })
  })

  test('also where nobody is there by the end', async () => {
    answers = ['cut']
    let isOpen = true
    const sleep = async () => {
      if (isOpen) await close()
      isOpen = false
    }
    expect((await failure(send({ method: 'PUT' }, { sleep }))).code).toBe('target-unclear')
    close = async () => {}
  })
})

test('does not ask again after a lost answer where that is not safe: it may have been done', async () => {
  answers = ['cut']
  const error = await failure(send({ method: 'POST', repeatable: false }))
  expect(error).toMatchObject({ code: 'target-unclear' })
  expect(error.message).toMatch(/^store:a: the connection to 127\.0\.0\.1/)
  expect(requests).toHaveLength(1)
})

test('a look whose answer was lost did nothing', async () => {
  answers = ['cut', 'cut', 'cut', 'cut']
  expect((await failure(send())).code).toBe('target-failed')
})

test('nobody there: nothing was done', async () => {
  await close()
  const error = await failure(send())
  expect(error).toMatchObject({ code: 'target-failed' })
  expect(error.message).toContain('refused the connection')
  close = async () => {}
})
