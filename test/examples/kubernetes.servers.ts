// examples/Dockerfile and examples/kubernetes.yaml: the image is made in a folder, the objects are given to a real cluster, and
// what the CronJob would run is run under exactly the service account that it names.
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { openCluster, until, type Cluster, type ClusterFacts } from '../targets/kubernetes-cluster.ts'
import { startKubelet, type Kubelet } from '../targets/kubernetes-kubelet.ts'
import { openAccount, type ExampleAccount } from './account.ts'
import { openFolder, start, text, type Folder } from './folder.ts'
import { makeImage, type Image } from './image.ts'
import { openRegistry, type Registry } from './registry.ts'

const facts = inject('servers')['kubernetes'] as ClusterFacts | undefined
const kubectl = inject('servers')['kubectl']

interface Rule {
  apiGroups: string[]
  resources: string[]
  resourceNames: string[]
  verbs: string[]
}
interface PodSpec {
  serviceAccountName: string
  containers: { image: string; command: string[]; args: string[]; env: { name: string }[] }[]
  volumes: { name: string }[]
}
interface Document {
  kind: string
  metadata: { name: string; namespace: string }
  rules?: Rule[]
  spec?: {
    concurrencyPolicy: string
    jobTemplate: { spec: { activeDeadlineSeconds: number; template: { spec: PodSpec } } }
  }
}

let registry: Registry
let folder: Folder
let image: Image
beforeAll(async () => {
  registry = await openRegistry()
  folder = await openFolder(registry)
  image = await makeImage(folder)
  // the first time, it fetches the libraries of all stores
}, 300_000)
afterAll(async () => {
  await registry?.close()
  await folder?.remove()
})

/** A process of a container of the image. */
function container(command: readonly string[], env: Record<string, string>) {
  const [program = '', ...args] = command
  return start(program, args, { cwd: image.workdir, env: { ...folder.env, ...image.env, ...env } })
}

describe('Docker', () => {
  let account: ExampleAccount
  beforeEach(async () => {
    account = await openAccount()
  })
  afterEach(() => account.sandbox.close())

  test('the image has the program of its version, and runs it as somebody who is not root', async () => {
    expect(new Set(image.bases)).toEqual(new Set(['node:24-alpine']))
    expect(image.user).toMatch(/^[1-9]\d*:[1-9]\d*$/)
    // found on the PATH of the image itself, before all others
    const entry = await container(['/bin/sh', '-c', `command -v ${image.entrypoint.join(' ')}`], {}).ended
    expect(entry.stdout.trim()).toBe(`${image.root}/opt/pictify-keys/node_modules/.bin/pictify-keys`)
    const version = await container([...image.entrypoint, '--version'], {}).ended
    expect(version.stdout.trim()).toBe(registry.version)
    const help = await container([...image.entrypoint, ...image.cmd], {}).ended
    expect(help).toMatchObject({ code: 0, stdout: expect.stringContaining('rotate') as string })
  })

  test('it keeps its state where a volume is mounted, and knows the libraries of all stores', async () => {
    const dotenv = path.join(folder.directory, 'container.env')
    await writeFile(dotenv, `PICTIFY_API_KEY=${account.old.secret.reveal()}\n`)
    const args = ['rotate', account.old.id, `--to=env:${dotenv}`, '--overlap=24h', '--wait=0s']
    expect(await container([...image.entrypoint, ...args], account.env).ended).toMatchObject({ code: 5 })
    const open = await container([...image.entrypoint, 'rotations', '--open', '--json'], account.env).ended
    expect(JSON.parse(open.stdout)).toMatchObject({ rotations: [{ state: 'overlapping' }] })

    const targets = ['aws-sm:a', 'gcp-sm:projects/a/secrets/b', 'k8s:a/b#c', 'github:a/b#C'].map(
      (to) => `--to=${to}`,
    )
    const away = {
      HOME: image.workdir,
      AWS_EC2_METADATA_DISABLED: 'true',
      GOOGLE_APPLICATION_CREDENTIALS: '/none',
    }
    const ran = await container([...image.entrypoint, 'create', 'X', ...targets], { ...account.env, ...away })
      .ended
    expect(ran.code).toBe(1)
    expect(ran.stderr).not.toContain('is not installed')
  })
})

