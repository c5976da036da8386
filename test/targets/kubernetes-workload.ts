import { afterEach, beforeEach } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { parseRestart } from '../../src/targets/kubernetes-rollout.ts'
import type { TargetDeps } from '../../src/targets/target.ts'
import { testDeps } from './deps.ts'
import { mergePatch, until, type ClusterFacts } from './kubernetes-cluster.ts'
import { useCluster } from './kubernetes-fixture.ts'
import { startKubelet, type Kubelet } from './kubernetes-kubelet.ts'

/** One that hurries: five minutes are over in three seconds. */
export const hurried = {
  now: () => systemClock.now(),
  sleep: (ms: number, signal?: AbortSignal) => systemClock.sleep(ms / 100, signal),
}

export const startedFor = 'pictify-keys/restarted-for'

/** It takes all of the secret `app` as variables. */
export const container = {
  name: 'main',
  image: 'example.com/web',
  envFrom: [{ secretRef: { name: 'app' } }],
}

interface Workload {
  metadata: { name: string; generation: number; resourceVersion: string }
  spec: { template: { metadata: { annotations?: Record<string, string>; labels: Record<string, string> } } }
}

/** For the suite it is called in: a namespace with a kubelet for each test, in which `web` is the workload at hand. */
export function useWorkload(server: ClusterFacts | undefined) {
  const own = Object.assign(useCluster(server), {} as { kubelet: Kubelet })
  beforeEach(() => {
    own.kubelet = startKubelet(own.cluster, own.namespace)
  })
  afterEach(() => own.kubelet.stop())

  const at = (of = 'deployments') => `/apis/apps/v1/namespaces/${own.namespace}/${of}`
  const workload = async (of?: string) => (await own.cluster.ask<Workload>('GET', `${at(of)}/web`)).body
  return Object.assign(own, {
    workload,
    restart: (spec = 'deployment/web', more: Partial<TargetDeps> = {}) => {
      const env = { KUBECONFIG: own.kubeconfig }
      const deps = testDeps('/', { env, warn: (text) => void own.warnings.push(text), ...more })
      return parseRestart(spec, [{ name: `k8s:${own.namespace}/app#KEY` }], deps)
    },
    /** Makes the workload, which runs then. */
    run: async (spec: object = {}, of = 'deployments', pod: object = { containers: [container] }) => {
      const labels = { app: 'web' }
      const template = { metadata: { labels, annotations: { 'example.com/kept': 'yes' } }, spec: pod }
      await own.cluster.make(at(of), {
        metadata: { name: 'web' },
        spec: { selector: { matchLabels: labels }, template, ...spec },
      })
    },
    annotations: async (of?: string) => (await workload(of)).spec.template.metadata.annotations ?? {},
    change: (patch: object, of?: string) => own.cluster.make(`${at(of)}/web`, patch, 'PATCH', mergePatch),
    /** Waits until so many pods are ready. */
    ready: (count: number) =>
      until(async () => (await own.kubelet.pods()).filter(({ isReady }) => isReady).length === count),
    uids: async () => (await own.kubelet.pods()).map(({ uid }) => uid).sort(),
  })
}
