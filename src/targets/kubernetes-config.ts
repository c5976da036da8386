// Rules of this file:
// - a cluster is found as kubectl finds it; where the library differs from kubectl, kubectl wins;
// - nothing of a kubeconfig but names gets into an error, for it holds credentials;
// - what a kubeconfig starts to sign in gets none of our secrets by its environment.
import { access } from 'node:fs/promises'
import path from 'node:path'
import type * as sdk from '@kubernetes/client-node'
import { childEnvironment } from '../child.ts'
import { systemCode, systemReason } from '../durable-file.ts'
import { refusal } from './refusal.ts'
import type { TargetDeps } from './target.ts'

export type Sdk = typeof sdk

export interface Login {
  readonly config: sdk.KubeConfig
  readonly server: string
  /** The cluster, for a person. */
  readonly where: string
  /** What to do when the login is not taken. */
  readonly renew: string
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
 * `root`. Throws `target-refused`.
 */
export async function findLogin(
  { KubeConfig }: Pick<Sdk, 'KubeConfig'>,
  name: string,
  deps: Pick<TargetDeps, 'env' | 'cwd' | 'secrets'>,
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
  const user = config.getCurrentUser()
  const exec = user?.exec as Exec | undefined | null
  if (exec) withoutSecrets(exec, deps)
  return {
    config,
    server: cluster.server,
    where: isInside ? 'the cluster it runs in' : `the cluster of the context "${context}"`,
    renew: isInside ? insideHint : renewHint(user?.name, exec?.command),
  }
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
