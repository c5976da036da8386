// What GitHub keeps of repositories and organizations, and what it answers to whom. It opens the sealed boxes, so that a
// test sees what an application would find.
import sodium from 'libsodium-wrappers'
import { allows, type Grant, refusalOf } from './github-grants.ts'
import { exampleOf, operationOf } from './github-wire.ts'

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

export const refuse = (status: number, message: string, headers: Record<string, string> = {}): Answer => {
  return {
    status,
    headers,
    body: { message, documentation_url: 'https://docs.github.com/rest', status: `${status}` },
  }
}

/** Holders of secrets are called `repos/acme/app`, `repos/acme/app/production`, `orgs/acme`. */
export async function createGitHubState() {
  await sodium.ready
  const holders = new Map<string, Holder>()
  const repositories = new Map<string, Repository>()
  const moved = new Map<string, number>()
  let lateMs = 0
  let keys = 0
  let numbers = 1_000

  const now = () => Date.now() + lateMs
  const instant = (at: number) => new Date(at).toISOString().replace(/\.\d+Z/, 'Z')
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

  const holderOf = (of: string): Holder => {
    const holder = holders.get(of.toLowerCase()) ?? { secrets: new Map<string, StoredSecret>() }
    holders.set(of.toLowerCase(), holder)
    return holder
  }

  return {
    /** GitHub's own clock. */
    now,
    answerTo,
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
  }
}
