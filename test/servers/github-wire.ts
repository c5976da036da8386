// Holds every request and every answer of the GitHub test server against GitHub's published OpenAPI description.
import { Ajv, type ValidateFunction } from 'ajv'
import addFormats from 'ajv-formats'
import { readFileSync } from 'node:fs'
import type { IncomingHttpHeaders } from 'node:http'

interface Operation {
  parameters: { $ref: string }[]
  requestBody?: { content: Record<string, { schema: object }> }
  responses: Record<string, { $ref?: string; content?: Record<string, unknown>; example?: unknown }>
}
interface Document {
  paths: Record<string, Record<string, Operation>>
  components: {
    parameters: Record<string, { name: string; in: string; schema: object }>
    responses: Record<string, { content?: Record<string, unknown> }>
  }
}

const document = JSON.parse(readFileSync(new URL('github-openapi.json', import.meta.url), 'utf8')) as Document
const ajv = new Ajv({ strict: false, allErrors: true })
addFormats.default(ajv)
ajv.addSchema(document, 'github')

const json = 'application/json'

/** What the description calls a path, and what stands in its places; the most literal of several goes first. */
export function operationOf(method: string, path: string) {
  const segments = path.split('/')
  const fits = Object.keys(document.paths)
    .filter((template) => template.split('/').length === segments.length)
    .filter((template) =>
      template.split('/').every((part, i) => part.startsWith('{') || part === segments[i]),
    )
    .sort((one, other) => one.split('{').length - other.split('{').length)
  const template = fits[0]
  const operation = document.paths[template ?? '']?.[method.toLowerCase()]
  if (template === undefined || operation === undefined) return undefined
  const names = template.split('/').map((part) => /^\{(.*)\}$/.exec(part)?.[1])
  const parameters = Object.fromEntries(
    names.flatMap((name, i) => (name === undefined ? [] : [[name, decodeURIComponent(segments[i] ?? '')]])),
  ) as Record<string, string>
  return { template, operation, parameters }
}

/** The answer that the description gives as its example. */
export function exampleOf(template: string): Record<string, unknown> {
  return structuredClone(document.paths[template]?.['get']?.responses['200']?.example) as Record<
    string,
    unknown
  >
}

/** What is wrong with a request. GitHub itself overlooks properties that it does not know; here they are an error. */
export function requestProblems(
  method: string,
  { pathname, searchParams }: URL,
  headers: IncomingHttpHeaders,
  body: string,
): string[] {
  const found = operationOf(method, pathname)
  if (found === undefined) return ['no such operation is described']
  const problems: string[] = []
  if (!headers['user-agent']) problems.push('it has no user-agent')
  if (!headers.authorization) problems.push('it has no authorization')
  const version = headers['x-github-api-version']
  if (version !== undefined && version !== '2022-11-28')
    problems.push(`there is no version ${String(version)}`)
  const known = found.operation.parameters.map(
    ({ $ref }) => document.components.parameters[$ref.split('/').at(-1) ?? ''],
  )
  for (const [name, value] of searchParams) {
    const parameter = known.find((each) => each?.name === name && each.in === 'query')
    if (parameter === undefined) problems.push(`it has no parameter ${name}`)
    else problems.push(...violations(parameter.schema, /^\d+$/.test(value) ? Number(value) : value))
  }
  const schema = found.operation.requestBody?.content[json]?.schema
  if (schema === undefined) return body === '' ? problems : [...problems, 'it has a body']
  if (!headers['content-type']?.startsWith(json))
    problems.push(`its body is ${headers['content-type'] ?? 'untyped'}`)
  return [...problems, ...violations({ ...schema, additionalProperties: false }, parse(body))]
}

/** What is wrong with an answer: an error that the description does not name must be one of its basic errors. */
export function answerProblems(method: string, path: string, status: number, body: string): string[] {
  // the description has no path by number, though a repository that was moved answers with one
  if (/^\/repositories\/\d+$/.test(path) && status === 200) {
    return violations({ $ref: 'github#/components/schemas/full-repository' }, parse(body))
  }
  const found = operationOf(method, path)
  const named = found?.operation.responses[String(status)]
  if (found === undefined || named === undefined) {
    if (status < 400) return [`${status} is not described`]
    return violations({ $ref: 'github#/components/schemas/basic-error' }, parse(body))
  }
  const shared = named.$ref?.split('/').at(-1)
  const content = shared === undefined ? named.content : document.components.responses[shared]?.content
  if (content === undefined) return body === '' ? [] : ['it has a body']
  const at =
    shared === undefined
      ? ['paths', found.template, method.toLowerCase(), 'responses', String(status)]
      : ['components', 'responses', shared]
  const pointer = [...at, 'content', json, 'schema']
    .map((part) => `/${encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))}`)
    .join('')
  return violations({ $ref: `github#${pointer}` }, parse(body))
}

const compiled = new Map<string, ValidateFunction>()

function violations(schema: object, value: unknown): string[] {
  const key = JSON.stringify(schema)
  const validate = compiled.get(key) ?? ajv.compile(schema)
  compiled.set(key, validate)
  validate(value)
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath || 'it'} ${message}`)
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
