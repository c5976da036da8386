// One key in six places of six kinds: a file, and five stores on their real servers (or, for GitHub and Google, the
// servers that stand for them). Each can be made to answer nobody but the applications.
import { readFile, writeFile } from 'node:fs/promises'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { parse } from 'dotenv'
import { createClient, createPlace as createAwsPlace, awsEnvironment, type AwsFacts } from '../servers/aws.ts'
import { createFaultProxy, type FaultProxy } from '../servers/fault-proxy.ts'
import { authority, createGitHubServer } from '../servers/github.ts'
import {
  createMount,
  createPlace as createVaultPlace,
  createVault,
  type VaultFacts,
} from '../servers/vault.ts'
import type { Place } from '../targets/contract.ts'
import { createStage } from '../targets/gcp-sm-fixture.ts'
import { mergePatch, openCluster, type Cluster, type ClusterFacts } from '../targets/kubernetes-cluster.ts'

export interface Facts {
  aws: AwsFacts
  vault: VaultFacts
  kubernetes: ClusterFacts
}

export interface SixPlaces {
  /** In the order of the line; GitHub, which cannot be read back, is the last. */
  places: readonly Place[]
  /** What lets the program find them all, and sign in. */
  env: Record<string, string>
  /** The namespace of the Kubernetes one, whose secret is called `app`. */
  namespace: string
  cluster: Cluster
  /** Nobody answers the program at that place (by its number, from 0) any more; resolves to the way to end that. */
  takeDown(index: number): Promise<() => Promise<void>>
  /** Runs `then` when the program's next change of Vault (the third place) has come in. */
  atNextVaultWrite(then: () => Promise<void>): void
  /** Answers the program's changes of Kubernetes (the fourth place) with 503, and runs `then` at the first. */
  refuseKubernetesWrites(then: () => void): Promise<() => Promise<void>>
  close(): Promise<void>
}

const pem = (name: string) => readFileSync(path.resolve('test/certificates', `${name}.pem`))
const base64 = (text: string) => Buffer.from(text).toString('base64')

/** What all rounds share: the servers, and a proxy before each that is not in this process. */
export interface SixServers {
  /** Six new places; `folder` is where the file lies. */
  open(folder: string): Promise<SixPlaces>
  close(): Promise<void>
}

export async function startSixServers({ aws, vault, kubernetes }: Facts): Promise<SixServers> {
  const root = createVault(vault)
  const mount = await createMount(root, 2)
  const cluster = await openCluster(kubernetes)
  const tls = { key: pem('server-key'), cert: pem('localhost'), ca: pem('ca') }
  let count = 0

  async function open(folder: string): Promise<SixPlaces> {
    const [awsProxy, vaultProxy, kubeProxy] = await Promise.all([
      createFaultProxy(aws.url),
      createFaultProxy(vault.url),
      createFaultProxy(kubernetes.url, tls),
    ])
    const [github, google] = await Promise.all([createGitHubServer(), createStage()])
    const namespace = await cluster.namespace()
    const repository = `acme/app-${(count += 1)}`
    github.addRepository(repository)
    github.grant('github_pat_AllThatIsNeeded', {
      role: 'admin',
      permissions: { 'Repository: Secrets': 'write' },
    })
    const holder = `repos/${repository}`

    const places: Place[] = [
      envPlace(folder),
      createAwsPlace(createClient(aws.url), 'KEY'),
      createVaultPlace(root, mount, 2, vaultProxy),
      kubernetesPlace(cluster, namespace),
      google.place({ field: 'key' }),
      {
        spec: `github:${repository}#API_KEY`,
        put: async (value) => github.change(holder, 'API_KEY', value),
        value: async () => github.secretsOf(holder).get('API_KEY')?.value,
        others: async () => [...github.secretsOf(holder).keys()],
        version: async () => github.secretsOf(holder).get('API_KEY')?.updatedAt,
      },
    ]
    const nothing = () => undefined
    const down = (proxy: FaultProxy) => () => proxy.fail('down', nothing)
    const ends = [
      () => Promise.reject(new Error('a file is never down')),
      down(awsProxy),
      down(vaultProxy),
      down(kubeProxy),
      () => google.google.down(),
      async () => {
        const end = github.fail('down', () => true)
        return async () => end()
      },
    ]
    return {
      places,
      env: {
        ...awsEnvironment(awsProxy.url),
        VAULT_ADDR: vaultProxy.url,
        VAULT_TOKEN: await root.createToken(
          `path "${mount}/*" { capabilities = ["create", "read", "update", "delete"] }`,
        ),
        KUBECONFIG: await cluster.kubeconfig(kubernetes.token, { url: kubeProxy.url }),
        ...google.env,
        GH_HOST: github.host,
        GH_ENTERPRISE_TOKEN: 'github_pat_AllThatIsNeeded',
        NODE_EXTRA_CA_CERTS: authority,
      },
      namespace,
      cluster,
      takeDown: async (index) => (ends[index] ?? (() => Promise.reject(new Error(`no place ${index}`))))(),
      atNextVaultWrite: (then) =>
        vaultProxy.beforeNext(({ method, url }) => method === 'POST' && /\/data\//.test(url ?? ''), then),
      refuseKubernetesWrites: (then) =>
        kubeProxy.fail('forbidden', ({ method, url = '' }) => {
          if (method === 'GET' || !/\/secrets\//.test(url) || url.includes('dryRun')) return undefined
          then()
          return { status: 503, body: 'no etcd' }
        }),
      async close() {
        await Promise.all([awsProxy, vaultProxy, kubeProxy, github, google].map((each) => each.close()))
      },
    }
  }
  return { open, close: () => cluster.close() }
}

function envPlace(folder: string): Place {
  const file = path.join(folder, '.env')
  const text = () => readFile(file, 'utf8')
  return {
    spec: 'env:.env#PICTIFY_API_KEY',
    put: (value) => writeFile(file, `FIRST=1\nPICTIFY_API_KEY="${value ?? ''}" # live\n`, { mode: 0o600 }),
    value: async () => parse(await text())['PICTIFY_API_KEY'],
    async others() {
      const { PICTIFY_API_KEY: _ours, ...rest } = parse(await text())
      return rest
    },
    version: text,
  }
}

function kubernetesPlace(cluster: Cluster, namespace: string): Place {
  const at = `/api/v1/namespaces/${namespace}/secrets`
  const secret = async () => {
    const { status, body } = await cluster.ask('GET', `${at}/app`)
    return status === 404 ? undefined : body
  }
  return {
    spec: `k8s:${namespace}/app#KEY`,
    async put(value) {
      const data = { KEY: value === undefined ? null : base64(value) }
      if (await secret()) await cluster.make(`${at}/app`, { data }, 'PATCH', mergePatch)
      else await cluster.make(at, { metadata: { name: 'app' }, data: { ...data, OTHER: base64('theirs') } })
    },
    async value() {
      const value = (await secret())?.data?.['KEY']
      return value === undefined ? undefined : Buffer.from(value, 'base64').toString()
    },
    others: async () => ({ ...(await secret())?.data, KEY: undefined }),
    version: async () => (await secret())?.metadata.resourceVersion,
  }
}
