// Signing in to the real cluster in the ways that a kubeconfig knows, and what comes of it when that fails.
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import * as sdk from '@kubernetes/client-node'
import { afterAll, afterEach, beforeAll, describe, expect, inject, test, vi } from 'vitest'
import { findLogin } from '../../src/targets/kubernetes-config.ts'
import { parseRestart } from '../../src/targets/kubernetes-rollout.ts'
import { failure, old, successor } from './contract-fixture.ts'
import { testDeps } from './deps.ts'
import { until, type ClusterFacts } from './kubernetes-cluster.ts'
import { useSecret } from './kubernetes-fixture.ts'

const server = inject('servers')['kubernetes'] as ClusterFacts | undefined

describe.skipIf(!server)('signing in', () => {
  const { cluster, kubeconfig, make, namespace, proxy, secret, target, warnings } = useSecret(server)
  const { token, ca, url } = server ?? { token: '', ca: '', url: 'https://none' }
  let folder: string

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'pictify-keys-login-'))
  })
  afterAll(async () => {
    await rm(folder, { recursive: true, force: true })
  })
  afterEach(() => {
    vi.unstubAllEnvs()
  })

  const as = async (user: string | object) => ({ KUBECONFIG: await cluster().kubeconfig(user) })

  async function program(text: string): Promise<string> {
    const file = path.join(folder, `login-${Math.random().toString(36).slice(2)}`)
    await writeFile(file, `#!/bin/sh\n${text}\n`)
    await chmod(file, 0o755)
    return file
  }

  test('by a program', async () => {
    await make()
    const credential = {
      kind: 'ExecCredential',
      apiVersion: 'client.authentication.k8s.io/v1',
      status: { token },
    }
    const command = await program(`echo '${JSON.stringify(credential)}'`)
    const env = await as({
      exec: { apiVersion: 'client.authentication.k8s.io/v1', command, interactiveMode: 'Never' },
    })
    await target({ env }).check()
    await target({ env }).write(successor, { value: old })
    expect((await secret()).data?.['KEY']).toBe(Buffer.from(successor.reveal()).toString('base64'))
  })

  test('by a program that says no: what it said, and how to sign in again', async () => {
    await make()
    const command = await program(`echo "the session has expired (${old.reveal()})" >&2; exit 1`)
    const error = await failure(
      target({ env: await as({ exec: { command } }), secrets: () => [old] }).check(),
    )
    expect(error.code).toBe('target-refused')
    expect(error.message).toContain('cannot sign in: the session has expired ([secret])')
    expect(error.hint).toContain('kubectl auth whoami')
  })

  test('by a program that is not there', async () => {
    const env = await as({ exec: { command: 'no-such-login' } })
    const error = await failure(target({ env }).check())
    expect(error.message).toContain('cannot sign in: there is no no-such-login')
  })

  test('as the service account of the pod it runs in', async () => {
    await make()
    const files = path.join(folder, 'pod/var/run/secrets/kubernetes.io/serviceaccount')
    await mkdir(files, { recursive: true })
    const account = await cluster().account(namespace(), [
      { apiGroups: [''], resources: ['secrets'], verbs: ['get'] },
    ])
    await writeFile(path.join(files, 'token'), account.token)
    await copyFile(ca, path.join(files, 'ca.crt'))
    const { hostname, port } = new URL(url)
    vi.stubEnv('KUBERNETES_SERVICE_HOST', hostname)
    vi.stubEnv('KUBERNETES_SERVICE_PORT', port)
    const deps = testDeps('/', { env: { KUBERNETES_SERVICE_HOST: hostname } })
    const { config } = await findLogin(sdk, 'k8s:a/b#c', deps, path.join(folder, 'pod'))
    const found = await config
      .makeApiClient(sdk.CoreV1Api)
      .readNamespacedSecret({ namespace: namespace(), name: 'app' })
    expect(Object.keys(found.data ?? {})).toEqual(['KEY', 'OTHER'])
  })

  test('a login that was renewed meanwhile is found by itself', async () => {
    await make()
    const account = await cluster().account(namespace(), [
      { apiGroups: [''], resources: ['secrets'], verbs: ['get', 'patch'] },
    ])
    const file = await cluster().kubeconfig(account.token)
    const one = target({ env: { KUBECONFIG: file } })
    const held = await one.read()
    await cluster().ask('DELETE', `/api/v1/namespaces/${namespace()}/serviceaccounts/${account.name}`)
    await until(
      async () => (await cluster().ask('GET', '/api', undefined, { token: account.token })).status === 401,
    )
    await cluster().kubeconfig(token, { file })
    await one.write(successor, held)
  })

  test('a kubeconfig that names another cluster by then is not gone on with', async () => {
    await make()
    const account = await cluster().account(namespace(), [
      { apiGroups: [''], resources: ['secrets'], verbs: ['get', 'patch'] },
    ])
    const file = await cluster().kubeconfig(account.token)
    const one = target({ env: { KUBECONFIG: file } })
    const held = await one.read()
    expect(await one.identify?.()).toBe(url)
    await cluster().ask('DELETE', `/api/v1/namespaces/${namespace()}/serviceaccounts/${account.name}`)
    await until(
      async () => (await cluster().ask('GET', '/api', undefined, { token: account.token })).status === 401,
    )
    await cluster().kubeconfig(token, { file, url: proxy().url })
    const error = await failure(one.write(successor, held))
    expect(error).toMatchObject({ code: 'target-refused' })
    expect(error.message).toContain(`names another cluster by now (${proxy().url}, and before ${url})`)
    expect((await secret()).data?.['KEY']).toBe(Buffer.from(old.reveal()).toString('base64'))
  })

  test('which cluster it is, is known without a right to anything', async () => {
    const account = await cluster().account(namespace(), [
      { apiGroups: [''], resources: ['secrets'], resourceNames: ['app'], verbs: ['get'] },
    ])
    const identity = async (at: string) => {
      const file = await cluster().kubeconfig(account.token, { url: at })
      return target({ env: { KUBECONFIG: file } }).identify?.()
    }
    expect(await identity(`${url}/`)).toBe(url)
    expect(await identity(proxy().url)).toBe(proxy().url)
  })

  test('a certificate that is not checked is warned of, by the target and by the rollout', async () => {
    await make()
    const file = await cluster().kubeconfig(token, { url: proxy().url })
    const config = JSON.parse(await readFile(file, 'utf8')) as { clusters: { cluster: object }[] }
    config.clusters[0]!.cluster = { server: proxy().url, 'insecure-skip-tls-verify': true }
    await writeFile(file, JSON.stringify(config))
    await target({ env: { KUBECONFIG: file } }).check()
    const sentence = expect.stringContaining('is not checked (insecure-skip-tls-verify)') as string
    expect(warnings).toEqual([sentence])
    const metadata = { labels: { app: 'web' } }
    const spec = { containers: [{ name: 'web', image: 'web' }] }
    await cluster().make(`/apis/apps/v1/namespaces/${namespace()}/deployments`, {
      metadata: { name: 'web' },
      spec: { selector: { matchLabels: metadata.labels }, template: { metadata, spec } },
    })
    const told: string[] = []
    const deps = testDeps('/', { env: { KUBECONFIG: file }, warn: (text) => void told.push(text) })
    await parseRestart(`${namespace()}/deployment/web`, [], deps).check()
    expect(told).toEqual([sentence])
  })

  test('an authority that is not the right one: the certificate is not trusted, and nothing is sent', async () => {
    await make()
    const file = await cluster().kubeconfig(token, { url: proxy().url })
    const config = JSON.parse(await readFile(file, 'utf8')) as { clusters: { cluster: object }[] }
    config.clusters[0]!.cluster = { server: proxy().url }
    await writeFile(file, JSON.stringify(config))
    const before = proxy().requests.length
    const error = await failure(target({ env: { KUBECONFIG: file } }).check())
    expect(error).toMatchObject({
      code: 'target-failed',
      message: expect.stringContaining('is not trusted') as string,
    })
    expect(proxy().requests.length).toBe(before)
  })

  test('what is said in debug are methods, paths and answers', async () => {
    await make()
    const said: string[] = []
    const debug = (text: string) => void said.push(text)
    await target({ env: { KUBECONFIG: kubeconfig() }, debug }).write(successor, { value: old })
    expect(said.map((line) => line.replace(/^.*?: /, ''))).toEqual([
      `GET /api/v1/namespaces/${namespace()}/secrets/app 200`,
      `PATCH /api/v1/namespaces/${namespace()}/secrets/app 200`,
    ])
  })
})
