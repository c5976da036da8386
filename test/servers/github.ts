// GitHub's REST API for Actions secrets, as far as targets and `gh` ask it: in memory, over TLS, on loopback. What is
// asked and answered is held against GitHub's published description; tokens may do what their scopes or permissions say;
// it fails as it is told.
import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { Fault } from '../targets/contract-fixture.ts'
import type { Grant } from './github-grants.ts'
import { type Answer, createGitHubState, refuse } from './github-state.ts'
import { answerProblems, requestProblems } from './github-wire.ts'

const certificate = (name: string) => fileURLToPath(new URL(`../certificates/${name}.pem`, import.meta.url))
/** What a client has to trust. */
export const authority = certificate('ca')

export type GitHubServer = Awaited<ReturnType<typeof createGitHubServer>>

export async function createGitHubServer() {
  const state = await createGitHubState()
  const { now } = state
  const grants = new Map<string, Grant | 'expired'>()
  const requests: { method: string; path: string; token: string; body: string }[] = []
  const violations: string[] = []
  const planned: Answer[] = []
  let failing: { fault: Fault; fits: (method: string, path: string) => boolean } | undefined
  let pending: { method: string; change: () => void | Promise<void> } | undefined
  let lost = 0
  const waiting: (() => void)[] = []

  function failure(fault: Fault): Answer {
    const reset = String(Math.ceil(now() / 1_000) + 2)
    const limit = { 'x-ratelimit-limit': '5000', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset }
    if (fault === 'forbidden') return refuse(403, 'Resource not accessible by personal access token')
    if (fault === 'expired') return refuse(401, 'Bad credentials')
    if (fault === 'throttled') return refuse(403, 'API rate limit exceeded for user ID 1.', limit)
    return refuse(429, 'You have exceeded a secondary rate limit.', { 'retry-after': '1' })
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', headers } = request
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks).toString()
    const [, prefix = '', rest = ''] = /^(\/api\/v3)?(.*)$/.exec(request.url ?? '') ?? []
    const url = new URL(rest, `https://${headers.host}`)
    url.hash = prefix
    const token = /^(?:bearer|token) (.*)$/i.exec(headers.authorization ?? '')?.[1] ?? ''
    requests.push({ method, path: url.pathname + url.search, token, body })
    const note = (problems: string[], what: string) =>
      violations.push(...problems.map((problem) => `${method} ${url.pathname}${what}: ${problem}`))
    if (!url.pathname.startsWith('/repositories/')) note(requestProblems(method, url, headers, body), '')

    const fails = failing?.fits(method, url.pathname) ? failing.fault : undefined
    if (fails === 'slow') {
      for (const tell of waiting.splice(0)) tell()
      return
    }
    if (fails === 'down') return void request.socket.destroy()
    if (fails === 'throttled once') failing = undefined
    if (fails === undefined && pending?.method === method) {
      const { change } = pending
      pending = undefined
      await change()
    }
    const grant = grants.get(token)
    const answer =
      planned.shift() ??
      (fails !== undefined
        ? failure(fails)
        : grant === undefined || grant === 'expired'
          ? failure('expired')
          : state.answerTo(method, url, body, grant))
    if (method === 'PUT' && lost > 0) {
      lost--
      return void request.socket.destroy()
    }
    const text = answer.body === undefined ? '' : JSON.stringify(answer.body)
    note(answerProblems(method, url.pathname, answer.status, text), ` → ${answer.status}`)
    const scopes =
      typeof grant === 'object' && grant.scopes ? { 'x-oauth-scopes': grant.scopes.join(', ') } : {}
    response
      .writeHead(answer.status, {
        date: new Date(now()).toUTCString(),
        'x-ratelimit-remaining': '4999',
        ...(text && { 'content-type': 'application/json; charset=utf-8' }),
        ...scopes,
        ...answer.headers,
      })
      .end(text)
  }

  const listener = (request: IncomingMessage, response: ServerResponse) => void handle(request, response)
  const tls = { key: readFileSync(certificate('server-key')), cert: readFileSync(certificate('localhost')) }
  const server = createServer(tls, listener)
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => sockets.add(socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))

  return {
    ...state,
    /** As `GH_HOST` names it. */
    host: `localhost:${(server.address() as AddressInfo).port}`,
    requests,
    /** How requests and answers broke GitHub's description. */
    violations,
    grant: (token: string, grant: Grant | 'expired') => void grants.set(token, grant),
    /** Fails from now on, where it fits; the way to end that. */
    fail(fault: Fault, fits: (method: string, path: string) => boolean = () => true): () => void {
      failing = { fault, fits }
      // what is kept alive would not notice
      if (fault === 'down') for (const socket of sockets) socket.destroy()
      return () => void (failing = undefined)
    },
    /** Runs `change` before the next request of that method is looked at. */
    beforeNext: (method: string, change: () => void | Promise<void>) => void (pending = { method, change }),
    /** Resolves when the next request has come that is not answered, for it is slow. */
    untilHeld: () => new Promise<void>((resolve) => waiting.push(resolve)),
    /** Does the next writes, and answers none of them. */
    loseAnswers: (count: number) => void (lost = count),
    /** Answers the next requests so, whatever they are. */
    answerNext: (...answers: Answer[]) => void planned.splice(0, planned.length, ...answers),
    refuse,
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
