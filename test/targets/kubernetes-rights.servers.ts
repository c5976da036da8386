// The roles of docs/targets.md as they stand there, kept by the cluster's own RBAC, and what signing in can look like.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest'
import { parse } from 'yaml'
import { parseTarget } from '../../src/targets/index.ts'
import { parseRestart } from '../../src/targets/kubernetes-rollout.ts'
import { failure, old, successor } from './contract-fixture.ts'
import { testDeps } from './deps.ts'
import { openCluster, type Cluster, type ClusterFacts } from './kubernetes-cluster.ts'

const server = inject('servers')['kubernetes'] as ClusterFacts | undefined
const document = readFileSync(fileURLToPath(new URL('../../docs/targets.md', import.meta.url)), 'utf8')

interface Rule {
  resources: string[]
  verbs: string[]
}

describe.skipIf(!server)('under the roles of docs/targets.md', () => {
  let cluster: Cluster
  let namespace: string
  const warnings: string[] = []

  beforeAll(async () => {
    cluster = await openCluster(server as ClusterFacts)
  })
  afterAll(async () => {
    await cluster?.close()
  })
  beforeEach(async () => {
    namespace = await cluster.namespace()
    warnings.length = 0
  })

  /** The rules of the role of this name, for the namespace at hand. */
  function role(name: string): Rule[] {
    const blocks = [...document.matchAll(/```yaml\n(.*?)```/gs)].map(([, text]) => text ?? '')
    const text = blocks.find((block) => block.includes(`name: ${name},`)) ?? ''
    const { rules } = parse(text.replaceAll('shop', namespace)) as { rules: Rule[] }
    expect(rules.length).toBeGreaterThan(0)
    return rules
  }

  async function signedIn(rules: Rule[], createTarget = false) {
    const { token } = await cluster.account(namespace, rules)
    const env = { KUBECONFIG: await cluster.kubeconfig(token) }
    return testDeps('/', { env, createTarget, warn: (text) => void warnings.push(text) })
  }

  const spec = () => `k8s:${namespace}/pictify#PICTIFY_API_KEY`
  const at = () => `/api/v1/namespaces/${namespace}/secrets`
  const value = async () => {
    const { data = {} } = (await cluster.ask('GET', `${at()}/pictify`)).body
    return data['PICTIFY_API_KEY'] && Buffer.from(data['PICTIFY_API_KEY'], 'base64').toString()
  }
  async function make(): Promise<void> {
    const data = { PICTIFY_API_KEY: Buffer.from(old.reveal()).toString('base64'), OTHER: '' }
    await cluster.make(at(), { metadata: { name: 'pictify' }, data })
  }

  test('check, read, write and undo', async () => {
    await make()
    const target = parseTarget(spec(), await signedIn(role('pictify-keys')))
    await target.check()
    const held = await target.read()
    await target.write(successor, held)
    expect(await value()).toBe(successor.reveal())
    await target.restore(held, successor)
    expect(await value()).toBe(old.reveal())
    expect(warnings).toEqual([])
  })

  test('without the right to see the namespace there is a warning, and nothing else', async () => {
    await make()
    const rules = role('pictify-keys').filter(({ resources }) => !resources.includes('namespaces'))
    const target = parseTarget(spec(), await signedIn(rules))
    await target.check()
    await target.write(successor, { value: old })
    expect(warnings).toEqual([expect.stringContaining('whether the namespace')])
  })

  test('--create-target: the secret is made, and undone it is gone', async () => {
    const target = parseTarget(
      spec(),
      await signedIn([...role('pictify-keys'), ...role('pictify-keys-create')], true),
    )
    await target.check()
    await target.write(successor, undefined)
    expect(await value()).toBe(successor.reveal())
    await target.restore(undefined, successor)
    expect((await cluster.ask('GET', `${at()}/pictify`)).status).toBe(404)
    expect(warnings).toEqual([])
  })

  test('--create-target of a key in a secret that is there needs no more than the first role', async () => {
    await cluster.make(at(), { metadata: { name: 'pictify' }, data: { OTHER: '' } })
    const target = parseTarget(spec(), await signedIn(role('pictify-keys'), true))
    await target.check()
    await target.write(successor, undefined)
    await target.restore(undefined, successor)
    expect((await cluster.ask('GET', `${at()}/pictify`)).body.data).toEqual({ OTHER: '' })
  })

  test('--restart', async () => {
    const labels = { app: 'web' }
    const pod = { containers: [{ name: 'a', image: 'b', envFrom: [{ secretRef: { name: 'pictify' } }] }] }
    await cluster.make(`/apis/apps/v1/namespaces/${namespace}/deployments`, {
      metadata: { name: 'web' },
      spec: { replicas: 0, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: pod } },
    })
    const deps = await signedIn(role('pictify-keys-restart'))
    const restart = parseRestart('deployment/web', [{ name: spec() }], deps)
    await restart.check()
    await restart.run('one')
    expect(warnings).toEqual([])
  })

  describe('every verb of a role is needed, and missed before anything is minted', () => {
    test.each([
      ['pictify-keys', 'get'],
      ['pictify-keys', 'patch'],
      ['pictify-keys-create', 'create'],
      ['pictify-keys-create', 'delete'],
    ])('%s: %s', async (name, verb) => {
      const isCreate = name === 'pictify-keys-create'
      if (!isCreate) await make()
      const all = isCreate ? [...role('pictify-keys'), ...role(name)] : role(name)
      const rules = all
        .map((rule) => ({ ...rule, verbs: rule.verbs.filter((each) => each !== verb) }))
        .filter(({ verbs }) => verbs.length > 0)
      const error = await failure(parseTarget(spec(), await signedIn(rules, isCreate)).check())
      expect(error.code).toBe('target-refused')
      expect(error.message).toMatch(new RegExp(`(may not|cannot) ${verb}`))
      expect(error.hint).toContain('docs/targets.md')
    })

    test('all that are missing are said at once', async () => {
      const target = parseTarget(spec(), await signedIn(role('pictify-keys').slice(0, 1), true))
      expect((await failure(target.check())).message).toMatch(/may not create .*; .*may not delete /)
    })
  })

  test('one secret may be written, and not the next', async () => {
    await cluster.make(at(), { metadata: { name: 'other' }, data: { PICTIFY_API_KEY: '' } })
    const target = parseTarget(`k8s:${namespace}/other#PICTIFY_API_KEY`, await signedIn(role('pictify-keys')))
    const error = await failure(target.check())
    expect(error.message).toContain(`cannot get resource "secrets"`)
  })
})
