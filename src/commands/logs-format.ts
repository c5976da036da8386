import type { AuditEvent } from '../api/contract.ts'
import { toJsonLines } from '../ui/text.ts'

export const logFormats = ['ndjson', 'csv', 'json'] as const
export type LogFormat = (typeof logFormats)[number]

/** How events become text, piece by piece, so that none has to be kept. */
export interface LogWriter {
  /** Before the first event. */
  head: string
  /** `first`: how many events are there already. */
  rows(events: readonly AuditEvent[], first: number): string
  /** After the last. */
  foot: string
}

const columns = ['timestamp', 'keyId', 'method', 'endpoint', 'status', 'ip', 'userAgent', 'action'] as const

export async function createLogWriter(format: LogFormat): Promise<LogWriter> {
  switch (format) {
    case 'ndjson':
      return { head: '', rows: (events) => ended(toJsonLines(events)), foot: '' }
    case 'json':
      return {
        head: '{"auditLogs":[',
        rows: (events, first) => (first > 0 && events.length > 0 ? ',' : '') + toJsonLines(events).join(','),
        foot: ']}\n',
      }
    case 'csv': {
      const { csvRow } = await import('../ui/csv.ts')
      return {
        head: `${csvRow(columns)}\n`,
        rows: (events) => ended(events.map((event) => csvRow(columns.map((column) => event[column])))),
        foot: '',
      }
    }
  }
}

function ended(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('')
}
