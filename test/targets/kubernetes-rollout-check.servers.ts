// What is found out about a workload before anything is done, and what is against starting it anew.
import { describe, expect, inject, test } from 'vitest'
import { failure } from './contract.ts'
import type { ClusterFacts } from './kubernetes-cluster.ts'
import { container, hurried, useWorkload } from './kubernetes-workload.ts'

const server = inject('servers')['kubernetes'] as ClusterFacts | undefined

describe.skipIf(!server)('a workload is started anew', () => {
  const own = useWorkload(server)
  const { change, ready, restart, run, uids, warnings, workload } = own

  test('check changes nothing', async () => {
    await run({ replicas: 1 })
    await ready(1)
    const [before, pods] = [await workload(), await uids()]
    await restart().check()
    const after = await workload()
    expect([after.metadata.generation, after.spec]).toEqual([before.metadata.generation, before.spec])
    expect(await uids()).toEqual(pods)
  })

  describe('refused before anything is minted', () => {
    test('there is none', async () => {
      const error = await failure(restart().check())
      expect(error.code).toBe('target-refused')
      expect(error.message).toContain(
        `there is no deployment ${own.namespace}/web in the cluster of the context "testing"`,
      )
    })

    test('paused', async () => {
      await run({ paused: true })
      const error = await failure(restart().check())
      expect(error.code).toBe('target-refused')
      expect(error.hint).toBe(`kubectl rollout resume deployment/web -n ${own.namespace}`)
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
      const { token } = await own.cluster.account(own.namespace, [
        { apiGroups: ['apps'], resources: ['deployments'], verbs: ['get'] },
      ])
      const env = { KUBECONFIG: await own.cluster.kubeconfig(token) }
      const error = await failure(restart('deployment/web', { env }).check())
      expect(error.code).toBe('target-refused')
      expect(error.message).toContain(`may not patch ${own.namespace}/deployment/web`)
      expect((await failure(restart('deployment/web', { env }).run('one'))).code).toBe('target-refused')
    })

    test('down: it cannot be told', async () => {
      const mend = await own.proxy.fail('down', () => undefined)
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
})
