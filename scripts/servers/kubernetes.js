// A Kubernetes control plane: etcd, kube-apiserver and the controllers that roll workloads out, built from their Go
// modules (test/servers/kubernetes/go.mod). There is no scheduler and no kubelet: a test says which pods are ready.
import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto'
import { access, cp, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort, run, start as startProgram, stop, which } from './processes.js'

const module = fileURLToPath(new URL('../../test/servers/kubernetes/', import.meta.url))
const certificates = fileURLToPath(new URL('../../test/certificates/', import.meta.url))
const packages = [
  'go.etcd.io/etcd/server/v3',
  'k8s.io/kubernetes/cmd/kube-apiserver',
  'k8s.io/kubernetes/cmd/kube-controller-manager',
]
const controllers = [
  'daemonset-controller',
  'deployment-controller',
  'namespace-controller',
  'replicaset-controller',
  'resourcequota-controller',
  'serviceaccount-controller',
  'statefulset-controller',
]

export const kubernetes = {
  name: 'kubernetes',
  title: 'a Kubernetes control plane: etcd, kube-apiserver and kube-controller-manager',
  install,
  start,
}

/** Resolves to the folder of the three programs. */
async function install(cache) {
  const wanted = createHash('sha256').update(await readFile(path.join(module, 'go.mod')))
  const bin = path.join(cache, wanted.digest('hex').slice(0, 16))
  if (await exists(bin)) return bin
  if (!(await which('go'))) throw new Error('it is built from source, and there is no go')
  const work = await mkdtemp(path.join(cache, 'build-'))
  try {
    await mkdir(path.join(work, 'bin'))
    // a copy: where the repository lies may belong to a workspace, or be read-only
    await cp(module, work, { recursive: true })
    console.error('building Kubernetes from its Go modules, once: 3 to 10 minutes')
    await run('go', ['build', '-trimpath', '-tags=providerless', '-ldflags=-s -w', '-o=bin/', ...packages], {
      cwd: work,
      env: {
        ...process.env,
        GOFLAGS: '-mod=readonly -buildvcs=false',
        GOWORK: 'off',
        GO111MODULE: 'on',
        GOOS: '',
        GOARCH: '',
        CGO_ENABLED: '0',
      },
    })
    // another build may have been faster
    if (!(await exists(bin))) await rename(path.join(work, 'bin'), bin)
  } finally {
    await rm(work, { recursive: true, force: true })
  }
  return bin
}

/** Facts: { url, ca, token }: where it is, the PEM file of its authority, and the token of an administrator. */
async function start(bin, folder) {
  const etcdUrl = `http://127.0.0.1:${await freePort()}`
  const port = await freePort()
  const token = randomBytes(24).toString('base64url')
  const facts = { url: `https://localhost:${port}`, ca: path.join(certificates, 'ca.pem'), token }
  const pids = []
  try {
    pids.push(await startEtcd(bin, folder, etcdUrl))
    pids.push(await startApiserver(bin, folder, { etcdUrl, port, facts }))
    pids.push(await startControllers(bin, folder, facts))
    return { facts, pids }
  } catch (error) {
    await Promise.all(pids.map(stop))
    throw error
  }
}

async function startEtcd(bin, folder, url) {
  const peers = `http://127.0.0.1:${await freePort()}`
  const flags = {
    name: 'default',
    'data-dir': path.join(folder, 'etcd'),
    'listen-client-urls': url,
    'advertise-client-urls': url,
    'listen-peer-urls': peers,
    'initial-advertise-peer-urls': peers,
    'initial-cluster': `default=${peers}`,
    // what it keeps is thrown away at the end
    'unsafe-no-fsync': true,
    'log-level': 'error',
  }
  const isReady = async () => (await fetch(`${url}/health`)).ok
  return startProgram(path.join(bin, 'server'), flagsOf(flags), {
    log: path.join(folder, 'etcd.log'),
    isReady,
  })
}

async function startApiserver(bin, folder, { etcdUrl, port, facts }) {
  const tokens = path.join(folder, 'tokens.csv')
  await writeFile(tokens, `${facts.token},administrator,administrator,"system:masters"\n`, { mode: 0o600 })
  const key = path.join(folder, 'service-accounts.pem')
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  await writeFile(key, privateKey.export({ type: 'sec1', format: 'pem' }), { mode: 0o600 })
  const flags = {
    'etcd-servers': etcdUrl,
    'bind-address': '127.0.0.1',
    'advertise-address': '127.0.0.1',
    'endpoint-reconciler-type': 'none',
    'secure-port': port,
    'cert-dir': folder,
    'tls-cert-file': path.join(certificates, 'localhost.pem'),
    'tls-private-key-file': path.join(certificates, 'server-key.pem'),
    'token-auth-file': tokens,
    'anonymous-auth': false,
    'authorization-mode': 'RBAC',
    'service-account-issuer': 'https://kubernetes.default.svc',
    'service-account-key-file': key,
    'service-account-signing-key-file': key,
    'service-cluster-ip-range': '10.0.0.0/24',
    profiling: false,
  }
  return startProgram(path.join(bin, 'kube-apiserver'), flagsOf(flags), {
    log: path.join(folder, 'kube-apiserver.log'),
    isReady: () => answersOk(facts, '/readyz'),
  })
}

async function startControllers(bin, folder, facts) {
  const kubeconfig = path.join(folder, 'controllers.kubeconfig')
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server: facts.url, 'certificate-authority': facts.ca } }],
    users: [{ name: 'controllers', user: { token: facts.token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'controllers' } }],
    'current-context': 'test',
  }
  await writeFile(kubeconfig, JSON.stringify(config), { mode: 0o600 })
  const flags = {
    kubeconfig,
    controllers: controllers.join(','),
    'leader-elect': false,
    'secure-port': 0,
    profiling: false,
  }
  return startProgram(path.join(bin, 'kube-controller-manager'), flagsOf(flags), {
    log: path.join(folder, 'kube-controller-manager.log'),
    // made by one of them, without which there are no pods
    isReady: () => answersOk(facts, '/api/v1/namespaces/default/serviceaccounts/default'),
  })
}

function flagsOf(flags) {
  return Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`)
}

/** Whether the administrator's GET is answered by 200. */
async function answersOk({ url, ca, token }, at) {
  const authority = await readFile(ca)
  return new Promise((resolve, reject) => {
    const sent = request(new URL(at, url), { ca: authority, headers: { authorization: `Bearer ${token}` } })
    sent.on('response', (response) => {
      response.resume()
      resolve(response.statusCode === 200)
    })
    sent.on('error', reject)
    sent.end()
  })
}

async function exists(file) {
  try {
    await access(file)
    return true
  } catch {
    // that it is not there is the answer
    return false
  }
}
