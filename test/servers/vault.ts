// An OpenBao as its root sees it, spoken to without our code.
import { randomUUID } from 'node:crypto'
import { expect } from 'vitest'
import type { Fault, Place } from '../targets/contract.ts'
import type { Answer, FaultProxy } from './fault-proxy.ts'

export interface VaultFacts {
  url: string
  root: string
  /** The file of its audit log. */
  audit: string
  /** The program itself, for its command line. */
  binary: string
  sealedUrl: string
  tlsUrl: string
  /** Asks for a client certificate. */
  mutualTlsUrl: string
}

export interface Vault {
  /** One request as root; resolves to status, and what the text says. */
  ask(method: string, path: string, body?: unknown, namespace?: string): Promise<VaultAnswer>
  /** The same, which must succeed. */
  must(method: string, path: string, body?: unknown, namespace?: string): Promise<VaultAnswer['json']>
  /** A login under a policy, or with settings of its own. */
  createToken(policy: string, settings?: object): Promise<string>
}

interface VaultAnswer {
  status: number
  text: string
  json: VaultJson
}

/** What a test looks at; where it is not there, the test fails of itself. */
interface VaultJson {
  data: Record<string, unknown> & {
    data: Record<string, unknown> | null
    metadata: { version: number; custom_metadata: unknown } | undefined
    current_version: number
    role_id: string
    secret_id: string
  }
  auth: { client_token: string }
}

export function createVault({ url, root }: Pick<VaultFacts, 'url' | 'root'>): Vault {
  const ask: Vault['ask'] = async (method, path, body, namespace) => {
    const answer = await fetch(`${url}/v1/${path}`, {
      method,
      headers: { 'x-vault-token': root, ...(namespace !== undefined && { 'x-vault-namespace': namespace }) },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await answer.text()
    return { status: answer.status, text, json: JSON.parse(text || '{}') as VaultJson }
  }
  const must: Vault['must'] = async (method, path, body, namespace) => {
    const { status, text, json } = await ask(method, path, body, namespace)
    expect(`${status} ${status >= 300 ? text : ''}`).toMatch(/^2/)
    return json
  }
  return {
    ask,
    must,
    async createToken(policy, settings = {}) {
      const name = randomUUID()
      await must('PUT', `sys/policies/acl/${name}`, { policy })
      const { auth } = await must('POST', 'auth/token/create', { policies: [name], ...settings })
      return auth.client_token
    },
  }
}

/** A store for a whole suite. */
export async function createMount(vault: Vault, version: 1 | 2): Promise<string> {
  const mount = `kv${version}-${randomUUID().slice(0, 8)}`
  await vault.must('POST', `sys/mounts/${mount}`, { type: 'kv', options: { version: String(version) } })
  return mount
}

const others = { user: 'shop', port: 5432, 'é"': { nested: ['<&>', null, true] } }

/** A path of its own, one field of which is `KEY`. */
export function createPlace(vault: Vault, mount: string, kv: 1 | 2, proxy: FaultProxy): Place {
  const path = `team/app ${randomUUID().slice(0, 8)}`
  const encoded = path.replace(' ', '%20')
  const data = kv === 2 ? `${mount}/data/${encoded}` : `${mount}/${encoded}`
  const look = async () => {
    const { status, json } = await vault.ask('GET', data)
    if (status === 404) return { fields: undefined, labels: undefined }
    const fields = kv === 2 ? json.data.data : json.data
    return { fields: fields ?? undefined, labels: json.data.metadata?.custom_metadata }
  }
  return {
    spec: `vault:${mount}/${path}#KEY`,
    async put(value) {
      const fields = { ...others, ...(value !== undefined && { KEY: value }) }
      await vault.must('POST', data, kv === 2 ? { data: fields } : fields)
      if (kv === 2)
        await vault.must('POST', `${mount}/metadata/${encoded}`, { custom_metadata: { owner: 'ops' } })
    },
    async value() {
      return (await look()).fields?.['KEY'] as string | undefined
    },
    async others() {
      const { fields, labels } = await look()
      return { fields: fields && { ...fields, KEY: undefined }, labels }
    },
    async version() {
      // KV v1 counts nothing: what we asked it to change is counted instead
      if (kv === 1) return proxy.requests.filter((each) => isChange(each) && each.includes(encoded)).length
      const { status, json } = await vault.ask('GET', `${mount}/metadata/${encoded}`)
      return status === 404 ? 0 : json.data.current_version
    },
  }
}

const isChange = (request: string) => /^(POST|PUT|PATCH|DELETE) (?!\/v1\/sys\/)/.test(request)

/** What the server answers where it asks to wait, as it does under a rate limit quota. */
export function throttled(fault: Fault): Answer | undefined {
  if (fault !== 'throttled' && fault !== 'throttled once') return undefined
  return {
    status: 429,
    headers: { 'content-type': 'application/json', 'retry-after': '1' },
    body: '{"errors":["request path \\"x\\": rate limit quota exceeded"]}',
  }
}
