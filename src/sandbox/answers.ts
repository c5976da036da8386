import type { components } from '../api/openapi.ts'
import type { LoggedEvent } from './audit-log.ts'
import { statusOf, type KeyRecord } from './keys.ts'
import type { Problem } from './problem.ts'
import type { Quirks } from './quirks.ts'
import type { UsageFigures } from './usage.ts'

type Schemas = components['schemas']

/** What a call answers, before it is put into an envelope. */
export type Answer =
  | { as: 'one'; status: 200 | 201; name: 'apiKey' | 'usage'; value: Schemas['Key' | 'MintedKey' | 'Usage'] }
  | { as: 'list'; name: string; items: readonly object[]; page: number; limit: number; total: number }
  | { as: 'image'; value: Schemas['Image'] }
  | { as: 'deleted' }

/** A status, and a body where there is one. */
export interface Reply {
  status: number
  body: unknown
  type: 'application/json' | 'application/problem+json'
  headers: Record<string, string>
}

/** An instant as it is written on the wire. */
export const instant = (ms: number, { skewMs }: Quirks): string => new Date(ms + skewMs).toISOString()

export function showKey(key: KeyRecord, quirks: Quirks): Schemas['Key'] {
  return {
    id: key.id,
    name: key.name,
    type: key.type,
    status: statusOf(key),
    access: key.access,
    createdAt: instant(key.createdAt, quirks),
    lastUsedAt: key.lastUsedAt === null ? null : instant(key.lastUsedAt, quirks),
    revokedAt: key.revokedAt === null ? null : instant(key.revokedAt, quirks),
  }
}

export function showMinted(key: KeyRecord, quirks: Quirks): Schemas['MintedKey'] {
  return { ...showKey(key, quirks), secret: key.secret.reveal() }
}

export function showUsage(
  key: KeyRecord,
  { updatedAt, ...figures }: UsageFigures,
  quirks: Quirks,
): Schemas['Usage'] {
  return { keyId: key.id, updatedAt: instant(updatedAt, quirks), ...figures }
}

export function showEvent({ at, ...event }: LoggedEvent, quirks: Quirks): Schemas['AuditEvent'] {
  return { timestamp: instant(at, quirks), ...event }
}

/** Puts an answer into its envelope, or into another one where a fault says so. */
export function replyWith(answer: Answer, quirks: Quirks): Reply {
  const json = (status: number, body: unknown): Reply => ({
    status,
    body,
    type: 'application/json',
    headers: {},
  })
  switch (answer.as) {
    case 'deleted':
      return quirks.bare ? json(204, undefined) : json(200, { deleted: true })
    case 'image':
      return json(200, answer.value)
    case 'one': {
      const { value, status, name } = answer
      if (!('secret' in value)) return json(status, quirks.bare ? value : { [name]: value })
      const { secret, ...key } = value
      if (quirks.mysteryShape) return json(status, { result: { material: secret } })
      const minted = { ...key, [quirks.secretName]: secret }
      return json(status, quirks.bare ? minted : { [name]: minted })
    }
    case 'list': {
      const { items, page, limit, total } = answer
      if (quirks.bare) return json(200, items)
      const totalPages = Math.ceil(total / limit)
      const pagination: Schemas['Pagination'] = {
        page,
        limit,
        total,
        totalPages,
        hasNext: page < totalPages,
        hasPrev: page > 1,
      }
      return json(200, { [quirks.listName ?? answer.name]: items, pagination })
    }
  }
}

/** The body as it is sent. JSON lets a field come twice; most readers take the last. */
export function textOf(body: unknown, { duplicateFields }: Quirks): string {
  return duplicateFields ? doubled(body) : JSON.stringify(body)
}

function doubled(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(doubled).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const fields = Object.entries(value).filter(([, inner]) => inner !== undefined)
  const named = fields.map(([name, inner]) => [JSON.stringify(name), doubled(inner)] as const)
  return `{${named.map(([name, text]) => `${name}:null,${name}:${text}`).join(',')}}`
}

export function refuseWith(problem: Problem, path: string, quirks?: Quirks): Reply {
  const { status, headers } = problem
  if (quirks?.plainErrors) {
    const body = { error: problem.message, code: problem.extras.code ?? problem.slug }
    return { status, body, type: 'application/json', headers }
  }
  return { status, body: problem.document(path), type: 'application/problem+json', headers }
}
