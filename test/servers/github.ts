// GitHub's REST API for Actions secrets, as far as targets and `gh` ask it: in memory, over TLS, on loopback. It opens
// the sealed boxes, so that a test sees what an application would find; what is asked and answered is held against
// GitHub's published description; tokens may do what their scopes or permissions say.
import sodium from 'libsodium-wrappers'
import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { Fault } from '../targets/contract-fixture.ts'
import { allows, type Grant, refusalOf } from './github-grants.ts'
import { answerProblems, exampleOf, operationOf, requestProblems } from './github-wire.ts'

const certificate = (name: string) => fileURLToPath(new URL(`../certificates/${name}.pem`, import.meta.url))
/** What a client has to trust. */
export const authority = certificate('ca')

export interface StoredSecret {
  value: string
  createdAt: number
  updatedAt: number
  visibility?: string
  repositories: number[]
}
interface Holder {
  secrets: Map<string, StoredSecret>
  key?: { id: string; publicKey: Uint8Array; privateKey: Uint8Array } | undefined
}
interface Repository {
  id: number
  fullName: string
  archived: boolean
}

export interface Answer {
  status: number
  headers?: Record<string, string>
  body?: object
}

export type GitHubServer = Awaited<ReturnType<typeof createGitHubServer>>

/** `public-key` and `secrets` in what follows are of holders: `repos/acme/app`, `repos/acme/app/production`, `orgs/acme`. */
export async function createGitHubServer() {
  await sodium.ready
  const holders = new Map<string, Holder>()
  const repositories = new Map<string, Repository>()
  const moved = new Map<string, number>()
  const grants = new Map<string, Grant | 'expired'>()
  const requests: { method: string; path: string; token: string; body: string }[] = []
  const violations: string[] = []
  const planned: Answer[] = []
  let failing: { fault: Fault; fits: (method: string, path: string) => boolean } | undefined
  let pending: { method: string; change: () => void | Promise<void> } | undefined
  let lost = 0
  let lateMs = 0
  let keys = 0
  let numbers = 1_000

  const now = () => Date.now() + lateMs
  const instant = (at: number) => new Date(at).toISOString().replace(/\.\d+Z/, 'Z')
  const refuse = (status: number, message: string, headers: Record<string, string> = {}): Answer => {
    return {
      status,
      headers,
      body: { message, documentation_url: 'https://docs.github.com/rest', status: `${status}` },
    }
  }
  const notFound = refuse(404, 'Not Found')

  function keyOf(holder: Holder) {
    const pair = () => ({ id: String(++keys), ...sodium.crypto_box_keypair() })
    return (holder.key ??= pair())
  }

  function shown(name: string, { createdAt, updatedAt, visibility }: StoredSecret) {
    const base = { name, created_at: instant(createdAt), updated_at: instant(updatedAt) }
    return visibility === undefined ? base : { ...base, visibility }
  }

  function shownRepository({ id, fullName, archived }: Repository, { role }: Grant) {
    const permissions = {
      admin: role === 'admin',
      maintain: role === 'admin',
      push: role !== 'read',
      triage: true,
      pull: true,
    }
    const [, name] = fullName.split('/')
    // GitHub's own example lacks what its description wants, and is a fork of another
    const { source: _source, parent: _parent, ...example } = exampleOf('/repos/{owner}/{repo}')
    return { ...example, id, name, full_name: fullName, language: null, archived, permissions }
  }

  function put(holder: Holder, name: string, body: string): Answer {
    const sent = JSON.parse(body) as Record<string, string> & { selected_repository_ids?: number[] }
    const { id, publicKey, privateKey } = keyOf(holder)
    const broken = refuse(422, 'Bad request - validation failed due to an improperly encrypted secret')
    if (sent['key_id'] !== id) return broken
    let value: string
    try {
      const box = Buffer.from(sent['encrypted_value'] ?? '', 'base64')
      value = sodium.to_string(sodium.crypto_box_seal_open(box, publicKey, privateKey))
    } catch {
      return broken
    }
    if (Buffer.byteLength(value) > 48 * 1024) return refuse(422, 'Secret value is too large')
    const before = holder.secrets.get(name)
    const { visibility, selected_repository_ids: selected } = sent
    const kept = {
      value,
      createdAt: before?.createdAt ?? now(),
      updatedAt: now(),
      repositories: visibility === 'selected' ? (selected ?? []) : [],
    }
    holder.secrets.set(name, visibility === undefined ? kept : { ...kept, visibility })
    return before ? { status: 204 } : { status: 201, body: {} }
  }

  function answerTo(method: string, url: URL, body: string, grant: Grant): Answer {
    const number = /^\/repositories\/(\d+)$/.exec(url.pathname)?.[1]
    if (number !== undefined) {
      const found = [...repositories.values()].find(({ id }) => id === Number(number))
      return found ? { status: 200, body: shownRepository(found, grant) } : notFound
    }
    const { template = '', parameters = {} } = operationOf(method, url.pathname) ?? {}
    const { owner, repo, org, environment_name: environment, secret_name: raw } = parameters
    const name = raw?.toUpperCase() ?? ''
    if (template === '/user') return { status: 200, body: exampleOf('/user') }
    const base = org === undefined ? `repos/${owner}/${repo}` : `orgs/${org}`
    const movedTo = moved.get(base.toLowerCase())
    if (movedTo !== undefined) {
      const location = `${url.origin}${url.hash.slice(1)}/repositories/${movedTo}`
      const body = {
        message: 'Moved Permanently',
        url: location,
        documentation_url: 'https://docs.github.com',
      }
      return { status: 301, headers: { location }, body }
    }
    const repository = repositories.get(base.toLowerCase())
    const holder = holders.get((environment === undefined ? base : `${base}/${environment}`).toLowerCase())
    if (org === undefined && repository === undefined) return notFound
    const kind = org !== undefined ? 'organization' : environment !== undefined ? 'environment' : 'repository'
    const isSeen = allows(grant, kind, method, template)
    if (repository && template === '/repos/{owner}/{repo}') {
      return !isSeen ? notFound : { status: 200, body: shownRepository(repository, grant) }
    }
    if (!isSeen) return refusalOf(grant)
    if (holder === undefined) return notFound
    if (template.endsWith('/public-key')) {
      const { id, publicKey } = keyOf(holder)
      return { status: 200, body: { key_id: id, key: Buffer.from(publicKey).toString('base64') } }
    }
    if (raw === undefined) {
      const secrets = [...holder.secrets].map(([each, secret]) => shown(each, secret))
      return { status: 200, body: { total_count: secrets.length, secrets } }
    }
    if (method === 'PUT') {
      return repository?.archived
        ? refuse(403, 'Repository was archived so is read-only.')
        : put(holder, name, body)
    }
    const secret = holder.secrets.get(name)
    if (secret === undefined) return notFound
    if (method === 'DELETE') {
      holder.secrets.delete(name)
      return { status: 204 }
    }
    if (template.endsWith('/repositories')) return selectedPage(secret, url, grant)
    return { status: 200, body: shown(name, secret) }
  }

  function selectedPage({ repositories: ids }: StoredSecret, { searchParams }: URL, { sees }: Grant): Answer {
    const [example] = exampleOf('/orgs/{org}/actions/secrets/{secret_name}/repositories')[
      'repositories'
    ] as object[]
    const size = Number(searchParams.get('per_page') ?? 30)
    const from = (Number(searchParams.get('page') ?? 1) - 1) * size
    const page = ids.filter((id) => sees?.includes(id) ?? true).slice(from, from + size)
    return {
      status: 200,
      body: { total_count: ids.length, repositories: page.map((id) => ({ ...example, id })) },
    }
  }

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
    if (fails === 'slow') return
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
          : answerTo(method, url, body, grant))
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

  const holderOf = (of: string): Holder => {
    const holder = holders.get(of.toLowerCase()) ?? { secrets: new Map<string, StoredSecret>() }
    holders.set(of.toLowerCase(), holder)
    return holder
  }
  return {
    /** As `GH_HOST` names it. */
    host: `localhost:${(server.address() as AddressInfo).port}`,
    requests,
    /** How requests and answers broke GitHub's description. */
    violations,
    addRepository(fullName: string): Repository {
      const added = { id: ++numbers, fullName, archived: false }
      repositories.set(`repos/${fullName}`.toLowerCase(), added)
      holderOf(`repos/${fullName}`)
      return added
    },
    addEnvironment: (fullName: string, environment: string) =>
      void holderOf(`repos/${fullName}/${environment}`),
    addOrganization: (organization: string) => void holderOf(`orgs/${organization}`),
    renameRepository(from: string, to: string) {
      const repository = repositories.get(`repos/${from}`.toLowerCase())
      if (repository === undefined) throw new Error(`there is no repository ${from}`)
      repositories.delete(`repos/${from}`.toLowerCase())
      repositories.set(`repos/${to}`.toLowerCase(), { ...repository, fullName: to })
      moved.set(`repos/${from}`.toLowerCase(), repository.id)
    },
    grant: (token: string, grant: Grant | 'expired') => void grants.set(token, grant),
    /** The secrets of a holder, as an application finds them. */
    secretsOf: (of: string) => holderOf(of).secrets,
    /** Changes a secret as somebody else would; undefined: removes it. */
    change(of: string, name: string, value: string | undefined, more: Partial<StoredSecret> = {}) {
      const { secrets } = holderOf(of)
      const made = { createdAt: now(), repositories: [] }
      const before = secrets.get(name) ?? (of.startsWith('orgs/') ? { ...made, visibility: 'all' } : made)
      if (value === undefined) secrets.delete(name)
      else secrets.set(name, { ...before, value, updatedAt: now(), ...more })
    },
    /** GitHub's own clock goes on by that. */
    passTime: (ms: number) => void (lateMs += ms),
    turnKeys() {
      for (const holder of holders.values()) holder.key = undefined
    },
    /** Fails from now on, where it fits; the way to end that. */
    fail(fault: Fault, fits: (method: string, path: string) => boolean = () => true): () => void {
      failing = { fault, fits }
      // what is kept alive would not notice
      if (fault === 'down') for (const socket of sockets) socket.destroy()
      return () => void (failing = undefined)
    },
    /** Runs `change` before the next request of that method is looked at. */
    beforeNext: (method: string, change: () => void | Promise<void>) => void (pending = { method, change }),
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
