import type { AuditEvent, AuditLogFilter, Client, Key } from '../../src/api/contract.ts'
import { surveyed } from '../audit/survey-fixture.ts'

/** An event, and when the API shows it first (Unix ms). */
export interface Logged {
  event: AuditEvent
  shownAt: number
}

export interface LoggedAccount {
  client: Client
  /** By the API's clock: what is shown later is not there yet. */
  at: number
  /** Which stretches were asked for, and how many events that was. */
  readings: { since: number; until: number; events: number }[]
}

export const accountKeys: readonly Key[] = [
  surveyed({ id: 'key_web' }),
  surveyed({ id: 'key_jobs' }),
  surveyed({ id: 'key_admin', access: 'admin' }),
]

export const eventOf = (at: number, fields: Partial<AuditEvent> = {}): AuditEvent => ({
  timestamp: new Date(at).toISOString(),
  action: 'api.request',
  keyId: 'key_web',
  endpoint: '/image',
  method: 'POST',
  status: 200,
  ip: '8.8.8.8',
  userAgent: 'pictify-node/1.4.2',
  ...fields,
})

/** An API whose audit log shows events late, if it does; `pageSize` events at a time. */
export function loggedAccount(logged: () => readonly Logged[], pageSize = 7): LoggedAccount {
  const account: LoggedAccount = { client: undefined as never, at: 0, readings: [] }
  async function* auditLogsByPage({ since = '', until = '' }: AuditLogFilter) {
    const [from, to] = [Date.parse(since), Date.parse(until)]
    const found = logged()
      .filter(({ shownAt }) => shownAt <= account.at)
      .map(({ event }) => event)
      .filter(({ timestamp }) => Date.parse(timestamp) >= from && Date.parse(timestamp) < to)
      .sort((a, b) => Date.parse(b.timestamp) - Date.parse(a.timestamp))
    account.readings.push({ since: from, until: to, events: found.length })
    for (let start = 0; start < found.length; start += pageSize) {
      yield await Promise.resolve(found.slice(start, start + pageSize))
    }
  }
  account.client = { auditLogsByPage } as unknown as Client
  return account
}
