// The same service over REST, as its protos' google.api.http annotations say, in the JSON of proto3. For gcloud.
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { ServiceDefinition } from '@grpc/grpc-js'
import type { Request } from './secrets.ts'
import { codes, Status } from './status.ts'

/** `google.api.HttpRule`, as the loader gives it. */
interface Rule {
  get?: string
  post?: string
  patch?: string
  delete?: string
  body?: string
  additional_bindings?: Rule | Rule[]
}

export async function createRest({
  definition,
  cert,
  key,
  answer,
}: {
  definition: ServiceDefinition
  cert: Buffer
  key: Buffer
  answer: (method: string, request: Request, headers: Record<string, string>) => Promise<unknown>
}): Promise<{ url: string; close: () => Promise<void> }> {
  const routes = Object.entries(definition).flatMap(([method, described]) => {
    const { options } = described as unknown as { options: Record<string, Rule | undefined> }
    const rule = options['(google.api.http)']
    if (!rule) return []
    const more = rule.additional_bindings ?? []
    return [rule, ...(Array.isArray(more) ? more : [more])].map((each) => ({ method, ...parse(each) }))
  })

  const server = createServer({ cert, key }, (request, response) => {
    void (async () => {
      const url = new URL(request.url ?? '/', 'https://localhost')
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      const send = (status: number, content: object) =>
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(content))
      try {
        const route = routes.find(
          ({ verb, path }) => verb === request.method && path.test(decodeURIComponent(url.pathname)),
        )
        if (!route) throw new Status('NOT_FOUND', `there is no ${request.method} ${url.pathname}`)
        const inPath = route.path.exec(decodeURIComponent(url.pathname))?.groups ?? {}
        const text = Buffer.concat(chunks).toString()
        const content = text === '' ? {} : (JSON.parse(text) as Request)
        const inBody = route.body === '*' || route.body === undefined ? content : { [route.body]: content }
        const headers = request.headers as Record<string, string>
        const asked = { ...Object.fromEntries(url.searchParams), ...fromJson(inBody), ...inPath }
        send(200, toJson(await answer(route.method, asked, headers)) as object)
      } catch (error) {
        const status = error instanceof Status ? error : new Status('INTERNAL', String(error))
        const { http } = codes[status.code]
        const details = status.info
          ? [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', ...status.info }]
          : []
        send(http, { error: { code: http, message: status.message, status: status.code, details } })
      }
    })()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `https://localhost:${(server.address() as AddressInfo).port}/`,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** `/v1/{name=projects/*}/secrets` as what it matches. */
function parse(rule: Rule): { verb: string; path: RegExp; body: string | undefined } {
  const [verb, template = ''] = Object.entries(rule).find(([word]) =>
    ['get', 'post', 'patch', 'delete'].includes(word),
  ) as [string, string]
  const pattern = template
    .replace(
      /\{([\w.]+)=([^}]*)\}/g,
      (_, name: string, inner: string) => `(?<${name.replace('.', '_')}>${inner})`,
    )
    .replace(/\*/g, '[^/:]+')
  return { verb: verb.toUpperCase(), path: new RegExp(`^${pattern}$`), body: rule.body }
}

/** Bytes are base64. */
function fromJson(body: Request): Request {
  const payload = body['payload'] as { data?: string } | undefined
  return payload
    ? { ...body, payload: { ...payload, data: Buffer.from(payload.data ?? '', 'base64') } }
    : body
}

function toJson(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return value.toString('base64')
  if (Array.isArray(value)) return value.map(toJson)
  if (typeof value !== 'object' || value === null) return value
  if ('seconds' in value) return new Date(Number(value.seconds) * 1_000).toISOString()
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, toJson(each)]))
}
