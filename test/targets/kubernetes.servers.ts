import { describe, inject } from 'vitest'
import { describeTarget, type Fault, type Place } from './contract.ts'
import { mergePatch, until, type ClusterFacts } from './kubernetes-cluster.ts'
import { base64, isWrite, useCluster } from './kubernetes-fixture.ts'

const server = inject('servers')['kubernetes'] as ClusterFacts | undefined

const readSecrets = [{ apiGroups: [''], resources: ['secrets'], verbs: ['get'] }]

describe.skipIf(!server)('a key of a Kubernetes Secret', () => {
  const own = useCluster(server)

  /** The secret as it is; undefined: there is none. */
  async function secret() {
    const { status, body } = await own.cluster.ask('GET', `/api/v1/namespaces/${own.namespace}/secrets/app`)
    return status === 404 ? undefined : body
  }

  async function put(value: string | undefined): Promise<void> {
    const at = `/api/v1/namespaces/${own.namespace}/secrets`
    if (await secret()) {
      const data = { KEY: value === undefined ? null : base64(value) }
      await own.cluster.make(`${at}/app`, { data }, 'PATCH', mergePatch)
      return
    }
    const metadata = { name: 'app', labels: { app: 'web' }, annotations: { 'example.com/owner': 'platform' } }
    const ours = value === undefined ? {} : { KEY: base64(value) }
    await own.cluster.make(at, {
      metadata,
      data: { OTHER: base64('theirs'), '.dotfile': base64('\0\xff'), ...ours },
    })
  }

  describe('as every target', () => {
    describeTarget({
      async place(): Promise<Place> {
        return {
          spec: `k8s:${own.namespace}/app#KEY`,
          put,
          async value() {
            const value = (await secret())?.data?.['KEY']
            return value === undefined ? undefined : Buffer.from(value, 'base64').toString()
          },
          async others() {
            const { metadata, data, type, immutable } = (await secret()) ?? {}
            const { KEY: _, ...others } = data ?? {}
            return (
              metadata && {
                labels: metadata.labels,
                annotations: metadata.annotations,
                others,
                type,
                immutable,
              }
            )
          },
          version: async () => (await secret())?.metadata.resourceVersion,
        }
      },
      deps: () => ({ env: { KUBECONFIG: own.kubeconfig } }),
      env: () => ({ KUBECONFIG: own.kubeconfig }),
      // a secret holds a mebibyte in all
      largest: 1_048_000,
      refuses: [{ value: 'x'.repeat(1_050_000), message: /1048576/ }],
      loginHint: /kubectl auth whoami/,
      fail,
      beforeNextWrite: (change) => own.proxy.beforeNext(isWrite, change),
    })
  })

  async function fail(fault: Fault): Promise<() => Promise<void>> {
    const { token: admin } = server as ClusterFacts
    const signInAs = (token: string) =>
      own.cluster.kubeconfig(token, { url: own.proxy.url, file: own.kubeconfig })
    if (fault === 'forbidden') {
      const { token } = await own.cluster.account(own.namespace, readSecrets)
      await signInAs(token)
      return async () => void (await signInAs(admin))
    }
    if (fault === 'expired') {
      const { name, token } = await own.cluster.account(own.namespace, readSecrets)
      await own.cluster.ask('DELETE', `/api/v1/namespaces/${own.namespace}/serviceaccounts/${name}`)
      await until(async () => (await own.cluster.ask('GET', '/api', undefined, { token })).status === 401)
      await signInAs(token)
      return async () => void (await signInAs(admin))
    }
    const status = {
      kind: 'Status',
      status: 'Failure',
      reason: 'TooManyRequests',
      message: 'try again',
      code: 429,
    }
    return own.proxy.fail(fault, () => ({
      status: 429,
      headers: { 'content-type': 'application/json', 'retry-after': '1' },
      body: JSON.stringify(status),
    }))
  }
})
