// Rules of this file:
// - a cluster is found as kubectl finds it; where the library differs from kubectl, kubectl wins;
// - nothing of a kubeconfig but names gets into an error, for it holds credentials;
// - what a kubeconfig starts to sign in gets none of our secrets by its environment;
// - a key goes in clear to no other machine, unless that is meant.
import { access } from 'node:fs/promises'
import path from 'node:path'
import type * as sdk from '@kubernetes/client-node'
import { childEnvironment } from '../child.ts'
import { systemCode, systemReason } from '../system-error.ts'
import { KeysError } from '../errors.ts'
import { isLoopback } from '../http.ts'
import { limitPrograms } from './kubernetes-program.ts'
import { refusal } from './refusal.ts'
import type { TargetDeps } from './target.ts'

export type Sdk = typeof sdk

export interface Login {
  readonly config: sdk.KubeConfig
  readonly server: string
  /** Which cluster it is, however its context is called: the URL of its API server, as it is always written. */
  readonly identity: string
  /** The cluster, for a person. */
  readonly where: string
  /** What to do when the login is not taken. */
  readonly renew: string
  /** Whether the cluster's certificate is taken unseen. */
  readonly skipsVerify: boolean
  /** Ends what was started to sign in. */
  readonly stop: () => void
}

/** The programs that sign in for clouds, and what a person runs when they no longer do. */
const renewals: Readonly<Record<string, string>> = {
  aws: 'aws sso login',
  'aws-iam-authenticator': 'aws sso login',
  'gke-gcloud-auth-plugin': 'gcloud auth login',
  kubelogin: 'az login',
  tsh: 'tsh kube login',
}

/**
 * Where to go and as whom: the files of KUBECONFIG, else ~/.kube/config, else the pod this runs in, whose files lie under
 * `root`. Throws `target-refused`, and `insecure-url` for plain http to another machine.
 */
export async function findLogin(
  { KubeConfig }: Pick<Sdk, 'KubeConfig'>,
  name: string,
  deps: Pick<TargetDeps, 'clock' | 'cwd' | 'env' | 'insecureHttp' | 'secrets'>,
  root = '',
): Promise<Login> {
  const { env } = deps
  const config = new KubeConfig()
  const files = await kubeconfigs(name, deps)
  for (const file of files) merge(config, read(new KubeConfig(), name, file))
  const isInside = files.length === 0 && env['KUBERNETES_SERVICE_HOST'] !== undefined
  if (isInside) config.loadFromCluster(root)
  else if (files.length === 0) {
    throw refusal(
      `${name}: there is no kubeconfig, and this is not a pod`,
      'set KUBECONFIG, or sign in to the cluster as for kubectl, which writes ~/.kube/config',
    )
  }
  const cluster = config.getCurrentCluster()
  const context = config.getCurrentContext()
  if (!cluster) {
    throw refusal(
      `${name}: the kubeconfig has no current context with a cluster`,
      'choose one: kubectl config get-contexts, then kubectl config use-context <name>',
    )
  }
  const url = serverOf(name, cluster, deps)
  if (url.protocol === 'http:') withoutTls(config, cluster.name)
  const user = config.getCurrentUser()
  const exec = user?.exec as Exec | undefined | null
  if (exec) withoutSecrets(exec, deps)
  return {
    config,
    server: cluster.server,
    identity: url.origin + url.pathname.replace(/\/+$/, ''),
    where: isInside ? 'the cluster it runs in' : `the cluster of the context "${context}"`,
    renew:
      url.protocol === 'http:' ? plainHint : isInside ? insideHint : renewHint(user?.name, exec?.command),
    skipsVerify: url.protocol === 'https:' && cluster.skipTLSVerify,
    stop: limitPrograms(config, deps.clock),
  }
}

const plainHint =
  'over plain http no login is sent, as kubectl sends none: give the cluster an https:// server'

