// Rules of this file:
// - a call is repeated only where that is safe: what was refused for a quota, and what only reads;
// - a call ends when its signal says so, and holds neither the process nor a connection after that;
// - nothing is read as absent but what the service itself says is not there, or not enabled.
import type { protos } from '@google-cloud/secret-manager'
import { KeysError } from '../errors.ts'
import { crc32c } from './crc32c.ts'
import { connect, disconnect, type SecretName } from './gcp-sm-connection.ts'
import { Code, codeName, explain, type Fault, isFault, isLoginFault } from './gcp-sm-errors.ts'
import type { TargetDeps } from './target.ts'

const attempts = 4
const attemptMs = 10_000
const firstPauseMs = 500

/** One version, as it was found. `closed`: it is disabled or destroyed. */
export type Version =
  | { readonly state: 'enabled'; readonly number: number; readonly data: Buffer }
  | { readonly state: 'closed'; readonly number: number; readonly why: string }
  | { readonly state: 'missing' }

export interface About {
  readonly labels: Readonly<Record<string, string>>
  readonly aliases: Readonly<Record<string, string>>
  readonly etag: string
  readonly isCustomerEncrypted: boolean
}

/** Google Secret Manager, of one secret. Every method throws `target-refused`, `target-failed` or `target-unclear`. */
export interface SecretManager {
  access(version: number | 'latest', signal: AbortSignal): Promise<Version>
  /** The number of the new version; undefined: there is no such secret. */
  add(data: Buffer, signal: AbortSignal): Promise<number | undefined>
  disable(version: number, signal: AbortSignal): Promise<void>
  /** `hidden`: we may not look. */
  about(signal: AbortSignal): Promise<About | 'missing' | 'hidden'>
  /** Makes it; that it is there is as well. */
  create(labels: Record<string, string>, signal: AbortSignal): Promise<void>
  remove(etag: string, signal: AbortSignal): Promise<void>
  /** Those of the permissions that we have. */
  granted(permissions: readonly string[], signal: AbortSignal): Promise<string[]>
}

interface Answers {
  accessSecretVersion: protos.google.cloud.secretmanager.v1.IAccessSecretVersionResponse
  getSecretVersion: protos.google.cloud.secretmanager.v1.ISecretVersion
  addSecretVersion: protos.google.cloud.secretmanager.v1.ISecretVersion
  disableSecretVersion: protos.google.cloud.secretmanager.v1.ISecretVersion
  getSecret: protos.google.cloud.secretmanager.v1.ISecret
  createSecret: protos.google.cloud.secretmanager.v1.ISecret
  deleteSecret: protos.google.protobuf.IEmpty
  testIamPermissions: protos.google.iam.v1.ITestIamPermissionsResponse
}
type Method = keyof Answers

/** The one of a method's overloads that is used. */
type Send<A> = (request: object, options: object) => Promise<[A, ...unknown[]]>

/** Refused before anything was done. */
const undone: readonly number[] = [Code.RESOURCE_EXHAUSTED, Code.ABORTED]
/** Nobody knows what came of it. */
const unknown: readonly number[] = [Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED, Code.INTERNAL]

/** Whether a call may be sent again when nobody knows what came of it. */
const repeatable: Record<Method, boolean> = {
  accessSecretVersion: true,
  getSecretVersion: true,
  addSecretVersion: false,
  disableSecretVersion: true,
  getSecret: true,
  createSecret: true,
  deleteSecret: false,
  testIamPermissions: true,
}

