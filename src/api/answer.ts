// Rules of this file:
// - what the API sends is unknown until a schema has read it;
// - a single thing may come enveloped or bare, a list under several names or bare;
// - what cannot be read is `unreadable-answer`, which names the call and what was missing, and shows no value of it.
import * as v from 'valibot'
import { KeysError } from '../errors.ts'
import type { HttpAnswer } from '../http.ts'
import { Secret } from '../secret.ts'
import { looksLikeHtml } from './problem.ts'
import { type Pagination, paginationSchema } from './schemas.ts'

type Schema<T> = v.BaseSchema<unknown, T, v.BaseIssue<unknown>>
type Fields = Record<string, unknown>

/** The JSON of a 2xx answer. Throws `not-an-api` for a web page, `unreadable-answer` for anything else. */
export function readJson(what: string, answer: HttpAnswer): unknown {
  try {
    return JSON.parse(answer.text) as unknown
  } catch (cause) {
    if (looksLikeHtml(answer)) {
      throw new KeysError('not-an-api', `${what}: the answer is a web page, not JSON`, {
        hint: 'is the base URL right?',
        status: answer.status,
        cause,
      })
    }
    const empty = answer.text.trim() === ''
    // the parser's own message quotes the text, which may hold a secret, so it is not the cause
    throw unreadable(what, answer, empty ? 'it is empty' : 'it is not JSON, or was cut short')
  }
}

/** A single thing: under one of the envelopes, in `data`, or bare. */
export function readOne<T>(what: string, answer: HttpAnswer, envelopes: string[], schema: Schema<T>): T {
  const json = readJson(what, answer)
  const candidates = unwrap(json, [...envelopes, 'data'])
  let problem: string | undefined
  for (const { value, at } of candidates) {
    const parsed = v.safeParse(schema, value)
    if (parsed.success) return parsed.output
    problem ??= issueOf(parsed.issues, at)
  }
  throw unreadable(what, answer, problem ?? `${envelopes[0] ?? 'data'} is missing`)
}

export interface Page<T> {
  items: T[]
  pagination: Pagination
}

/** A page of a list: under one of the envelopes, in `data`, or bare; what it says of other pages may be missing. */
export function readPage<T>(
  what: string,
  answer: HttpAnswer,
  envelopes: string[],
  schema: Schema<T>,
  /** Tells an item that the schema would give back as it is. */
  isPlain: (value: unknown) => value is T = isNever,
): Page<T> {
  const json = readJson(what, answer)
  const found = unwrap(json, [...envelopes, 'data']).find(({ value }) => Array.isArray(value))
  if (found === undefined)
    throw unreadable(what, answer, `there is no list under ${envelopes.join(', ')} or data`)
  const items = (found.value as unknown[]).map((value, index) => {
    if (isPlain(value)) return value
    const parsed = v.safeParse(schema, value)
    if (parsed.success) return parsed.output
    throw unreadable(what, answer, issueOf(parsed.issues, `${found.at}[${index}]`))
  })
  const said = isFields(json) ? (json['pagination'] ?? json['meta'] ?? json) : {}
  const pagination = v.safeParse(paginationSchema, said)
  return { items, pagination: pagination.success ? pagination.output : {} }
}

function isNever(_value: unknown): _value is never {
  return false
}

/**
 * The secret in the answer to a create, wherever it is: under `secret`, under `key`, or in any string that looks like
 * one. Looks at the text itself where it is not JSON. Undefined where there is none.
 */
export function findSecret(answer: HttpAnswer): Secret | undefined {
  let json: unknown
  try {
    json = JSON.parse(answer.text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    // the closing quote tells that the value itself was not cut short
    const value = /"(pk_(?:live|test)_[A-Za-z0-9_-]+)"/.exec(answer.text)?.[1]
    return value === undefined ? undefined : new Secret(value)
  }
  const strings = [...stringsOf(json, '', 0)]
  const shaped = strings.filter(({ value }) => /^pk_(?:live|test)_[^\s*…]+$/.test(value))
  const named = (name: string) => shaped.find(({ field }) => field === name)
  // beside the secret there may be a prefix of it to show, which is shorter
  const longest = shaped.reduce<Found | undefined>(
    (a, b) => (a && a.value.length >= b.value.length ? a : b),
    undefined,
  )
  const unshaped = strings.find(({ field, value }) => field === 'secret' && /^[\x21-\x7e]+$/.test(value))
  const found = named('secret') ?? named('key') ?? longest ?? unshaped
  return found && new Secret(found.value)
}

export function unreadable(what: string, answer: HttpAnswer, missing: string): KeysError {
  return new KeysError('unreadable-answer', `${what}: the answer cannot be read: ${missing}`, {
    hint: 'is this version of pictify-keys up to date, and the base URL right? --debug shows the request',
    status: answer.status,
  })
}

interface Found {
  field: string
  value: string
}

const deepest = 20

function* stringsOf(value: unknown, field: string, depth: number): Generator<Found> {
  if (typeof value === 'string') yield { field, value }
  else if (typeof value === 'object' && value !== null && depth < deepest) {
    const entries = Array.isArray(value)
      ? value.map((inner: unknown) => [field, inner] as const)
      : Object.entries(value)
    for (const [name, inner] of entries) yield* stringsOf(inner, name, depth + 1)
  }
}

/** Where the thing may be: under each envelope, under two of them (`data.apiKey`), or bare, in that order. */
function unwrap(json: unknown, envelopes: string[]): { value: unknown; at: string }[] {
  const within = (value: unknown, prefix: string) =>
    envelopes.flatMap((name) =>
      isFields(value) && typeof value[name] === 'object' && value[name] !== null
        ? [{ value: value[name], at: prefix + name }]
        : [],
    )
  const once = within(json, '')
  const twice = once.flatMap(({ value, at }) => within(value, `${at}.`))
  return [...twice, ...once, ...(typeof json === 'object' && json !== null ? [{ value: json, at: '' }] : [])]
}

function issueOf(issues: [v.BaseIssue<unknown>, ...v.BaseIssue<unknown>[]], at: string): string {
  const [issue] = issues
  const path = [at, v.getDotPath(issue)].filter(Boolean).join('.')
  const missing = issue.input === undefined
  return `${path || 'it'} is ${missing ? 'missing' : 'not what it should be'}`
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
