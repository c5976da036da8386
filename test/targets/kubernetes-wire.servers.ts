// Every request that is sent is held to the OpenAPI description that the cluster publishes of itself.
import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { parseRestart } from '../../src/targets/kubernetes-rollout.ts'
import { failure, old, successor } from './contract-fixture.ts'
import { testDeps } from './deps.ts'
import type { ClusterFacts } from './kubernetes-cluster.ts'
import { useSecret } from './kubernetes-fixture.ts'

const server = inject('servers')['kubernetes'] as ClusterFacts | undefined

interface Sent {
  method: string
  path: string
  query: URLSearchParams
  type: string
  body: string
}

interface Parameter {
  name: string
  in: string
  schema: object
}
interface Operation {
  parameters?: Parameter[]
  requestBody?: { content: Record<string, { schema: object }> }
  responses: Record<string, unknown>
}
type PathItem = Partial<Record<string, Operation>> & { parameters?: Parameter[] }
interface Description {
  paths: Record<string, PathItem>
  components: { schemas: Record<string, Schema> }
}
interface Schema {
  properties?: Record<string, object>
  additionalProperties?: unknown
}

/** Of a merge patch the description says no more than that it is an object; it must look as what it changes does. */
const patched: Record<string, string> = {
  secrets: 'io.k8s.api.core.v1.Secret',
  deployments: 'io.k8s.api.apps.v1.Deployment',
  statefulsets: 'io.k8s.api.apps.v1.StatefulSet',
  daemonsets: 'io.k8s.api.apps.v1.DaemonSet',
}

