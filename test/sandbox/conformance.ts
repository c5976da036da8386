// Every answer a test gets is held against openapi.yaml on its way.
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { readFileSync } from 'node:fs'
import { expect } from 'vitest'
import { parse } from 'yaml'
import type { Secret } from '../../src/secret.ts'
import type { Sandbox } from '../../src/sandbox/server.ts'

interface Answered {
  headers?: Record<string, { $ref?: string; required?: boolean }>
  content?: Record<string, unknown>
  $ref?: string
}
interface Document {
  paths: Record<string, Record<string, { responses?: Record<string, Answered> }>>
  components: { responses: Record<string, Answered>; headers: Record<string, { required?: boolean }> }
}

export const openapiFile = new URL('../../src/sandbox/openapi.yaml', import.meta.url)
const document = parse(readFileSync(openapiFile, 'utf8'), { merge: true }) as Document
const ajv = new Ajv2020({ strict: false, allErrors: true })
addFormats.default(ajv)
ajv.addSchema(document, 'openapi')

const pointer = (...parts: string[]) =>
  parts.map((part) => `/${encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))}`).join('')

const seen = new Set<string>()
/** The documented answers that no `call` of this file has met, as `GET /api-keys 200`. */
export function unmet(): string[] {
  const all = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).flatMap(([method, { responses = {} }]) =>
      Object.keys(responses).map((status) => `${method.toUpperCase()} ${path} ${status}`),
    ),
  )
  return all.filter((one) => !seen.has(one))
}

/** The path of the document that a request's path belongs to. */
function templateOf(path: string): string | undefined {
  return Object.keys(document.paths).find((template) =>
    new RegExp(`^${template.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(path),
  )
}

/** Fails where the answer is not one that the document has for this call. */
function expectDocumented(method: string, path: string, answer: Answer): void {
  const template = templateOf(path) ?? ''
  const status = String(answer.status)
  const where = `${method} ${template} ${status}`
  const entry = document.paths[template]?.[method.toLowerCase()]?.responses?.[status]
  expect(entry, `${where} is documented (${path})`).toBeDefined()
  seen.add(where)

  const shared = entry?.$ref?.split('/').at(-1)
  const described = shared === undefined ? entry : document.components.responses[shared]
  const at =
    shared === undefined
      ? ['paths', template, method.toLowerCase(), 'responses', status]
      : ['components', 'responses', shared]
  for (const [name, header] of Object.entries(described?.headers ?? {})) {
    const { required } = document.components.headers[header.$ref?.split('/').at(-1) ?? ''] ?? {}
    if (required) expect(answer.headers.get(name), `${where} has ${name}`).not.toBeNull()
  }
  const type = answer.headers.get('content-type') ?? ''
  expect(Object.keys(described?.content ?? {}), where).toContain(type)
  const validate = ajv.compile({ $ref: `openapi#${pointer(...at, 'content', type, 'schema')}` })
  validate(answer.body)
  expect(validate.errors ?? [], `${where}: ${JSON.stringify(answer.body)}`).toEqual([])
  expect(Date.parse(answer.headers.get('date') ?? ''), `${where} has a date`).not.toBeNaN()
}

export interface Answer {
  status: number
  headers: Headers
  // what a test looks into is what it expects there; the document has held it already
  body: Body
}
interface KeyBody {
  id: string
  name: string
  type: string
  status: string
  access: string
  createdAt: string
  lastUsedAt: string | null
  revokedAt: string | null
  secret: string
}
interface WindowBody {
  requests: number
  errors: number
  latencyMs: { p50: number; p95: number; p99: number }
}
export interface Body {
  apiKey: KeyBody
  apiKeys: KeyBody[]
  pagination: {
    page: number
    limit: number
    total: number
    totalPages: number
    hasNext: boolean
    hasPrev: boolean
  }
  usage: {
    updatedAt: string
    windows: Record<'24h' | '7d' | '30d', WindowBody>
    daily: { date: string; requests: number; errors: number }[]
    countries: Record<string, number>
  }
  auditLogs: { timestamp: string; keyId: string; endpoint: string; method: string; status: number }[]
  templates: { id: string }[]
  deleted: boolean
  url: string
  id: string
  type: string
  detail: string
  code: string
  retryAfter: number
  errors: { field: string; code: string }[]
}

export interface CallInput {
  /** The admin key unless it is given; `null` sends none. */
  key?: Secret | string | null
  json?: unknown
  /** A body as it is, with no type of its own. */
  text?: string
  headers?: Record<string, string>
}

/** One request over the socket, with the answer as it is. */
export async function ask(
  sandbox: Sandbox,
  method: string,
  path: string,
  input: CallInput = {},
): Promise<Response> {
  const { key = sandbox.adminKey, json, text } = input
  const headers = new Headers(input.headers)
  if (key !== null) headers.set('Authorization', `Bearer ${typeof key === 'string' ? key : key.reveal()}`)
  if (json !== undefined) headers.set('Content-Type', 'application/json')
  const body = json === undefined ? text : JSON.stringify(json)
  return fetch(sandbox.url + path, { method, headers, ...(body !== undefined && { body }) })
}

/** One request over the socket; its answer must be as documented. */
export async function call(
  sandbox: Sandbox,
  method: string,
  path: string,
  input?: CallInput,
): Promise<Answer> {
  const response = await ask(sandbox, method, path, input)
  const answer = { status: response.status, headers: response.headers, body: (await response.json()) as Body }
  expectDocumented(method, new URL(path, sandbox.url).pathname, answer)
  return answer
}

/** The slug of a problem's type. */
export const slug = ({ body }: Answer): string => body.type.replace('https://docs.pictify.io/errors/', '')
