import type { AuditEvent } from '../api/contract.ts'
import type { Paint } from './paint.ts'
import { renderTable, type Column } from './table.ts'

/** What `logs --out` says of the file it wrote. */
export interface ExportedLog {
  file: string
  format: string
  events: number
  since: string | null
  until: string
}

/** Requests, newest first; without the key's column where all are of one. */
export function logTable(
  events: readonly AuditEvent[],
  { width, paint, ofOneKey }: { width: number; paint: Paint; ofOneKey: boolean },
): string {
  const columns: Column<AuditEvent>[] = [
    { head: 'TIME', value: ({ timestamp }) => timestamp.replace(/\.\d+Z$/, 'Z') },
    ...(ofOneKey ? [] : [{ head: 'KEY', value: ({ keyId }: AuditEvent) => keyId }]),
    { head: 'STATUS', value: ({ status }) => String(status), paint: (text) => paintStatus(text, paint) },
    { head: 'REQUEST', value: ({ method, endpoint }) => `${method} ${endpoint}`, flexible: true },
    { head: 'ADDRESS', value: ({ ip }) => ip },
    { head: 'PROGRAM', value: ({ userAgent }) => userAgent, optional: true },
  ]
  return renderTable(columns, events, { width, paint })
}

function paintStatus(status: string, paint: Paint): string {
  if (status.startsWith('5')) return paint.red(status)
  return status.startsWith('4') ? paint.yellow(status) : status
}

export function exportedLogSentence({ file, events, since, until }: ExportedLog): string {
  const period = since === null ? `until ${until}` : `from ${since} until ${until}`
  return `${events.toLocaleString('en-US')} event${events === 1 ? '' : 's'} ${period} in ${file}`
}
