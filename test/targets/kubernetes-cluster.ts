// The cluster as others see it: plain HTTPS to its API, without our code and without the library that it uses.
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { Agent, request } from 'node:https'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'

/** What scripts/servers/kubernetes.js tells of the cluster. */
export interface ClusterFacts {
  url: string
  ca: string
  token: string
}

export interface KubeObject {
  kind?: string
  type?: string
  immutable?: boolean
  metadata: {
    name: string
    namespace?: string
    uid?: string
    resourceVersion?: string
    labels?: Record<string, string>
    annotations?: Record<string, string>
    deletionTimestamp?: string
    managedFields?: { manager: string; operation: string; fieldsV1: object }[]
  }
  data?: Record<string, string>
}

export interface Reply<T = KubeObject> {
  status: number
  body: T
}

export const mergePatch = 'application/merge-patch+json'

export interface Cluster {
  /** A request as its administrator, or as whoever has the `token`. */
  ask<T = KubeObject>(
    method: string,
    at: string,
    body?: unknown,
    more?: { type?: string; token?: string },
  ): Promise<Reply<T>>
  /** As `ask`, where anything but a success fails the test. */
  make(at: string, body: unknown, method?: string, type?: string): Promise<KubeObject>
  /** The name of a new namespace. */
  namespace(): Promise<string>
  /** A new service account with the rules of these roles, and a token of it. */
  account(namespace: string, rules: object[]): Promise<{ name: string; token: string }>
  /** Writes a kubeconfig for a token, or another way to sign in, and resolves to its path. */
  kubeconfig(user: string | object, at?: { url?: string; file?: string; namespace?: string }): Promise<string>
  kubectl(args: string[], input?: string): Promise<string>
  close(): Promise<void>
}

export async function openCluster({ url, ca, token: admin }: ClusterFacts): Promise<Cluster> {
  const folder = await mkdtemp(path.join(tmpdir(), 'pictify-keys-kube-'))
  const agent = new Agent({ ca: readFileSync(ca), keepAlive: true })

  const cluster: Cluster = {
    ask<T>(method: string, at: string, body?: unknown, more: { type?: string; token?: string } = {}) {
      const { type = 'application/json', token = admin } = more
      return new Promise<Reply<T>>((resolve, reject) => {
        const headers = { authorization: `Bearer ${token}`, 'content-type': type }
        const sent = request(new URL(at, url), { method, agent, headers }, (response) => {
          let text = ''
          response.setEncoding('utf8')
          response.on('data', (chunk: string) => (text += chunk))
          response.on('end', () => {
            let parsed: unknown
            try {
              parsed = JSON.parse(text)
            } catch {
              // not everything it answers is JSON
              parsed = text
            }
            resolve({ status: response.statusCode ?? 0, body: parsed as T })
          })
        })
        sent.on('error', reject)
        sent.end(body === undefined ? undefined : JSON.stringify(body))
      })
    },

    async make(at, body, method = 'POST', type = 'application/json') {
      const reply = await cluster.ask(method, at, body, { type })
      if (reply.status >= 300) throw new Error(`${method} ${at}: ${JSON.stringify(reply.body)}`)
      return reply.body
    },

    async namespace() {
      const name = `test-${randomBytes(5).toString('hex')}`
      await cluster.make('/api/v1/namespaces', { metadata: { name } })
      return name
    },

    async account(namespace, rules) {
      const name = `app-${randomBytes(4).toString('hex')}`
      const roles = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}`
      await cluster.make(`/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata: { name } })
      await cluster.make(`${roles}/roles`, { metadata: { name }, rules })
      await cluster.make(`${roles}/rolebindings`, {
        metadata: { name },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
        subjects: [{ kind: 'ServiceAccount', name, namespace }],
      })
      const made = (await cluster.make(`/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`, {
        spec: {},
      })) as unknown as { status: { token: string } }
      return { name, token: made.status.token }
    },

    async kubeconfig(user, at = {}) {
      const file = at.file ?? path.join(folder, `${randomBytes(5).toString('hex')}.kubeconfig`)
      const config = {
        apiVersion: 'v1',
        kind: 'Config',
        clusters: [{ name: 'test', cluster: { server: at.url ?? url, 'certificate-authority': ca } }],
        users: [{ name: 'tester', user: typeof user === 'string' ? { token: user } : user }],
        contexts: [
          { name: 'testing', context: { cluster: 'test', user: 'tester', namespace: at.namespace } },
        ],
        'current-context': 'testing',
      }
      await writeFile(file, JSON.stringify(config), { mode: 0o600 })
      return file
    },

    async kubectl(args, input) {
      const config = await cluster.kubeconfig(admin)
      const running = promisify(execFile)('kubectl', ['--kubeconfig', config, ...args], {
        env: { PATH: process.env['PATH'], HOME: folder },
        maxBuffer: 16 * 1024 * 1024,
      })
      running.child.stdin?.end(input ?? '')
      return (await running).stdout
    },

    async close() {
      agent.destroy()
      await rm(folder, { recursive: true, force: true })
    },
  }
  return cluster
}

/** Asks again until it is so; a minute at most. */
export async function until(isSo: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 60_000
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error('waited for a minute')
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** Limits what a namespace may hold, and waits until that is kept. */
export async function setQuota(
  cluster: Cluster,
  namespace: string,
  hard: Record<string, string>,
): Promise<void> {
  const at = `/api/v1/namespaces/${namespace}/resourcequotas`
  await cluster.make(at, { metadata: { name: 'few' }, spec: { hard } })
  await until(async () => {
    const { body } = await cluster.ask<{ status?: { hard?: object } }>('GET', `${at}/few`)
    return body.status?.hard !== undefined
  })
}