/** Throws `target-refused`, and `insecure-url`. */
function serverOf(
  name: string,
  { name: called, server, proxyUrl }: sdk.Cluster,
  { insecureHttp = false }: Pick<TargetDeps, 'insecureHttp'>,
): URL {
  const url = URL.canParse(server) ? new URL(server) : undefined
  const isUsual =
    url && ['http:', 'https:'].includes(url.protocol) && url.username === '' && url.password === ''
  if (!isUsual) {
    throw refusal(
      `${name}: the server of the cluster "${called}" in the kubeconfig is no https:// URL`,
      'write it in full, without a user or a password: https://cluster.example.com:6443',
    )
  }
  // by a proxy it leaves this machine
  const isHere = isLoopback(url.hostname) && !proxyUrl
  if (url.protocol === 'https:' || isHere || insecureHttp) return url
  throw new KeysError(
    'insecure-url',
    `${name}: the server of the cluster "${called}" is plain http to ${url.host}, which would send the key in clear`,
    {
      hint: 'give it an https:// server, or --insecure-http if it is meant; http to this machine is always allowed',
    },
  )
}

/** As kubectl does it: no login goes over plain http. The library takes such a server for a mistake unless it is told. */
function withoutTls(config: sdk.KubeConfig, called: string): void {
  config.loadFromOptions({
    clusters: config.clusters.map((each) => (each.name === called ? { ...each, skipTLSVerify: true } : each)),
    users: [],
    contexts: config.contexts,
    currentContext: config.currentContext,
  })
}

interface Exec {
  command?: string
  env?: { name: string; value: string | undefined }[]
}

const insideHint = 'see whether the service account of this pod is still there, and its token is mounted'

function renewHint(user: string | undefined, command: string | undefined): string {
  const known = renewals[path.basename(command ?? '')]
  const what = command
    ? `sign in again as ${path.basename(command)} does it${known ? ` (${known})` : ''}`
    : `renew the credential of the user "${user ?? ''}" in the kubeconfig`
  return `${what}, until this answers: kubectl auth whoami`
}

/** Those that are there: kubectl, too, passes over a file of KUBECONFIG that is not. */
async function kubeconfigs(name: string, { env, cwd }: Pick<TargetDeps, 'env' | 'cwd'>): Promise<string[]> {
  const home = env['HOME'] || env['USERPROFILE']
  const named = (env['KUBECONFIG'] ?? '').split(path.delimiter).filter((file) => file !== '')
  const usual = home ? [path.join(home, '.kube', 'config')] : []
  const files = (named.length > 0 ? named : usual).map((file) => path.resolve(cwd, file))
  const there = await Promise.all(files.map(exists))
  const found = files.filter((_file, index) => there[index])
  if (named.length > 0 && found.length === 0) {
    throw refusal(`${name}: there is no kubeconfig at ${files.join(', ')}`, 'see what KUBECONFIG names')
  }
  return found
}

async function exists(file: string): Promise<boolean> {
  try {
    await access(file)
    return true
  } catch (error) {
    // one that may not be read is there, and is for the reading to complain of
    return systemCode(error) !== 'ENOENT'
  }
}

function read(config: sdk.KubeConfig, name: string, file: string): sdk.KubeConfig {
  try {
    config.loadFromFile(file)
    return config
  } catch (error) {
    const isSystem = systemCode(error) !== undefined
    const reason = isSystem ? `cannot be read: ${systemReason(error)}` : 'is not a kubeconfig'
    // without the cause: what the library says of a file may quote it
    throw refusal(`${name}: ${file} ${reason}`, 'see whether kubectl config view shows it')
  }
}

/** What an earlier file says stands. */
function merge(into: sdk.KubeConfig, from: sdk.KubeConfig): void {
  const add = <T extends { name: string }>(all: T[], more: T[]): T[] => [
    ...all,
    ...more.filter(({ name }) => !all.some((each) => each.name === name)),
  ]
  into.loadFromOptions({
    clusters: add(into.clusters, from.clusters),
    users: add(into.users, from.users),
    contexts: add(into.contexts, from.contexts),
    currentContext: into.currentContext || from.currentContext,
  })
}

/** The library hands on the whole environment of this process; a variable without a value is left out. */
function withoutSecrets(exec: Exec, { env, secrets }: Pick<TargetDeps, 'env' | 'secrets'>): void {
  const clean = childEnvironment(env, { secrets: secrets() })
  const hidden = Object.keys(env).filter((name) => !Object.hasOwn(clean, name))
  exec.env = [...hidden.map((name) => ({ name, value: undefined })), ...(exec.env ?? [])]
}
