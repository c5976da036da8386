// Rules of this file:
// - where Google Secret Manager is, and who we are there, is for Google's own library and gcloud's own variables to say;
// - Google's own log of what is sent and answered is never on.
import type { SecretManagerServiceClient } from '@google-cloud/secret-manager'
import { explain } from './gcp-sm-errors.ts'
import { refusal } from './refusal.ts'
import { loadSdk } from './sdk.ts'
import type { TargetDeps } from './target.ts'

const endpointVariable = 'CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER'

/** `projects/P[/locations/L]/secrets/S`, in its parts. */
export interface SecretName {
  /** `projects/P/secrets/S` */
  readonly full: string
  /** `projects/P` */
  readonly parent: string
  readonly project: string
  readonly location: string | undefined
  readonly id: string
}

/** One connection, and one sign-in, for all the secrets of a process. */
const clients = new WeakMap<TargetDeps['env'], Map<string, Promise<SecretManagerServiceClient>>>()

/** Throws `target-refused` and `target-failed`. */
export function connect(
  name: string,
  secret: SecretName,
  deps: TargetDeps,
): Promise<SecretManagerServiceClient> {
  const { env } = deps
  const { host, port } = endpointOf(name, secret, env)
  const key = `${host}:${port}`
  const known = clients.get(env) ?? new Map<string, Promise<SecretManagerServiceClient>>()
  clients.set(env, known)
  const made = known.get(key) ?? open(name, secret, { host, port }, deps)
  known.set(key, made)
  made.catch(() => known.delete(key))
  return made
}

/** The next call signs in anew. */
export function disconnect({ env }: Pick<TargetDeps, 'env'>): void {
  clients.delete(env)
}

async function open(
  name: string,
  secret: SecretName,
  { host, port }: { host: string | undefined; port: number },
  deps: TargetDeps,
): Promise<SecretManagerServiceClient> {
  if (deps.env['GOOGLE_SDK_NODE_LOGGING']) {
    throw refusal(
      `${name}: GOOGLE_SDK_NODE_LOGGING is set, so that secrets would be printed`,
      'unset it; --debug shows the calls',
    )
  }
  const { SecretManagerServiceClient } = await loadSdk(
    '@google-cloud/secret-manager',
    { name, program: deps.program, env: deps.env },
    () => import('@google-cloud/secret-manager'),
  )
  const universe = deps.env['GOOGLE_CLOUD_UNIVERSE_DOMAIN']
  const client = new SecretManagerServiceClient({
    ...(host !== undefined && { apiEndpoint: host }),
    port,
    // read by the library for the address alone, and not held against the login
    ...(universe && { universeDomain: universe }),
    // else it asks other services which project the login is of, and forgets its quota project where they fail
    projectId: secret.project,
  })
  try {
    // before any call: a call that finds it failing would throw where nobody can catch it
    await client.initialize()
    return client
  } catch (error) {
    throw explain(error, { name, secret, isRead: true })
  }
}

/** Undefined: the library's own, which knows the universe domain. */
function endpointOf(
  name: string,
  { location }: SecretName,
  env: TargetDeps['env'],
): { host: string | undefined; port: number } {
  const text = env[endpointVariable]
  if (!text) {
    const universe = env['GOOGLE_CLOUD_UNIVERSE_DOMAIN'] || 'googleapis.com'
    return {
      host: location === undefined ? undefined : `secretmanager.${location}.rep.${universe}`,
      port: 443,
    }
  }
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol !== 'https:' || url.pathname !== '/' || url.search !== '' || url.username !== '') {
    throw refusal(
      `${name}: ${endpointVariable} is not an address that can be used`,
      'write https://<host>[:<port>]/, and nothing behind it',
    )
  }
  return { host: url.hostname, port: Number(url.port || 443) }
}
