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

/** For the suite it is called in: a namespace for each test, in which `app` is the secret at hand. */
export function useSecret(server: ClusterFacts | undefined) {
  let cluster: Cluster
  let proxy: FaultProxy
  let kubeconfig: string
  let namespace: string
  const warnings: string[] = []

  beforeAll(async () => {
    const facts = server as ClusterFacts
    cluster = await openCluster(facts)
    proxy = await proxyFor(facts)
    kubeconfig = await cluster.kubeconfig(facts.token, { url: proxy.url })
  })
  afterAll(async () => {
    await proxy?.close()
    await cluster?.close()
  })
  beforeEach(async () => {
    namespace = await cluster.namespace()
    warnings.length = 0
  })

  const at = () => `/api/v1/namespaces/${namespace}/secrets`
  return {
    at,
    cluster: () => cluster,
    namespace: () => namespace,
    proxy: () => proxy,
    kubeconfig: () => kubeconfig,
    /** What was warned of in the test. */
    warnings,
    target: (more: Partial<TargetDeps> = {}, key = 'KEY', secret = `${namespace}/app`): Target => {
      const env = { KUBECONFIG: kubeconfig }
      const deps = testDeps('/', { env, warn: (text) => void warnings.push(text), ...more })
      return parseTarget(`k8s:${secret}#${key}`, deps)
    },
    secret: async () => (await cluster.ask('GET', `${at()}/app`)).body,
    isThere: async () => (await cluster.ask('GET', `${at()}/app`)).status === 200,
    /** As somebody else changes it. */
    change: (patch: object) => cluster.make(`${at()}/app`, patch, 'PATCH', mergePatch),
    make: (more: object = {}, metadata: object = {}): Promise<KubeObject> => {
      const data = { KEY: base64(old.reveal()), OTHER: base64('theirs') }
      return cluster.make(at(), { metadata: { name: 'app', ...metadata }, data, ...more })
    },
  }
}