describe.skipIf(!server)('what is sent to a cluster', () => {
  const { at, change, cluster, isThere, make, namespace, proxy, kubeconfig, target } = useSecret(server)
  const descriptions = new Map<string, { description: Description; ajv: Ajv }>()
  const sent: Sent[] = []

  beforeAll(() => {
    proxy().watch(({ method = '', url = '', headers }, body) => {
      const { pathname, searchParams } = new URL(url, 'https://cluster')
      sent.push({ method, path: pathname, query: searchParams, type: headers['content-type'] ?? '', body })
    })
  })
  afterAll(() => {
    proxy()?.watch(() => undefined)
  })

  /** What the cluster says of one group of its API, as a validator that takes no field it does not name. */
  async function describeGroup(group: string): Promise<{ description: Description; ajv: Ajv }> {
    const known = descriptions.get(group)
    if (known) return known
    const description = (await cluster().ask<Description>('GET', `/openapi/v3/${group}`)).body
    for (const schema of Object.values(description.components.schemas)) {
      if (schema.properties && schema.additionalProperties === undefined) schema.additionalProperties = false
    }
    const ajv = new Ajv({ strict: false, allErrors: true })
    addFormats.default(ajv)
    ajv.addFormat('int-or-string', true)
    ajv.addSchema({ $id: 'group', ...description })
    const made = { description, ajv }
    descriptions.set(group, made)
    return made
  }

  /** What is wrong with a request, by the description. */
  async function problemsOf({ method, path, query, type, body }: Sent): Promise<string[]> {
    const [, group = ''] = /^\/(api\/v1|apis\/[^/]+\/[^/]+)\//.exec(path) ?? []
    const { description, ajv } = await describeGroup(group)
    const template = Object.keys(description.paths).find((each) => {
      const pattern = each.replace(/\{[^}]+\}/g, '[^/]+')
      return new RegExp(`^${pattern}$`).test(path) && !/\/(watch|status)\//.test(each)
    })
    const item = template === undefined ? undefined : description.paths[template]
    const operation = item?.[method.toLowerCase()]
    if (!item || !operation) return [`there is no ${method} ${path}`]
    const problems: string[] = []
    const check = (what: string, schema: object, value: unknown) => {
      const validate = ajv.compile(absolute(schema))
      validate(value)
      // a patch names only what it changes
      const errors =
        validate.errors?.filter(({ keyword }) => what !== 'patch' || keyword !== 'required') ?? []
      if (errors.length > 0) problems.push(`${method} ${path}: ${what} ${ajv.errorsText(errors)}`)
    }
    const parameters = [...(item.parameters ?? []), ...(operation.parameters ?? [])]
    for (const [name, value] of query) {
      const parameter = parameters.find((each) => each.in === 'query' && each.name === name)
      if (parameter) check(name, parameter.schema, value)
      else problems.push(`${method} ${path} has no parameter ${name}`)
    }
    if (body === '') return problems
    const content = operation.requestBody?.content ?? {}
    const media = content[type] ?? content['*/*']
    if (!media) return [...problems, `${method} ${path} takes no ${type}`]
    check('body', media.schema, JSON.parse(body))
    const [, resource = ''] = /\/([a-z]+)\/[^/]+$/.exec(path) ?? []
    const name = patched[resource]
    if (method === 'PATCH' && name) {
      check('patch', { $ref: `#/components/schemas/${name}` }, withoutRemovals(JSON.parse(body)))
    }
    return problems
  }

  test('is what its description takes', async () => {
    const created = target({ createTarget: true })
    await failure(target().check())
    await created.check()
    await created.write(successor, undefined)
    await created.restore(undefined, successor)
    expect(await isThere()).toBe(false)
    await make()
    await target().check()
    await target().write(successor, { value: old })
    await target().restore({ value: old }, successor)
    await change({ data: { KEY: null } })
    await created.write(successor, undefined)
    await created.restore(undefined, successor)

    const labels = { app: 'web' }
    const template = { metadata: { labels }, spec: { containers: [{ name: 'a', image: 'b' }] } }
    for (const [kind, spec] of Object.entries({
      deployment: { replicas: 0 },
      statefulset: { replicas: 0, serviceName: 'web' },
      daemonset: {},
    })) {
      await cluster().make(`/apis/apps/v1/namespaces/${namespace()}/${kind}s`, {
        metadata: { name: 'web' },
        spec: { selector: { matchLabels: labels }, template, ...spec },
      })
      const deps = testDeps('/', { env: { KUBECONFIG: kubeconfig() } })
      const restart = parseRestart(`${namespace()}/${kind}/web`, [], deps)
      await restart.check()
      await restart.run('one')
    }

    const problems = await Promise.all(sent.map(problemsOf))
    expect(problems.flat()).toEqual([])
    const kinds = new Set(
      sent.map(({ method, path, query }) => {
        const resource = path
          .replace(/.*\/namespaces\/[^/]+(?:\/([a-z]+)(\/.*)?)?$/, '$1')
          .replace(/.*\//, '')
        return `${method} ${resource || 'namespace'}${query.has('dryRun') ? ' dry' : ''}`
      }),
    )
    expect([...kinds].sort()).toEqual([
      'DELETE secrets',
      'GET daemonsets',
      'GET deployments',
      'GET namespace',
      'GET secrets',
      'GET statefulsets',
      'PATCH daemonsets',
      'PATCH daemonsets dry',
      'PATCH deployments',
      'PATCH deployments dry',
      'PATCH secrets',
      'PATCH secrets dry',
      'PATCH statefulsets',
      'PATCH statefulsets dry',
      'POST secrets',
      'POST secrets dry',
      'POST selfsubjectaccessreviews',
    ])
  })

  test('carries the version that was looked at, whatever it changes', () => {
    const changes = sent.filter(({ method }) => method === 'PATCH' || method === 'DELETE')
    expect(changes.length).toBeGreaterThan(10)
    for (const { method, body } of changes) {
      const { metadata, preconditions } = JSON.parse(body) as Partial<
        Record<string, { resourceVersion?: string }>
      >
      const condition = method === 'DELETE' ? preconditions : metadata
      expect(condition?.resourceVersion).toMatch(/^\d+$/)
    }
  })

  test('and what it does not take is found', async () => {
    const one: Sent = {
      method: 'PATCH',
      path: `${at()}/app`,
      query: new URLSearchParams(),
      type: '',
      body: '',
    }
    const type = 'application/merge-patch+json'
    expect(await problemsOf({ ...one, method: 'POST' })).toEqual([
      expect.stringContaining('there is no POST'),
    ])
    const dry = { ...one, query: new URLSearchParams({ dryrun: 'All' }) }
    expect(await problemsOf(dry)).toEqual([expect.stringContaining('no parameter dryrun')])
    expect(await problemsOf({ ...one, type: 'application/json', body: '{}' })).toEqual([
      expect.stringContaining('takes no application/json'),
    ])
    expect(await problemsOf({ ...one, type, body: '{"data":{"KEY":1}}' })).toEqual([
      expect.stringContaining('must be string'),
    ])
    expect(await problemsOf({ ...one, type, body: '{"metadata":{"version":"1"}}' })).toEqual([
      expect.stringContaining('additional properties'),
    ])
  })
})

/** The same schema with its references into the description of its group. */
function absolute(schema: object): object {
  return JSON.parse(JSON.stringify(schema).replaceAll('"$ref":"#/', '"$ref":"group#/')) as object
}

/** A merge patch without what it takes away. */
function withoutRemovals(patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null) return patch
  const kept = Object.entries(patch).filter(([, value]) => value !== null)
  return Object.fromEntries(kept.map(([name, value]) => [name, withoutRemovals(value)]))
}
