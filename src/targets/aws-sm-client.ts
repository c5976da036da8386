// Rules of this file:
// - the one place that knows Secrets Manager's calls; credentials, region, endpoint and retries are the SDK's own affair;
// - a call that AWS refuses because somebody came before is a Conflict, whatever AWS calls it;
// - no error holds what was sent.
import type {
  DescribeSecretCommandOutput,
  GetSecretValueCommandOutput,
  SecretsManager,
} from '@aws-sdk/client-secrets-manager'
import { KeysError } from '../errors.ts'
import { isLoopback } from '../http.ts'
import { redact } from '../secret.ts'
import { explain, failureOf } from './aws-sm-errors.ts'
import { loadSdk } from './sdk.ts'
import { Conflict } from './store.ts'
import type { TargetDeps } from './target.ts'

/** One try of a call, and one connection. The target's own time is over after some of them. */
const attemptMs = 10_000
const connectMs = 5_000

/** What AWS says of a secret and its versions, apart from what is in them. */
export type SecretDescription = DescribeSecretCommandOutput

export type Label = 'AWSCURRENT' | 'AWSPENDING'

/** Secrets Manager, as far as one secret needs it. */
export interface SecretStore {
  /** Undefined: there is no such secret. */
  describe(signal: AbortSignal): Promise<SecretDescription | undefined>
  /** Undefined: there is no such version, or it has no content. */
  version(
    which: { id: string } | { label: Label },
    signal: AbortSignal,
  ): Promise<GetSecretValueCommandOutput | undefined>
  /** A new version with that id and the given labels; the one that is there already stays as it is. Resolves to its labels. */
  add(id: string, content: string, labels: string[], signal: AbortSignal): Promise<string[]>
  /** Moves a label, if it is still where `from` says (undefined: nowhere). Throws Conflict. */
  move(
    label: Label,
    way: { from?: string | undefined; to?: string | undefined },
    signal: AbortSignal,
  ): Promise<void>
  /** A new secret whose first version has that id. Throws Conflict where there is one. */
  create(id: string, content: string, signal: AbortSignal): Promise<void>
  /** Removes the secret for good, so that its name is free again. */
  remove(signal: AbortSignal): Promise<void>
  region(): Promise<string>
}

export function createSecretStore({
  name,
  secretId,
  region,
  deps,
}: {
  name: string
  /** Its name or ARN. */
  secretId: string
  /** Undefined: as the environment and the profile say. */
  region: string | undefined
  deps: Pick<TargetDeps, 'debug' | 'env' | 'insecureHttp' | 'program' | 'secrets' | 'warn'>
}): SecretStore {
  const SecretId = secretId
  let loaded: Promise<SecretsManager> | undefined
  /** Where the last call went to. */
  let endpoint = 'https://secretsmanager'
  const quiet = () => undefined
  const warn = (text: unknown) =>
    deps.warn(`${name}: ${redact(String(text), deps.secrets()).replace(/\s+/g, ' ').trim()}`)

  async function load(): Promise<SecretsManager> {
    const library = await loadSdk(
      '@aws-sdk/client-secrets-manager',
      { name, program: deps.program, env: deps.env },
      () => import('@aws-sdk/client-secrets-manager'),
    )
    const client = new library.SecretsManager({
      ...(region !== undefined && { region }),
      // Its advice would else go to the console; of what is sent and answered nothing is logged.
      logger: { trace: quiet, debug: quiet, info: quiet, error: quiet, warn },
      requestHandler: {
        connectionTimeout: connectMs,
        requestTimeout: attemptMs,
        throwOnRequestTimeout: true,
      },
    })
    // Whatever the endpoint was read from (environment, profile), it is known here, before anything is sent to it.
    client.middlewareStack.add(
      (next) => (args) => {
        const { protocol, hostname, port } = args.request as {
          protocol: string
          hostname: string
          port?: number
        }
        endpoint = `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}`
        if (protocol === 'http:' && !deps.insecureHttp && !isLoopback(hostname))
          throw insecure(name, endpoint)
        return next(args)
      },
      { step: 'build', name: 'refuseInsecureHttp' },
    )
    return client
  }

  /** `instead`: what to make of an error that AWS has a name for. */
  async function call<T, U = never>(
    kind: 'look' | 'change',
    action: string,
    signal: AbortSignal,
    make: (client: SecretsManager, options: { abortSignal: AbortSignal }) => Promise<T>,
    instead: Record<string, () => U> = {},
  ): Promise<T | U> {
    const client = await (loaded ??= load())
    try {
      const answer = await make(client, { abortSignal: signal })
      deps.debug(`${name}: ${action}`)
      return answer
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof KeysError) throw error
      const failure = failureOf(error)
      deps.debug(`${name}: ${action}: ${failure.code} ${failure.status ?? ''}`)
      const other = instead[failure.code]
      if (other) return other()
      throw explain(failure, { name, kind, action, endpoint, secrets: deps.secrets() })
    }
  }

  const conflict = () => {
    throw new Conflict()
  }

  return {
    describe: (signal) =>
      call(
        'look',
        'DescribeSecret',
        signal,
        (client, options) => client.describeSecret({ SecretId }, options),
        {
          ResourceNotFoundException: () => undefined,
        },
      ),

    version: (which, signal) =>
      call(
        'look',
        'GetSecretValue',
        signal,
        (client, options) =>
          client.getSecretValue(
            { SecretId, ...('id' in which ? { VersionId: which.id } : { VersionStage: which.label }) },
            options,
          ),
        { ResourceNotFoundException: () => undefined },
      ),

    async add(id, content, labels, signal) {
      const { VersionStages = [] } = await call('change', 'PutSecretValue', signal, (client, options) =>
        client.putSecretValue(
          { SecretId, ClientRequestToken: id, SecretString: content, VersionStages: labels },
          options,
        ),
      )
      return VersionStages
    },

    async move(label, { from, to }, signal) {
      await call(
        'change',
        'UpdateSecretVersionStage',
        signal,
        (client, options) =>
          client.updateSecretVersionStage(
            { SecretId, VersionStage: label, RemoveFromVersionId: from, MoveToVersionId: to },
            options,
          ),
        { InvalidParameterException: conflict, ResourceNotFoundException: conflict },
      )
    },

    async create(id, content, signal) {
      await call(
        'change',
        'CreateSecret',
        signal,
        (client, options) =>
          client.createSecret({ Name: secretId, ClientRequestToken: id, SecretString: content }, options),
        { ResourceExistsException: conflict },
      )
    },

    async remove(signal) {
      await call('change', 'DeleteSecret', signal, (client, options) =>
        client.deleteSecret({ SecretId, ForceDeleteWithoutRecovery: true }, options),
      )
    },

    region: async () => (await (loaded ??= load())).config.region(),
  }
}

function insecure(name: string, endpoint: string): KeysError {
  return new KeysError(
    'insecure-url',
    `${name}: the AWS endpoint is plain http (${endpoint}), which would send the key in clear`,
    { hint: 'use https, or --insecure-http if it is meant; http to this machine itself is always allowed' },
  )
}
