// Google Secret Manager for tests: gRPC over TLS, built from the protos that Google publishes, and the same secrets over
// REST for gcloud. It signs in, enforces roles, keeps what was asked, and fails as a test says.
import { certificate } from './roots.ts'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'
import * as grpc from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { createIam, type Iam } from './iam.ts'
import { createLogins, type Logins } from './logins.ts'
import { createRest } from './rest.ts'
import { createSecretService, type Request, type SecretService } from './secrets.ts'
import { codes, Status } from './status.ts'

/** One call that came. */
export interface Call {
  method: string
  member: string | undefined
  /** `OK`, or how it ended. */
  status: string
  headers: Record<string, string>
}

/** Looked at before every call: a status to end it with, `hang` for no answer at all, undefined to let it be done. */
export type Fault = (method: string) => Status | 'hang' | undefined

export interface Google {
  readonly iam: Iam
  readonly logins: Logins
  readonly service: SecretService
  readonly calls: Call[]
  /** For CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER: by gRPC, and by REST for gcloud. */
  readonly grpcUrl: string
  readonly restUrl: string
  fault: Fault | undefined
  /** Runs when the next version to be added has come, and before it is added. */
  beforeNextWrite: (() => Promise<void>) | undefined
  /** Runs when a version was added, and before that is answered. */
  afterNextWrite: (() => Promise<void>) | undefined
  /** Nobody there, until the promise's function is called. */
  down(): Promise<() => Promise<void>>
  close(): Promise<void>
}

const protos = ['@google-cloud/secret-manager', 'google-gax'].map((library) =>
  path.join(path.dirname(createRequire(import.meta.url).resolve(library)), '../protos'),
)
const definitions = loadSync(
  [
    'google/cloud/secretmanager/v1/service.proto',
    'google/rpc/error_details.proto',
    'google/rpc/status.proto',
  ],
  {
    includeDirs: protos,
    longs: String,
    enums: String,
  },
)
const definition = definitions['google.cloud.secretmanager.v1.SecretManagerService'] as grpc.ServiceDefinition

export async function createGoogle(): Promise<Google> {
  const iam = createIam()
  const logins = await createLogins()
  const service = createSecretService(iam)
  const calls: Call[] = []
  const [cert, key] = await Promise.all(
    ['localhost', 'server-key'].map((name) => readFile(certificate(name))),
  )
  if (!cert || !key) throw new Error('no certificate')

  /** Resolves to the answer; rejects with a Status; never where the call is to hang. */
  async function answer(method: string, request: Request, headers: Record<string, string>): Promise<unknown> {
    const call: Call = { method, member: undefined, status: 'no answer', headers }
    calls.push(call)
    try {
      const fault = google.fault?.(method)
      if (fault === 'hang') return await new Promise(() => undefined)
      if (fault) throw fault
      call.member = logins.memberOf(headers['authorization'])
      const handler = service.methods[method]
      if (!handler) throw new Status('UNIMPLEMENTED', `${method} is not there`)
      const isWrite = method === 'AddSecretVersion'
      const [before, after] = [google.beforeNextWrite, google.afterNextWrite]
      if (isWrite && before) {
        google.beforeNextWrite = undefined
        await before()
      }
      const result = handler(request, call.member)
      call.status = 'OK'
      if (isWrite && after) {
        google.afterNextWrite = undefined
        await after()
      }
      return result
    } catch (error) {
      call.status = error instanceof Status ? error.code : String(error)
      throw error
    }
  }

  async function listen(port: number): Promise<{ server: grpc.Server; port: number }> {
    const server = new grpc.Server()
    const methods = Object.keys(definition).map((name): [string, grpc.handleUnaryCall<Request, unknown>] => [
      name,
      (call, respond) => {
        answer(name, call.request, headersOf(call.metadata)).then(
          (result) => respond(null, result),
          (error: unknown) => respond(asServiceError(error)),
        )
      },
    ])
    server.addService(definition, Object.fromEntries(methods))
    const credentials = grpc.ServerCredentials.createSsl(null, [
      { cert_chain: cert as Buffer, private_key: key as Buffer },
    ])
    const bound = await new Promise<number>((resolve, reject) => {
      server.bindAsync(`127.0.0.1:${port}`, credentials, (error, to) => (error ? reject(error) : resolve(to)))
    })
    return { server, port: bound }
  }

  let running = await listen(0)
  const rest = await createRest({ definition, cert, key, answer })
  const google: Google = {
    iam,
    logins,
    service,
    calls,
    grpcUrl: `https://localhost:${running.port}/`,
    restUrl: rest.url,
    fault: undefined,
    beforeNextWrite: undefined,
    afterNextWrite: undefined,
    async down() {
      running.server.forceShutdown()
      return async () => {
        running = await listen(running.port)
      }
    },
    async close() {
      running.server.forceShutdown()
      await Promise.all([rest.close(), logins.close()])
    },
  }
  return google
}

function headersOf(metadata: grpc.Metadata): Record<string, string> {
  return Object.fromEntries(Object.entries(metadata.getMap()).map(([name, value]) => [name, String(value)]))
}

/** With `google.rpc.Status` in the trailers, where Google has its reasons. */
function asServiceError(error: unknown): Partial<grpc.ServiceError> {
  if (!(error instanceof Status)) return { code: grpc.status.INTERNAL, details: String(error) }
  const metadata = new grpc.Metadata()
  const { code } = codes[error.code]
  if (error.info) {
    const type = 'google.rpc.ErrorInfo'
    const detail = { type_url: `type.googleapis.com/${type}`, value: encode(type, error.info) }
    const status = { code, message: error.message, details: [detail] }
    metadata.set('grpc-status-details-bin', encode('google.rpc.Status', status))
  }
  return { code, details: error.message, metadata }
}

function encode(type: string, value: object): Buffer {
  const { serialize } = definitions[type] as unknown as { serialize: (value: object) => Buffer }
  return serialize(value)
}
