// What is written behind k8s: and --restart, and when a rollout is done; what a cluster does with it is in *.servers.ts.
import { describe, expect, test } from 'vitest'
import { parseTarget, parseTargets } from '../../src/targets/index.ts'
import { parseRestart } from '../../src/targets/kubernetes-rollout.ts'
import { progressOf, type Workload } from '../../src/targets/kubernetes-workload.ts'
import { testDeps } from './deps.ts'

describe('what is written behind k8s:', () => {
  test('a namespace, a secret and a key', () => {
    const target = parseTarget('k8s:shop/my.app-keys#api_key.v1', testDeps('/'))
    expect(target).toMatchObject({ name: 'k8s:shop/my.app-keys#api_key.v1', readback: 'value' })
    expect(target.place).toBe('api_key.v1 of shop/my.app-keys in Kubernetes')
  })

  test.each([
    ['k8s:', 'names no place'],
    ['k8s:app#KEY', 'does not name a namespace and a secret'],
    ['k8s:shop/#KEY', 'does not name a namespace and a secret'],
    ['k8s:shop/secret/app#KEY', 'does not name a namespace and a secret'],
    ['k8s:shop/app', 'does not name the key in the secret'],
    ['k8s:shop/app#', 'names nothing behind its #'],
    ['k8s:/app#KEY', 'a name that Kubernetes does not allow'],
    ['k8s:Shop/app#KEY', 'a name that Kubernetes does not allow'],
    ['k8s:shop.eu/app#KEY', 'a name that Kubernetes does not allow'],
    ['k8s:shop/..#KEY', 'a name that Kubernetes does not allow'],
    ['k8s:shop/app?x#KEY', 'a name that Kubernetes does not allow'],
    [`k8s:${'n'.repeat(64)}/app#KEY`, 'a name that Kubernetes does not allow'],
    ['k8s:shop/app#a/b', '"a/b" is not the name of a key'],
    ['k8s:shop/app#..', '".." is not the name of a key'],
    ['k8s:shop/app#__proto__', '"__proto__" is not the name of a key'],
  ])('%s is refused, with an example', (spec, message) => {
    expect(() => parseTarget(spec, testDeps('/'))).toThrow(message)
  })

  test('without a key the hint is the line with one', () => {
    const hint = 'write k8s:<namespace>/<secret>#<key>, for example k8s:shop/app#PICTIFY_API_KEY'
    expect(() => parseTarget('k8s:shop/app', testDeps('/'))).toThrow(
      expect.objectContaining({ code: 'invalid-target', hint }),
    )
  })

  test('one key is one place, two keys of one secret are two', async () => {
    const deps = testDeps('/')
    await expect(parseTargets(['k8s:shop/app#A', 'k8s:shop/app#A'], deps)).rejects.toThrow('named twice')
    expect(await parseTargets(['k8s:shop/app#A', 'k8s:shop/app#B', 'k8s:stage/app#A'], deps)).toHaveLength(3)
  })
})

describe('what is written behind --restart', () => {
  const target = { name: 'k8s:prod/app#KEY' }
  test('a namespace of its own, and one of the targets', () => {
    const deps = testDeps('/')
    expect(parseRestart('other/deployment/web', [], deps)).toMatchObject({
      name: 'other/deployment/web',
      timeoutMs: 300_000,
    })
    expect(parseRestart('deploy/web', [target, { name: 'env:.env' }], deps).name).toBe('deploy/web')
  })

  test.each([
    ['web', [target], 'names no deployment'],
    ['pod/web', [target], 'names no deployment'],
    ['constructor/web', [target], 'names no deployment'],
    ['a/b/deployment/web', [target], 'names no deployment'],
    ['deployment/web', [], 'its namespace is not known'],
    ['deployment/web', [target, { name: 'k8s:stage/app#KEY' }], 'which namespace, prod or stage?'],
    ['deployment/', [target], 'a name that Kubernetes does not allow'],
    ['/deployment/web', [target], 'a name that Kubernetes does not allow'],
    ['prod/deployment/..', [target], 'a name that Kubernetes does not allow'],
  ])('%s is refused', (spec, targets, message) => {
    expect(() => parseRestart(spec, targets, testDeps('/'))).toThrow(message)
  })
})

describe('a rollout is done when kubectl rollout status says so', () => {
  const metadata = { generation: 2 }
  const of = (kind: Workload['kind'], status: object, spec: object = {}) =>
    progressOf({ kind, object: { metadata, spec, status: { observedGeneration: 2, ...status } } } as Workload)

  test.each<[string, Workload['kind'], object, object, string]>([
    ['not seen yet', 'deployment', { observedGeneration: 1 }, { replicas: 0 }, 'waiting'],
    ['no new pods', 'deployment', { replicas: 2 }, { replicas: 2 }, 'waiting'],
    ['one replica unless it says more', 'deployment', {}, {}, 'waiting'],
    [
      'old pods',
      'deployment',
      { replicas: 3, updatedReplicas: 2, availableReplicas: 3 },
      { replicas: 2 },
      'waiting',
    ],
    [
      'new pods not ready',
      'deployment',
      { replicas: 2, updatedReplicas: 2, availableReplicas: 1 },
      { replicas: 2 },
      'waiting',
    ],
    [
      'all new',
      'deployment',
      { replicas: 2, updatedReplicas: 2, availableReplicas: 2 },
      { replicas: 2 },
      'done',
    ],
    ['none wanted', 'deployment', {}, { replicas: 0 }, 'done'],
    [
      'too late',
      'deployment',
      { conditions: [{ type: 'Progressing', reason: 'ProgressDeadlineExceeded' }] },
      {},
      'stuck',
    ],
    ['old pods', 'statefulset', { updatedReplicas: 1, readyReplicas: 2 }, { replicas: 2 }, 'waiting'],
    ['not ready', 'statefulset', { updatedReplicas: 2, readyReplicas: 1 }, { replicas: 2 }, 'waiting'],
    [
      'the last one',
      'statefulset',
      { updatedReplicas: 1, readyReplicas: 1, updateRevision: 'b', currentRevision: 'a' },
      {},
      'waiting',
    ],
    [
      'all new',
      'statefulset',
      { updatedReplicas: 1, readyReplicas: 1, updateRevision: 'b', currentRevision: 'b' },
      {},
      'done',
    ],
    ['none wanted', 'statefulset', { updateRevision: 'b', currentRevision: 'a' }, { replicas: 0 }, 'done'],
    [
      'old pods',
      'daemonset',
      { desiredNumberScheduled: 2, updatedNumberScheduled: 1, numberAvailable: 2 },
      {},
      'waiting',
    ],
    [
      'not available',
      'daemonset',
      { desiredNumberScheduled: 2, updatedNumberScheduled: 2, numberAvailable: 1 },
      {},
      'waiting',
    ],
    [
      'all new',
      'daemonset',
      { desiredNumberScheduled: 2, updatedNumberScheduled: 2, numberAvailable: 2 },
      {},
      'done',
    ],
    ['no nodes', 'daemonset', {}, {}, 'done'],
  ])('%s, of a %s', (_what, kind, status, spec, state) => {
    expect(of(kind, status, spec).state).toBe(state)
  })
})
