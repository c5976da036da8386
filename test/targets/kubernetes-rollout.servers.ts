import { describe, expect, inject, test } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { failure } from './contract.ts'
import { setQuota, until, type ClusterFacts } from './kubernetes-cluster.ts'
import { hurried, startedFor, useWorkload } from './kubernetes-workload.ts'

const server = inject('servers')['kubernetes'] as ClusterFacts | undefined

describe.skipIf(!server)('a workload is started anew', () => {
  const own = useWorkload(server)
  const { annotations, change, ready, restart, run, uids, warnings, workload } = own

  test('every pod is replaced, and the new ones are ready when it ends', async () => {
    await run({ replicas: 3 })
    await ready(3)
    const before = await uids()
    await restart().check()
    expect(await uids()).toEqual(before)
    await restart().run('rotation-1')
    const after = await own.kubelet.pods()
    expect(after).toHaveLength(3)
    expect(after.every(({ uid, isReady }) => isReady && !before.includes(uid))).toBe(true)
    expect(await annotations()).toMatchObject({
      'example.com/kept': 'yes',
      'kubectl.kubernetes.io/restartedAt': expect.stringMatching(/^\d{4}-\d\d-\d\dT/) as string,
      'pictify-keys/restarted-for': 'rotation-1',
    })
    expect(warnings).toEqual([])
  })

  test('the same cause starts it once, and a repeat waits; another starts it again, and both are known', async () => {
    await run({ replicas: 2 })
    await ready(2)
    await Promise.all([restart().run('one'), restart().run('one')])
    const { generation } = (await workload()).metadata
    const pods = await uids()
    await restart().run('one')
    expect([(await workload()).metadata.generation, await uids()]).toEqual([generation, pods])
    own.kubelet.hold()
    const repeats = [restart().run('two'), restart().run('two')]
    const ends = Promise.race(repeats.map((run) => run.then(() => 'ended')))
    expect(await Promise.race([ends, systemClock.sleep(3_000).then(() => 'waits')])).toBe('waits')
    own.kubelet.release()
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
    own.kubelet.hold()
    const error = await failure(restart().run('one'))
    expect(error.code).toBe('target-failed')
    expect(error.message).toMatch(/deployment\/web: ReplicaSet "web-\w+" has timed out progressing/)
    expect(error.hint).toContain(`kubectl describe deployment/web -n ${own.namespace}`)
    // what ran goes on running
    expect((await own.kubelet.pods()).filter(({ isReady }) => isReady)).toHaveLength(2)
  })

  test('pods that may not be made: the quota is named', async () => {
    await run({ replicas: 1, progressDeadlineSeconds: 3 })
    await ready(1)
    await setQuota(own.cluster, own.namespace, { pods: '1' })
    const error = await failure(restart().run('one'))
    expect(error.message).toMatch(/exceeded quota: few|forbidden/)
  })

  test('five minutes are the most, and it says what it waited for', async () => {
    await run({ replicas: 2 })
    await ready(2)
    own.kubelet.hold()
    const error = await failure(restart('deployment/web', { clock: hurried }).run('one'))
    expect(error.code).toBe('target-failed')
    expect(error.message).toMatch(
      /not all of it runs after 5m: (1 of 2 new pods are made|1 old pods|\d of \d new pods)/,
    )
  })

  test('an abort ends the wait', async () => {
    await run({ replicas: 1 })
    await ready(1)
    own.kubelet.hold()
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
    own.kubelet.hold()
    const running = failure(restart().run('one'))
    await until(async () => 'pictify-keys/restarted-for' in (await annotations()))
    await change({
      spec: { template: { metadata: { annotations: { 'pictify-keys/restarted-for': null } } } },
    })
    expect((await running).message).toContain('somebody else put back')
  })

  describe('while the cluster is away for a moment, it waits on', () => {
    const away = async () => {
      const mend = await own.proxy.fail('down', () => undefined)
      await systemClock.sleep(1_000)
      await mend()
    }

    test('for the pods', async () => {
      await run({ replicas: 1 })
      await ready(1)
      own.kubelet.hold()
      const running = restart('deployment/web', { clock: hurried }).run('one')
      const mine = () => own.proxy.requests.filter((line) => line.includes(own.namespace))
      // a look after the start
      await until(async () => mine().some((line) => line.startsWith('PATCH')))
      await until(
        async () => mine().at(-1)?.startsWith('GET') === true && (await annotations())[startedFor] === 'one',
      )
      await away()
      own.kubelet.release()
      await running
    })

    test('for whether it was started, and starts it once', async () => {
      await run({ replicas: 1 })
      await ready(1)
      const { generation } = (await workload()).metadata
      let gone: Promise<void> | undefined
      own.proxy.watch(({ method, socket }) => {
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
      own.proxy.watch(() => undefined)
      expect((await workload()).metadata.generation).toBe(generation + 1)
    })
  })

  test('another change before ours is kept, and ours is made on top of it', async () => {
    await run({ replicas: 1 })
    await ready(1)
    own.proxy.beforeNext(
      ({ method }) => method === 'PATCH',
      async () =>
        void (await change({ spec: { template: { metadata: { annotations: { theirs: 'too' } } } } })),
    )
    await restart().run('one')
    expect(await annotations()).toMatchObject({ theirs: 'too', 'pictify-keys/restarted-for': 'one' })
  })

  test('a StatefulSet, one pod after the other', async () => {
    await run({ replicas: 2, serviceName: 'web' }, 'statefulsets')
    await ready(2)
    const before = await uids()
    await restart('sts/web').check()
    await restart('sts/web').run('one')
    await restart('statefulset/web').run('one')
    const after = await own.kubelet.pods()
    expect(after.filter(({ uid, isReady }) => isReady && !before.includes(uid))).toHaveLength(2)
  })

  test('a DaemonSet', async () => {
    await own.kubelet.addNode()
    await run({}, 'daemonsets')
    await ready(1)
    const before = await uids()
    await restart('daemonset/web').check()
    await restart('daemonset/web').run('one')
    const after = await own.kubelet.pods()
    expect(after.filter(({ uid, isReady }) => isReady && !before.includes(uid))).toHaveLength(1)
  })
})
