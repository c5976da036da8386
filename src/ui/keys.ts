import type { Key } from '../api/contract.ts'
import { formatAge } from '../ages.ts'
import type { Output } from './output.ts'
import { type Column, renderTable } from './table.ts'

/** The table of `list`. `now` is the API's, in Unix milliseconds. */
export function keyTable(keys: readonly Key[], now: number, { width, paint }: Output): string {
  const shown: Column<Key>[] = [
    { head: 'ID', value: ({ id }) => id, paint: (text) => paint.dim(text) },
    { head: 'NAME', value: ({ name }) => name, flexible: true },
    { head: 'TYPE', value: ({ type }) => type },
    {
      head: 'STATUS',
      value: ({ status }) => status,
      paint: (text, { status }) => (status === 'active' ? paint.green(text) : paint.red(text)),
    },
    ...(keys.some(({ access }) => access !== undefined)
      ? [{ head: 'ACCESS', value: ({ access }: Key) => access ?? '', optional: true }]
      : []),
    { head: 'CREATED', value: ({ createdAt }) => formatAge(createdAt, now), optional: true },
    { head: 'LAST USED', value: ({ lastUsedAt }) => formatAge(lastUsedAt, now) },
  ]
  return renderTable(shown, keys, { width, paint })
}

/** One key, a field a line. */
export function keyCard(key: Key, now: number, { paint }: Output): string {
  const withAge = (instant: string) => `${instant} (${formatAge(instant, now)})`
  const fields: [string, string][] = [
    ['id', key.id],
    ['name', key.name],
    ['type', key.type],
    ['status', key.status],
    ...(key.access === undefined ? [] : [['access', key.access] as [string, string]]),
    ['created', withAge(key.createdAt)],
    ['last used', key.lastUsedAt === null ? 'never' : withAge(key.lastUsedAt)],
    ...(key.revokedAt ? [['revoked', withAge(key.revokedAt)] as [string, string]] : []),
  ]
  return fields.map(([label, value]) => `${paint.dim(`${label}:`.padEnd(11))}${value}`).join('\n')
}
