// The calls of the API: what each needs, and what it does. Nothing here knows how a request comes in.
import type { KeyAccess } from '../api/contract.ts'
import type { Account } from './account.ts'
import { instant, showEvent, showKey, showMinted, showUsage, type Answer } from './answers.ts'
import {
  checkImage,
  readAuditQuery,
  readKeyQuery,
  readNewKey,
  readNewName,
  readPage,
  type Query,
} from './input.ts'
import type { KeyRecord } from './keys.ts'
import type { Part } from './parts.ts'
import { testRendersPerDay } from './plans.ts'
import { Problem } from './problem.ts'
import type { Quirks } from './quirks.ts'
import type { Random } from './random.ts'
import { nextDay } from './rate-limits.ts'
import { templates } from './templates.ts'

/** One authenticated request. */
interface Call {
  readonly key: KeyRecord
  /** Unix milliseconds. */
  readonly now: number
  readonly quirks: Quirks
  /** The id in the path. */
  readonly id: string
  readonly query: Query
  body: () => Promise<Record<string, unknown>>
  /** Does the work on the body, once for one `Idempotency-Key`. */
  once: (work: (body: Record<string, unknown>) => Answer) => Promise<Answer>
}

export interface Route {
  path: string
  method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** The kinds of key that may. */
  access: readonly KeyAccess[]
  /** What it belongs to, of what an API may be without. */
  part?: Part
  /** Whether it changes what must not be lost. */
  changes: boolean
  handle(call: Call): Answer | Promise<Answer>
}

const anyKey: readonly KeyAccess[] = ['full', 'read-only', 'admin']
const mayWrite: readonly KeyAccess[] = ['full', 'admin']
const mayManage: readonly KeyAccess[] = ['admin']

export function createRoutes(account: Account, random: Random): Route[] {
  const one = (key: KeyRecord, quirks: Quirks): Answer => ({
    as: 'one',
    status: 200,
    name: 'apiKey',
    value: showKey(key, quirks),
  })
  const key = { access: mayManage, path: '/api-keys/:id' }
  const ids = random.fork('images')

  return [
    {
      method: 'GET',
      path: '/api-keys',
      access: mayManage,
      changes: false,
      handle({ query, now, quirks }) {
        const { page, limit, type, status } = readKeyQuery(query)
        const createdUpTo = quirks.hideYoungerThanMs > 0 ? now - quirks.hideYoungerThanMs : undefined
        const found = account.keys.page({ type, status, createdUpTo }, page, limit)
        const items = found.items.map((key) => showKey(key, quirks))
        return { as: 'list', name: 'apiKeys', items, page, limit, total: found.total }
      },
    },
    {
      method: 'POST',
      path: '/api-keys',
      access: mayManage,
      changes: true,
      handle: ({ once, quirks }) =>
        once((body) => {
          const made = account.create(readNewKey(body), { neverAccepted: quirks.neverAccept })
          return { as: 'one', status: 201, name: 'apiKey', value: showMinted(made, quirks) }
        }),
    },
    { ...key, method: 'GET', changes: false, handle: ({ id, quirks }) => one(account.key(id), quirks) },
    {
      ...key,
      method: 'PUT',
      changes: true,
      async handle({ id, body, quirks }) {
        account.key(id)
        const name = readNewName(await body())
        return one(account.rename(id, name), quirks)
      },
    },
    {
      ...key,
      method: 'DELETE',
      changes: true,
      handle({ id }) {
        account.delete(id)
        return { as: 'deleted' }
      },
    },
    {
      method: 'POST',
      path: '/api-keys/:id/revoke',
      access: mayManage,
      changes: true,
      handle: ({ id, quirks }) => one(account.revoke(id), quirks),
    },
    {
      method: 'GET',
      path: '/api-keys/:id/usage',
      part: 'usage',
      access: mayManage,
      changes: false,
      handle({ id, now, quirks }) {
        const key = account.key(id)
        const value = showUsage(key, account.usage.figures(key, now), quirks)
        return { as: 'one', status: 200, name: 'usage', value }
      },
    },
    {
      method: 'GET',
      path: '/audit-logs',
      part: 'audit-log',
      access: mayManage,
      changes: false,
      handle({ query, quirks }) {
        const { page, limit, keyId, since, until } = readAuditQuery(query)
        const real = (shown: number | undefined) => (shown === undefined ? undefined : shown - quirks.skewMs)
        const found = account.audit.page({ keyId, since: real(since), until: real(until) }, page, limit)
        const items = found.items.map((event) => showEvent(event, quirks))
        return { as: 'list', name: 'auditLogs', items, page, limit, total: found.total }
      },
    },
    {
      method: 'GET',
      path: '/templates',
      access: anyKey,
      changes: false,
      handle({ query }) {
        const { page, limit } = readPage(query)
        const items = templates.slice((page - 1) * limit, page * limit)
        return { as: 'list', name: 'templates', items, page, limit, total: templates.length }
      },
    },
    {
      method: 'POST',
      path: '/image',
      access: mayWrite,
      changes: false,
      handle: ({ key, now, quirks, once }) =>
        once((body) => {
          checkImage(body)
          if (key.type === 'test' && !account.rates.takeTestRender(key.id, now)) throw quotaExceeded(now)
          const id = `img_${ids.text(20)}`
          const url = `https://media.pictify.io/${id}.png`
          return { as: 'image', value: { url, id, createdAt: instant(now, quirks) } }
        }),
    },
  ]
}

function quotaExceeded(now: number): Problem {
  const retryAfter = Math.ceil((nextDay(now) - now) / 1_000)
  return new Problem('quota-exceeded', `A test key has ${testRendersPerDay} renders a day. Use a live key.`, {
    code: 'quota_exceeded',
    retryAfter,
  })
}