export function createSecretManager(name: string, secret: SecretName, deps: TargetDeps): SecretManager {
  async function once<M extends Method>(
    method: M,
    request: object,
    signal: AbortSignal,
  ): Promise<Answers[M] | Fault> {
    const client = await connect(name, secret, deps)
    signal.throwIfAborted()
    const { interceptor, release } = cancelling(signal)
    try {
      const send = client[method].bind(client) as unknown as Send<Answers[M]>
      const [answer] = await send(request, {
        timeout: attemptMs,
        // its own would outlast us
        retry: null,
        otherArgs: { options: { interceptors: [interceptor] } },
      })
      deps.debug(`${name}: ${method} ok`)
      return answer
    } catch (error) {
      signal.throwIfAborted()
      if (!isFault(error)) throw error
      deps.debug(`${name}: ${method} ${codeName(error.code)}`)
      return error
    } finally {
      release()
    }
  }

  /** The answer; or how it failed, where its code is one of `expected`. */
  async function call<M extends Method>(
    method: M,
    request: object,
    signal: AbortSignal,
    expected: readonly number[] = [],
  ): Promise<Answers[M] | Fault> {
    const codes = repeatable[method] ? [...undone, ...unknown] : undone
    for (let count = 1; ; count++) {
      const answer = await once(method, request, signal)
      if (!isFault(answer) || expected.includes(answer.code)) return answer
      // the next one signs in anew
      if (isLoginFault(answer)) disconnect(deps)
      if (isLoginFault(answer) || !codes.includes(answer.code) || count === attempts) {
        throw explain(answer, { name, secret, isRead: isReading(method) })
      }
      await deps.clock.sleep(firstPauseMs * 2 ** (count - 1), signal)
    }
  }

  return {
    async access(version, signal) {
      const path = `${secret.full}/versions/${version}`
      const answer = await call('accessSecretVersion', { name: path }, signal, [
        Code.NOT_FOUND,
        Code.FAILED_PRECONDITION,
      ])
      if (!isFault(answer)) {
        const data = Buffer.from((answer.payload?.data ?? '') as Uint8Array)
        const sum = answer.payload?.dataCrc32c
        if (sum !== undefined && sum !== null && Number(sum) !== crc32c(data)) throw damaged(name)
        return { state: 'enabled', number: numberOf(answer.name), data }
      }
      if (answer.code === Code.NOT_FOUND) return { state: 'missing' }
      // Disabled, or its encryption key is: only the first means that nothing is there.
      const found = await call('getSecretVersion', { name: path }, signal, [Code.NOT_FOUND])
      if (isFault(found)) return { state: 'missing' }
      const why = String(found.state).toLowerCase()
      if (why !== 'disabled' && why !== 'destroyed') throw explain(answer, { name, secret, isRead: true })
      return { state: 'closed', number: numberOf(found.name), why }
    },

    async add(data, signal) {
      const payload = { data, dataCrc32c: crc32c(data) }
      const answer = await call('addSecretVersion', { parent: secret.full, payload }, signal, [
        Code.NOT_FOUND,
      ])
      return isFault(answer) ? undefined : numberOf(answer.name)
    },

    async disable(version, signal) {
      await call('disableSecretVersion', { name: `${secret.full}/versions/${version}` }, signal)
    },

    async about(signal) {
      const answer = await call('getSecret', { name: secret.full }, signal, [
        Code.NOT_FOUND,
        Code.PERMISSION_DENIED,
      ])
      if (isFault(answer)) return answer.code === Code.NOT_FOUND ? 'missing' : 'hidden'
      const { labels, versionAliases, etag, replication, customerManagedEncryption } = answer
      const replicas = replication?.userManaged?.replicas ?? []
      return {
        labels: labels ?? {},
        aliases: Object.fromEntries(
          Object.entries(versionAliases ?? {}).map(([key, to]) => [key, String(to)]),
        ),
        etag: etag ?? '',
        isCustomerEncrypted: [customerManagedEncryption, replication?.automatic?.customerManagedEncryption]
          .concat(replicas.map((replica) => replica.customerManagedEncryption))
          .some((encryption) => Boolean(encryption?.kmsKeyName)),
      }
    },

    async create(labels, signal) {
      // a regional secret lies where it is
      const replication = secret.location === undefined ? { replication: { automatic: {} } } : {}
      const request = { parent: secret.parent, secretId: secret.id, secret: { labels, ...replication } }
      await call('createSecret', request, signal, [Code.ALREADY_EXISTS])
    },

    async remove(etag, signal) {
      await call('deleteSecret', { name: secret.full, etag }, signal, [Code.NOT_FOUND])
    },

    async granted(permissions, signal) {
      const answer = await call('testIamPermissions', { resource: secret.full, permissions }, signal)
      return isFault(answer) ? [] : (answer.permissions ?? [])
    },
  }
}

/** Cancels the call that it intercepts when the signal says so; the library has no other way. */
function cancelling(signal: AbortSignal) {
  interface Call {
    cancelWithStatus(code: number, details: string): void
  }
  let call: Call | undefined
  const cancel = () => call?.cancelWithStatus(Code.CANCELLED, 'given up')
  signal.addEventListener('abort', cancel)
  return {
    interceptor: (options: object, next: (options: object) => Call) => (call = next(options)),
    release: () => signal.removeEventListener('abort', cancel),
  }
}

function isReading(method: Method): boolean {
  return ['accessSecretVersion', 'getSecretVersion', 'getSecret', 'testIamPermissions'].includes(method)
}

/** `projects/12345/secrets/S/versions/7`: the project may be written as its number. */
function numberOf(path: string | null | undefined): number {
  return Number(/\/versions\/(\d+)$/.exec(path ?? '')?.[1])
}

function damaged(name: string): KeysError {
  return new KeysError('target-failed', `${name}: what was read does not fit its checksum`, {
    hint: 'it was damaged on its way: run the same command again',
  })
}
