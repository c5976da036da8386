// Rules of this file:
// - a request is asked again where that may help: every write that goes through here is conditional, so that a repeat does
//   no more than once would;
// - no error of it holds a header or a body.
import type * as sdk from '@kubernetes/client-node'
import { lostAnswer } from '../connection-failure.ts'
import { redact } from '../secret.ts'
import { findLogin, type Login, type Sdk } from './kubernetes-config.ts'
import { LoginFailure, understand } from './kubernetes-failure.ts'
import { refusal } from './refusal.ts'
import { loadSdk } from './sdk.ts'
import type { TargetDeps } from './target.ts'

/** What everything written by this program is marked with. */
export const manager = 'pictify-keys'

export type KubernetesDeps = Pick<
  TargetDeps,
  'clock' | 'cwd' | 'debug' | 'env' | 'insecureHttp' | 'program' | 'secrets' | 'warn'
>

export interface Apis {
  core: sdk.CoreV1Api
  apps: sdk.AppsV1Api
  authorization: sdk.AuthorizationV1Api
}

export interface Kubernetes {
  /** The cluster, for a person. */
  where(): Promise<string>
  /** Which cluster it is, without asking it. The same for as long as this process runs. */
  identity(): Promise<string>
  /** What speaks against trusting the connection: a sentence each. */
  unproved(): Promise<string[]>
  /**
   * Throws Conflict for a write that somebody else's came before, NotFound, `target-refused` where asking again is of no
   * use, `target-failed` where nothing was done, and `target-unclear` for a write that may have been.
   */
  ask<T>(kind: 'read' | 'write', make: (apis: Apis) => Promise<T>, signal: AbortSignal): Promise<T>
  /** Which of these verbs the login has no right to. */
  lacking(verbs: readonly string[], what: Access, signal: AbortSignal): Promise<string[]>
}

export interface Access {
  group: string
  resource: string
  namespace: string
  name: string
}

const attempts = 4
const attemptMs = 10_000
const firstPauseMs = 500
/** Longer than this nobody waits for a store: the target's own time is over. */
const longestPauseMs = 20_000

/** Speaks to the cluster that kubectl would speak to. Touches nothing until it is asked. */
export function createKubernetes(name: string, deps: KubernetesDeps): Kubernetes {
  let connection: Promise<{ library: Sdk; login: Login }> | undefined
  let identity: string | undefined

  function connect(): Promise<{ library: Sdk; login: Login }> {
    connection ??= open().catch((error: unknown) => {
      connection = undefined
      throw error
    })
    return connection
  }

  async function open(): Promise<{ library: Sdk; login: Login }> {
    const from = { name, program: deps.program, env: deps.env }
    const library = await loadSdk('@kubernetes/client-node', from, () => import('@kubernetes/client-node'))
    const login = await findLogin(library, name, deps)
    identity ??= login.identity
    if (login.identity !== identity) {
      throw refusal(
        `${name}: the kubeconfig names another cluster by now (${login.identity}, and before ${identity})`,
        'choose the one that was named before: kubectl config use-context <name>',
      )
    }
    return { library, login }
  }

  /** `limited`: the signal with which a request leaves, once it is signed in. */
  function apis(library: Sdk, login: Login, signal: AbortSignal, limited: () => AbortSignal): Apis {
    let line = ''
    const configuration = library.createConfiguration({
      baseServer: new library.ServerConfiguration(login.server, {}),
      authMethods: { default: signIn(login, signal) },
      promiseMiddleware: [
        {
          async pre(request) {
            line = `${request.getHttpMethod()} ${new URL(request.getUrl()).pathname}`
            request.setSignal(limited())
            // the only one that leaves what it does not name as it is, in lists and beyond what the library knows of
            if (request.getHttpMethod() === library.HttpMethod.PATCH) {
              request.setHeaderParam('Content-Type', library.PatchStrategy.MergePatch)
            }
            return request
          },
          async post(response) {
            deps.debug(`${name}: ${line} ${response.httpStatusCode}`)
            return response
          },
        },
      ],
    })
    return {
      core: new library.CoreV1Api(configuration),
      apps: new library.AppsV1Api(configuration),
      authorization: new library.AuthorizationV1Api(configuration),
    }
  }

  async function ask<T>(
    kind: 'read' | 'write',
    make: (apis: Apis) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    for (let count = 1; ; count++) {
      const { library, login } = await connect()
      const limits: AbortSignal[] = []
      const limited = () => {
        limits.push(AbortSignal.timeout(attemptMs))
        return AbortSignal.any([signal, ...limits])
      }
      try {
        return await make(apis(library, login, signal, limited))
      } catch (thrown) {
        signal.throwIfAborted()
        const error = limits.some(({ aborted }) => aborted) ? lostAnswer(login.server, attemptMs) : thrown
        const failure = understand(error, { name, kind, login, clean })
        // a login may have been renewed since it was read, hours ago
        if (failure.isLogin) connection = undefined
        const mayHelp = failure.isLogin ? count === 1 : failure.mayHelp
        if (!mayHelp || count === attempts) throw failure.error
        const pauseMs = failure.isLogin ? 0 : (failure.pauseMs ?? firstPauseMs * 2 ** (count - 1))
        await deps.clock.sleep(Math.min(pauseMs, longestPauseMs), signal)
      }
    }
  }

  /** What a server or a program says: one line, short, without a secret. */
  function clean(text: string): string {
    const line = redact(text, deps.secrets())
      .replace(/[\s\p{Cc}]+/gu, ' ')
      .trim()
    return line.length > 400 ? `${line.slice(0, 400)}…` : line
  }

  return {
    where: async () => (await connect()).login.where,
    identity: async () => (await connect()).login.identity,

    async unproved() {
      const { skipsVerify, where } = (await connect()).login
      if (!skipsVerify) return []
      return [
        `the certificate of ${where} is not checked (insecure-skip-tls-verify): whoever is in between can read the key`,
      ]
    },

    ask,

    async lacking(verbs, { group, resource, namespace, name }, signal) {
      const reviews = verbs.map(async (verb) => {
        // the name of what is to be made is not known to whoever decides that
        const resourceAttributes = {
          verb,
          group,
          resource,
          namespace,
          ...(verb !== 'create' && { name }),
        }
        const body = {
          apiVersion: 'authorization.k8s.io/v1',
          kind: 'SelfSubjectAccessReview',
          spec: { resourceAttributes },
        }
        const { status } = await ask(
          'read',
          ({ authorization }) => authorization.createSelfSubjectAccessReview({ body }),
          signal,
        )
        return status?.allowed === true ? [] : [verb]
      })
      return (await Promise.all(reviews)).flat()
    },
  }
}

/** What signs a request in, whose failures are told from those of the request, and which ends with the call. */
function signIn({ config, stop }: Login, signal: AbortSignal): sdk.SecurityAuthentication {
  return {
    getName: () => config.getName(),
    async applySecurityAuthentication(request) {
      signal.throwIfAborted()
      signal.addEventListener('abort', stop)
      try {
        await config.applySecurityAuthentication(request)
      } catch (error) {
        throw new LoginFailure(error)
      } finally {
        signal.removeEventListener('abort', stop)
      }
    },
  }
}