describe.skipIf(!facts || !kubectl)('Kubernetes', () => {
  let cluster: Cluster
  let kubelet: Kubelet
  let namespace: string
  let account: ExampleAccount
  let manifests: string
  let pod: PodSpec
  let documents: Document[]
  beforeAll(async () => {
    cluster = await openCluster(facts as ClusterFacts)
  })
  afterAll(() => cluster?.close())
  beforeEach(async () => {
    account = await openAccount()
    namespace = await cluster.namespace()
    kubelet = startKubelet(cluster, namespace)
    manifests = (await text('examples/kubernetes.yaml')).replace(/\bshop\b/g, namespace)
    documents = parseAllDocuments(manifests).map((document) => document.toJS() as Document)
    pod = documents.find(({ kind }) => kind === 'CronJob')?.spec?.jobTemplate.spec.template.spec as PodSpec
  })
  afterEach(async () => {
    await kubelet.stop()
    await account.sandbox.close()
  })

  const secrets = () => `/api/v1/namespaces/${namespace}/secrets`
  const deployment = () => `/apis/apps/v1/namespaces/${namespace}/deployments`
  const held = async () => {
    const { data = {} } = (await cluster.ask('GET', `${secrets()}/pictify`)).body
    return Buffer.from(data['PICTIFY_API_KEY'] ?? '', 'base64').toString()
  }

  /** The account's own things, and the manifests as their head says. */
  async function setUp(): Promise<void> {
    const adminKey = path.join(folder.directory, 'admin-key.txt')
    await writeFile(adminKey, `${account.env.PICTIFY_ADMIN_KEY}\n`)
    const line = /kubectl (--namespace .* generic pictify-admin --from-file=PICTIFY_ADMIN_KEY=)/.exec(
      manifests,
    )?.[1]
    await cluster.kubectl(`${line}${adminKey}`.split(' '))
    const data = { PICTIFY_API_KEY: Buffer.from(account.old.secret.reveal()).toString('base64') }
    await cluster.make(secrets(), { metadata: { name: 'pictify' }, data })
    const labels = { app: 'web' }
    const containers = [
      { name: 'web', image: 'example.com/web', envFrom: [{ secretRef: { name: 'pictify' } }] },
    ]
    await cluster.make(deployment(), {
      metadata: { name: 'web' },
      spec: {
        replicas: 1,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers } },
      },
    })
    await cluster.kubectl(['apply', '--filename', '-'], manifests)
  }

  /** What the pod's one container does, signed in as the pod's service account. */
  async function startPod(more: Record<string, string> = {}) {
    const tokens = `/api/v1/namespaces/${namespace}/serviceaccounts/${pod.serviceAccountName}/token`
    const made = (await cluster.make(tokens, { spec: {} })) as unknown as { status: { token: string } }
    const [only] = pod.containers
    expect(only?.env.map(({ name }) => name)).toEqual(['PICTIFY_ADMIN_KEY'])
    const { data = {} } = (await cluster.ask('GET', `${secrets()}/pictify-admin`)).body
    return container([...(only?.command ?? []), ...(only?.args ?? [])], {
      PICTIFY_ADMIN_KEY: Buffer.from(data['PICTIFY_ADMIN_KEY'] ?? '', 'base64').toString(),
      PICTIFY_API_URL: account.env.PICTIFY_API_URL,
      KUBECONFIG: await cluster.kubeconfig(made.status.token),
      // all but the state is read-only
      HOME: '/proc/none',
      TMPDIR: '/proc/none',
      PICTIFY_KEYS_STATE_DIR: path.join(folder.directory, 'state', namespace),
      ...more,
    })
  }

  test('the cluster takes the objects as they are, and the pod where only restricted ones may run', async () => {
    const said = await cluster.kubectl(
      ['apply', '--dry-run=server', '--validate=strict', '--filename', '-'],
      manifests,
    )
    expect(said.trim().split('\n')).toHaveLength(4)
    const level = { 'pod-security.kubernetes.io/enforce': 'restricted' }
    await cluster.make(
      `/api/v1/namespaces/${namespace}`,
      { metadata: { labels: level } },
      'PATCH',
      'application/merge-patch+json',
    )
    const { serviceAccountName: _, ...spec } = pod
    const checked = { metadata: { name: 'pictify-keys' }, spec }
    const reply = await cluster.ask('POST', `/api/v1/namespaces/${namespace}/pods?dryRun=All`, checked)
    expect(reply).toMatchObject({ status: 201 })
  })

  test('the role is what docs/targets.md says, and no more', async () => {
    const document = await text('docs/targets.md')
    const blocks = [...document.matchAll(/```yaml\n(.*?)```/gs)].map(([, block]) => block ?? '')
    const rules = ['pictify-keys', 'pictify-keys-restart'].flatMap((name) => {
      const block = blocks.find((each) => each.includes(`name: ${name},`)) ?? ''
      return (parse(block.replace(/\bshop\b/g, namespace)) as Document).rules ?? []
    })
    expect(documents.find(({ kind }) => kind === 'Role')?.rules).toEqual(rules)
  })

  test('one run at a time, with a deadline above what a rotation may wait for', () => {
    const spec = documents.find(({ kind }) => kind === 'CronJob')?.spec
    expect(spec?.concurrencyPolicy).toBe('Forbid')
    // --wait (15m), four times --settle (30s), --verify-timeout (2m), a restart (5m), and undoing all that
    expect(spec?.jobTemplate.spec.activeDeadlineSeconds).toBeGreaterThan(2 * (15 + 2 + 2 + 5) * 60)
  })

  test('the job rotates as its service account; the night after, there is nothing to do', async () => {
    await setUp()
    const before = (await kubelet.pods()).map(({ uid }) => uid)
    const first = await (await startPod()).ended
    expect(first.stderr).not.toContain('warning')
    expect(first.code).toBe(0)
    expect(await held()).toBe(account.successor().secret.reveal())
    const after = await kubelet.pods()
    expect(after.every(({ uid, isReady }) => isReady && !before.includes(uid))).toBe(true)
    account.refuseSecrets(first.stdout, first.stderr)
    expect(await (await startPod()).ended).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('nothing to do') as string,
    })
  })

  test('what waits is no failure', async () => {
    await setUp()
    const waiting = await (await startPod({ ROTATE_WITH: '--overlap=24h --wait=0s' })).ended
    expect(waiting).toMatchObject({ code: 0, stderr: expect.stringContaining('overlap') as string })
    // the admin key, the old one and its successor
    expect(account.sandbox.keys().map(({ status }) => status)).toEqual(['active', 'active', 'active'])
  })

  test('what fails fails the job with the program’s own code', async () => {
    await setUp()
    expect(await (await startPod({ ROTATE_WITH: '--verify=false' })).ended).toMatchObject({ code: 6 })
    expect(await held()).toBe(account.old.secret.reveal())
  })

  test('a pod that is stopped stops at the next safe point, and the next one goes on at once', async () => {
    await setUp()
    const running = await startPod({ ROTATE_WITH: '--overlap=24h --wait=10m' })
    await until(async () => /waiting up to/.test(running.stderr()))
    process.kill(running.pid, 'SIGTERM')
    const stopped = await running.ended
    expect(stopped.stderr).toContain('stopping at the next safe point')
    expect(stopped.code).toBe(143)
    const elsewhere = { PICTIFY_KEYS_STATE_DIR: path.join(folder.directory, 'state', 'another-node') }
    expect(await (await startPod(elsewhere)).ended).toMatchObject({ code: 0 })
    expect(account.sandbox.keys()).toHaveLength(3)
    expect(await held()).toBe(account.successor().secret.reveal())
  })
})
