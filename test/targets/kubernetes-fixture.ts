import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, beforeEach } from 'vitest'
import { parseTarget } from '../../src/targets/index.ts'
import type { Target, TargetDeps } from '../../src/targets/target.ts'
import { createFaultProxy, type FaultProxy } from '../servers/fault-proxy.ts'
import { old } from './contract-fixture.ts'
import { testDeps } from './deps.ts'
import {
  mergePatch,
  openCluster,
  type Cluster,
  type ClusterFacts,
  type KubeObject,
} from './kubernetes-cluster.ts'

export const base64 = (text: string) => Buffer.from(text).toString('base64')

const pem = (file: string) => readFileSync(fileURLToPath(new URL(`../certificates/${file}`, import.meta.url)))

/** A proxy before the cluster, to which clients speak TLS as they do to the cluster. */
export function proxyFor({ url }: ClusterFacts): Promise<FaultProxy> {
  return createFaultProxy(url, { key: pem('server-key.pem'), cert: pem('localhost.pem'), ca: pem('ca.pem') })
}

/** Whether a request changes a secret for good. */
export function isWrite({
  method,
  url = '',
}: {
  method?: string | undefined
  url?: string | undefined
}): boolean {
  return method !== 'GET' && /\/secrets/.test(url) && !url.includes('dryRun')
}

/** What a suite has of a cluster. */
export interface UsedCluster {
  cluster: Cluster
  /** Before the cluster; the kubeconfig goes by it. */
  proxy: FaultProxy
  kubeconfig: string
  /** Of the test at hand. */
  namespace: string
  /** What was warned of in the test. */
  warnings: string[]
}

/** For the suite it is called in: the cluster behind a proxy, and a namespace for each test. */
export function useCluster(server: ClusterFacts | undefined): UsedCluster {
  const own = { warnings: [] as string[] } as UsedCluster
  beforeAll(async () => {
    const facts = server as ClusterFacts
    own.cluster = await openCluster(facts)
    own.proxy = await proxyFor(facts)
    own.kubeconfig = await own.cluster.kubeconfig(facts.token, { url: own.proxy.url })
  })
  afterAll(async () => {
    await own.proxy?.close()
    await own.cluster?.close()
  })
  beforeEach(async () => {
    own.namespace = await own.cluster.namespace()
    own.warnings.length = 0
  })
  return own
}

/** For the suite it is called in: a namespace for each test, in which `app` is the secret at hand. */
export function useSecret(server: ClusterFacts | undefined) {
  const own = useCluster(server)
  const { warnings } = own
  const at = () => `/api/v1/namespaces/${own.namespace}/secrets`
  return {
    at,
    cluster: () => own.cluster,
    namespace: () => own.namespace,
    proxy: () => own.proxy,
    kubeconfig: () => own.kubeconfig,
    warnings,
    target: (more: Partial<TargetDeps> = {}, key = 'KEY', secret = `${own.namespace}/app`): Target => {
      const env = { KUBECONFIG: own.kubeconfig }
      const deps = testDeps('/', { env, warn: (text) => void warnings.push(text), ...more })
      return parseTarget(`k8s:${secret}#${key}`, deps)
    },
    secret: async () => (await own.cluster.ask('GET', `${at()}/app`)).body,
    isThere: async () => (await own.cluster.ask('GET', `${at()}/app`)).status === 200,
    /** As somebody else changes it. */
    change: (patch: object) => own.cluster.make(`${at()}/app`, patch, 'PATCH', mergePatch),
    make: (more: object = {}, metadata: object = {}): Promise<KubeObject> => {
      const data = { KEY: base64(old.reveal()), OTHER: base64('theirs') }
      return own.cluster.make(at(), { metadata: { name: 'app', ...metadata }, data, ...more })
    },
  }
}
