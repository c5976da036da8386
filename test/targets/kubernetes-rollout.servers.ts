import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { parseRestart } from '../../src/targets/kubernetes-rollout.ts'
import type { TargetDeps } from '../../src/targets/target.ts'
import type { FaultProxy } from '../servers/fault-proxy.ts'
import { failure } from './contract.ts'
import { testDeps } from './deps.ts'
import {
  mergePatch,
  openCluster,
  setQuota,
  until,
  type Cluster,
  type ClusterFacts,
} from './kubernetes-cluster.ts'
import { proxyFor } from './kubernetes-fixture.ts'
import { startKubelet, type Kubelet } from './kubernetes-kubelet.ts'

const server = inject('servers')['kubernetes'] as ClusterFacts | undefined

/** One that hurries: five minutes are over in three seconds. */
const hurried = {
  now: () => systemClock.now(),
  sleep: (ms: number, signal?: AbortSignal) => systemClock.sleep(ms / 100, signal),
}

const startedFor = 'pictify-keys/restarted-for'

interface Workload {
  metadata: { name: string; generation: number; resourceVersion: string }
  spec: { template: { metadata: { annotations?: Record<string, string>; labels: Record<string, string> } } }
}

describe.skipIf(!server)('a workload is started anew', () => {
  let cluster: Cluster
  let proxy: FaultProxy
  let kubeconfig: string
  let namespace: string
  let kubelet: Kubelet
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
    kubelet = startKubelet(cluster, namespace)
    warnings.length = 0
  })
  afterEach(async () => {
    await kubelet.stop()
  })

  const restart = (spec = 'deployment/web', more: Partial<TargetDeps> = {}) =>
    parseRestart(
      spec,
      [{ name: `k8s:${namespace}/app#KEY` }],
      testDeps('/', { env: { KUBECONFIG: kubeconfig }, warn: (text) => void warnings.push(text), ...more }),
    )

  const container = { name: 'main', image: 'example.com/web', envFrom: [{ secretRef: { name: 'app' } }] }
  /** The workload `web`, running. */
  async function run(
    spec: object = {},
    of = 'deployments',
    pod: object = { containers: [container] },
  ): Promise<void> {
    const labels = { app: 'web' }
    const template = { metadata: { labels, annotations: { 'example.com/kept': 'yes' } }, spec: pod }
    const metadata = { name: 'web' }
    await cluster.make(at(of), { metadata, spec: { selector: { matchLabels: labels }, template, ...spec } })
  }
  const at = (of = 'deployments') => `/apis/apps/v1/namespaces/${namespace}/${of}`
  const workload = async (of?: string) => (await cluster.ask<Workload>('GET', `${at(of)}/web`)).body
  const annotations = async (of?: string) => (await workload(of)).spec.template.metadata.annotations ?? {}
  const change = (patch: object, of?: string) => cluster.make(`${at(of)}/web`, patch, 'PATCH', mergePatch)
  const ready = (count: number) =>
    until(async () => (await kubelet.pods()).filter(({ isReady }) => isReady).length === count)
  const uids = async () => (await kubelet.pods()).map(({ uid }) => uid).sort()

  test('every pod is replaced, and the new ones are ready when it ends', async () => {
    await run({ replicas: 3 })
    await ready(3)
    const before = await uids()
    await restart().check()
    expect(await uids()).toEqual(before)
    await restart().run('rotation-1')
    const after = await kubelet.pods()
    expect(after).toHaveLength(3)
    expect(after.every(({ uid, isReady }) => isReady && !before.includes(uid))).toBe(true)
    expect(await annotations()).toMatchObject({
      'example.com/kept': 'yes',
      'kubectl.kubernetes.io/restartedAt': expect.stringMatching(/^\d{4}-\d\d-\d\dT/) as string,
      'pictify-keys/restarted-for': 'rotation-1',
    })
    expect(warnings).toEqual([])
  })

  test('check changes nothing', async () => {
    await run({ replicas: 1 })
    await ready(1)
    const [before, pods] = [await workload(), await uids()]
    await restart().check()
    const after = await workload()
    expect([after.metadata.generation, after.spec]).toEqual([before.metadata.generation, before.spec])
    expect(await uids()).toEqual(pods)
  })

  test('the same cause starts it once, and a repeat waits; another starts it again, and both are known', async () => {
    await run({ replicas: 2 })
    await ready(2)
    await Promise.all([restart().run('one'), restart().run('one')])
    const { generation } = (await workload()).metadata
    const pods = await uids()
    await restart().run('one')
    expect([(await workload()).metadata.generation, await uids()]).toEqual([generation, pods])
    kubelet.hold()
    const repeats = [restart().run('two'), restart().run('two')]
    const ends = Promise.race(repeats.map((run) => run.then(() => 'ended')))
    expect(await Promise.race([ends, systemClock.sleep(3_000).then(() => 'waits')])).toBe('waits')
    kubelet.release()
    await Promise.all(repeats)
    expect((await workload()).metadata.generation).toBe(generation + 1)
    await restart().run('one')
    expect((await workload()).metadata.generation).toBe(generation + 1)
    expect((await annotations())['pictify-keys/restarted-for']).toBe('one two')
  })

  test('delivered, undone, and delivered by another machine that knows of neither: it is started each time', async () => {
    await run({ replicas: 1 })
    await ready(1)
    for (const cause of [
      'a1-delivered-1',
      'b2-delivered-1',
      'a1-undone-1',
      'a1-delivered-1',
      'b2-delivered-1',
    ]) {
      await restart().run(cause)
    }
    expect((await annotations())['pictify-keys/restarted-for']).toBe(
      'a1-delivered-1 b2-delivered-1 a1-undone-1 a1-delivered-1',
    )
  })

  test('with no replicas it is done at once', async () => {
    await run({ replicas: 0 })
    await restart().check()
    await restart().run('one')
    expect((await annotations())['pictify-keys/restarted-for']).toBe('one')
  })

  test('pods that never get ready: the progress deadline ends it, and says where to look', async () => {
    await run({ replicas: 2, progressDeadlineSeconds: 3 })
    await ready(2)
    kubelet.hold()
    const error = await failure(restart().run('one'))
    expect(error.code).toBe('target-failed')
    expect(error.message).toMatch(/deployment\/web: ReplicaSet "web-\w+" has timed out progressing/)
    expect(error.hint).toContain(`kubectl describe deployment/web -n ${namespace}`)
    // what ran goes on running
    expect((await kubelet.pods()).filter(({ isReady }) => isReady)).toHaveLength(2)
  })

  test('pods that may not be made: the quota is named', async () => {
    await run({ replicas: 1, progressDeadlineSeconds: 3 })
    await ready(1)
    await setQuota(cluster, namespace, { pods: '1' })
    const error = await failure(restart().run('one'))
    expect(error.message).toMatch(/exceeded quota: few|forbidden/)
  })

  test('five minutes are the most, and it says what it waited for', async () => {
    await run({ replicas: 2 })
    await ready(2)
    kubelet.hold()
    const error = await failure(restart('deployment/web', { clock: hurried }).run('one'))
    expect(error.code).toBe('target-failed')
    expect(error.message).toMatch(
      /not all of it runs after 5m: (1 of 2 new pods are made|1 old pods|\d of \d new pods)/,
    )
  })

  test('an abort ends the wait', async () => {
    await run({ replicas: 1 })
    await ready(1)
    kubelet.hold()
    const reason = new Error('interrupted')
    const stop = new AbortController()
    const running = restart().run('one', stop.signal)
    await until(async () => 'pictify-keys/restarted-for' in (await annotations()))
    stop.abort(reason)
    await expect(running).rejects.toBe(reason)
    await expect(restart().check(stop.signal)).rejects.toBe(reason)
  })

  test('a rollback meanwhile is no success', async () => {
    await run({ replicas: 1 })
    await ready(1)
    kubelet.hold()
    const running = failure(restart().run('one'))
    await until(async () => 'pictify-keys/restarted-for' in (await annotations()))
    await change({
      spec: { template: { metadata: { annotations: { 'pictify-keys/restarted-for': null } } } },
    })
    expect((await running).message).toContain('somebody else put back')
  })

  describe('while the cluster is away for a moment, it waits on', () => {
    const away = async () => {
      const mend = await proxy.fail('down', () => undefined)
      await systemClock.sleep(1_000)
      await mend()
    }

    test('for the pods', async () => {
      await run({ replicas: 1 })
      await ready(1)
      kubelet.hold()
      const running = restart('deployment/web', { clock: hurried }).run('one')
      const mine = () => proxy.requests.filter((line) => line.includes(namespace))
      // a look after the start
      await until(async () => mine().some((line) => line.startsWith('PATCH')))
      await until(
        async () => mine().at(-1)?.startsWith('GET') === true && (await annotations())[startedFor] === 'one',
      )
      await away()
      kubelet.release()
      await running
    })

    test('for whether it was started, and starts it once', async () => {
      await run({ replicas: 1 })
      await ready(1)
      const { generation } = (await workload()).metadata
      let gone: Promise<void> | undefined
      proxy.watch(({ method, socket }) => {
        if (method !== 'PATCH' || gone) return
        gone = systemClock.sleep(100).then(async () => {
          socket.destroy()
          await away()
        })
        // passed on, and its answer to nobody
        socket.write = () => true
      })
      await restart('deployment/web', { clock: hurried }).run('one')
      await gone
      proxy.watch(() => undefined)
      expect((await workload()).metadata.generation).toBe(generation + 1)
    })
  })

  test('another change before ours is kept, and ours is made on top of it', async () => {
    await run({ replicas: 1 })
    await ready(1)
    proxy.beforeNext(
      ({ method }) => method === 'PATCH',
      async () =>
        void (await change({ spec: { template: { metadata: { annotations: { theirs: 'too' } } } } })),
    )
    await restart().run('one')
    expect(await annotations()).toMatchObject({ theirs: 'too', 'pictify-keys/restarted-for': 'one' })
  })

  describe('refused before anything is minted', () => {
    test('there is none', async () => {
      const error = await failure(restart().check())
      expect(error.code).toBe('target-refused')
      expect(error.message).toContain(
        `there is no deployment ${namespace}/web in the cluster of the context "testing"`,
      )
    })

    test('paused', async () => {
      await run({ paused: true })
      const error = await failure(restart().check())
      expect(error.code).toBe('target-refused')
      expect(error.hint).toBe(`kubectl rollout resume deployment/web -n ${namespace}`)
      expect((await failure(restart().run('one'))).code).toBe('target-refused')
    })

    test('replaced only when deleted, or in part', async () => {
      const headless = { serviceName: 'web' }
      await run({ ...headless, updateStrategy: { type: 'OnDelete' } }, 'statefulsets')
      expect((await failure(restart('statefulset/web').check())).message).toContain('OnDelete')
      await change(
        { spec: { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 1 } } } },
        'statefulsets',
      )
      expect((await failure(restart('statefulset/web').check())).message).toContain('partition')
    })

    test('no right to change it: each verb that is missing', async () => {
      await run({ replicas: 0 })
      const { token } = await cluster.account(namespace, [
        { apiGroups: ['apps'], resources: ['deployments'], verbs: ['get'] },
      ])
      const env = { KUBECONFIG: await cluster.kubeconfig(token) }
      const error = await failure(restart('deployment/web', { env }).check())
      expect(error.code).toBe('target-refused')
      expect(error.message).toContain(`may not patch ${namespace}/deployment/web`)
      expect((await failure(restart('deployment/web', { env }).run('one'))).code).toBe('target-refused')
    })

    test('down: it cannot be told', async () => {
      const mend = await proxy.fail('down', () => undefined)
      try {
        expect((await failure(restart('deployment/web', { clock: hurried }).check())).code).toBe(
          'target-failed',
        )
      } finally {
        await mend()
      }
    })
  })

  describe('whether its pods take the key', () => {
    const image = 'example.com/web'
    test.each<[string, object, boolean]>([
      ['all of the secret as variables', { containers: [container] }, true],
      ['the key as a variable', { containers: [{ name: 'a', image, env: [variable('app', 'KEY')] }] }, true],
      [
        'another key as a variable',
        { containers: [{ name: 'a', image, env: [variable('app', 'OTHER')] }] },
        false,
      ],
      [
        'the key of another secret',
        { containers: [{ name: 'a', image, env: [variable('web', 'KEY')] }] },
        false,
      ],
      [
        'by an init container',
        { containers: [{ name: 'a', image }], initContainers: [{ ...container, name: 'b' }] },
        true,
      ],
      [
        'a volume',
        { containers: [{ name: 'a', image }], volumes: [{ name: 'v', secret: { secretName: 'app' } }] },
        true,
      ],
      ['a projected volume', { containers: [{ name: 'a', image }], volumes: [projected('KEY')] }, true],
      [
        'another key in a volume',
        { containers: [{ name: 'a', image }], volumes: [projected('OTHER')] },
        false,
      ],
      ['nothing', { containers: [{ name: 'a', image }] }, false],
    ])('%s', async (_what, pod, isUsed) => {
      await run({ replicas: 0 }, 'deployments', pod)
      await restart().check()
      expect(warnings).toEqual(
        isUsed ? [] : ['deployment/web: its pods take nothing from app#KEY: is it the right one?'],
      )
    })

    function variable(name: string, key: string) {
      return { name: 'PICTIFY_API_KEY', valueFrom: { secretKeyRef: { name, key } } }
    }
    function projected(key: string) {
      return {
        name: 'v',
        projected: { sources: [{ secret: { name: 'app', items: [{ key, path: 'key' }] } }] },
      }
    }
  })

  test('a StatefulSet, one pod after the other', async () => {
    await run({ replicas: 2, serviceName: 'web' }, 'statefulsets')
    await ready(2)
    const before = await uids()
    await restart('sts/web').check()
    await restart('sts/web').run('one')
    await restart('statefulset/web').run('one')
    const after = await kubelet.pods()
    expect(after.filter(({ uid, isReady }) => isReady && !before.includes(uid))).toHaveLength(2)
  })

  test('a DaemonSet', async () => {
    await kubelet.addNode()
    await run({}, 'daemonsets')
    await ready(1)
    const before = await uids()
    await restart('daemonset/web').check()
    await restart('daemonset/web').run('one')
    const after = await kubelet.pods()
    expect(after.filter(({ uid, isReady }) => isReady && !before.includes(uid))).toHaveLength(1)
  })
})
