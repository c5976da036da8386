import type { KeyAccess, KeyStatus, KeyType } from '../api/contract.ts'
import type { NewKey } from './account.ts'
import { Problem, type FieldError } from './problem.ts'

const keyTypes: readonly KeyType[] = ['live', 'test']
const keyStatuses: readonly KeyStatus[] = ['active', 'revoked']
const keyAccesses: readonly KeyAccess[] = ['full', 'read-only', 'admin']
const longestSide = 4_000

type Fields = Record<string, unknown>

/** Collects what is wrong with a request, to refuse it once for everything. */
function createCheck() {
  const errors: FieldError[] = []
  const fail = (field: string, code: string, message: string): undefined =>
    void errors.push({ field, message, code })
  return {
    fail,
    oneOf<T extends string>(field: string, value: unknown, choices: readonly T[]): T | undefined {
      const choice = choices.find((one) => one === value)
      return choice ?? fail(field, 'invalid_enum', `${field} must be one of ${choices.join(', ')}`)
    },
    done() {
      if (errors.length > 0)
        throw new Problem('validation-error', 'The request has invalid parameters.', { errors })
    },
  }
}
type Check = ReturnType<typeof createCheck>

function refuse(field: string, code: string, message: string): never {
  throw new Problem('validation-error', 'The request has invalid parameters.', {
    errors: [{ field, message, code }],
  })
}

/** The object in a JSON body. */
export function readBody(contentType: string | undefined, text: string): Fields {
  if (!/^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i.test(contentType ?? '')) {
    throw new Problem('unsupported-media-type', 'The body must be sent as application/json.')
  }
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    return refuse('body', 'invalid_json', 'the body is not JSON')
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    return refuse('body', 'invalid_type', 'the body must be a JSON object')
  }
  return body as Fields
}

export function readNewKey(body: Fields): NewKey {
  const check = createCheck()
  const name = readName(body['name'], check)
  const type = check.oneOf('type', body['type'], keyTypes)
  const access = body['access'] === undefined ? 'full' : check.oneOf('access', body['access'], keyAccesses)
  check.done()
  return { name, type, access } as NewKey
}

export function readNewName(body: Fields): string {
  const check = createCheck()
  const name = readName(body['name'], check)
  check.done()
  return name as string
}

function readName(name: unknown, { fail }: Check): string | undefined {
  if (name === undefined) return fail('name', 'required', 'name is required')
  if (typeof name !== 'string') return fail('name', 'invalid_type', 'name must be a string')
  const length = [...name].length
  if (length < 1) return fail('name', 'too_short', 'name must have at least 1 character')
  if (length > 100) return fail('name', 'too_long', 'name must have at most 100 characters')
  if (/\p{Cc}/u.test(name))
    return fail('name', 'invalid_characters', 'name must not contain control characters')
  return name
}

/** Refuses a render that does not say what to render. */
export function checkImage(body: Fields): void {
  const check = createCheck()
  const sources = ['html', 'url', 'template'].filter((field) => body[field] !== undefined)
  if (sources.length === 0) check.fail('html', 'required', 'one of html, url and template is required')
  for (const field of sources) {
    if (typeof body[field] !== 'string' || body[field] === '') {
      check.fail(field, 'invalid_type', `${field} must be a string that is not empty`)
    }
  }
  for (const field of ['width', 'height']) {
    const side = body[field]
    if (side === undefined) continue
    if (typeof side !== 'number' || !Number.isInteger(side) || side < 1 || side > longestSide) {
      check.fail(field, 'out_of_range', `${field} must be a whole number from 1 to ${longestSide}`)
    }
  }
  check.done()
}

export function readIdempotencyKey(header: string | undefined): string | undefined {
  if (header !== undefined && (header === '' || header.length > 255)) {
    return refuse('Idempotency-Key', 'invalid_length', 'Idempotency-Key must have 1 to 255 characters')
  }
  return header
}

/** Looks a query parameter up by its name. */
export type Query = (name: string) => string | undefined

interface Paging {
  page: number
  limit: number
}

function readPaging(query: Query, { fail }: Check): Paging {
  const number = (field: string, fallback: number, most: number): number => {
    const text = query(field)
    if (text === undefined) return fallback
    if (/^\d{1,7}$/.test(text) && Number(text) >= 1 && Number(text) <= most) return Number(text)
    fail(field, 'out_of_range', `${field} must be a whole number from 1 to ${most}`)
    return fallback
  }
  return { page: number('page', 1, 1_000_000), limit: number('limit', 20, 100) }
}

export function readPage(query: Query): Paging {
  const check = createCheck()
  const paging = readPaging(query, check)
  check.done()
  return paging
}

export function readKeyQuery(
  query: Query,
): Paging & { type?: KeyType | undefined; status?: KeyStatus | undefined } {
  const check = createCheck()
  const one = <T extends string>(field: string, choices: readonly T[]) => {
    const value = query(field)
    return value === undefined ? undefined : check.oneOf(field, value, choices)
  }
  const filter = {
    ...readPaging(query, check),
    type: one('type', keyTypes),
    status: one('status', keyStatuses),
  }
  check.done()
  return filter
}

/** Instants in Unix milliseconds. */
export function readAuditQuery(
  query: Query,
): Paging & { keyId?: string | undefined; since?: number | undefined; until?: number | undefined } {
  const check = createCheck()
  const moment = (field: string): number | undefined => {
    const text = query(field)
    if (text === undefined) return undefined
    const ms = /^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(text) ? Date.parse(text) : NaN
    return Number.isNaN(ms) ? check.fail(field, 'invalid_date', `${field} must be an ISO 8601 instant`) : ms
  }
  const filter = {
    ...readPaging(query, check),
    keyId: query('keyId'),
    since: moment('since'),
    until: moment('until'),
  }
  check.done()
  return filter
}
