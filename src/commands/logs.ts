import type { AuditEvent, Client } from '../api/contract.ts'
import type { Context } from '../context.ts'
import { hasCode, KeysError } from '../errors.ts'
import { logTable } from '../ui/logs.ts'
import { createReading } from '../ui/reading.ts'
import { defineCommand, type Inputs } from './command.ts'
import { formatOfFile } from './formats.ts'
import { createLogWriter, logFormats, type LogFormat } from './logs-format.ts'
import { readLog, settle, type LogQuery } from './logs-read.ts'
import { filterOf } from './logs-selection.ts'

const flags = {
  since: { type: 'string', value: 'when', summary: 'requests since then: 24h, 2026-01-31, an instant' },
  until: { type: 'string', value: 'when', summary: 'requests before then; now, without it' },
  status: { type: 'list', value: 'status', summary: 'only answers of this status: 404, 4xx' },
  ip: { type: 'list', value: 'address', summary: 'only from this address, network (203.0.113.0/24) or glob' },
  endpoint: { type: 'list', value: 'glob', summary: 'only to this path: "/templates/*", "POST /image"' },
  userAgent: { type: 'list', value: 'glob', summary: 'only from this program: "curl/*"' },
  limit: { type: 'count', value: 'n', summary: 'at most the newest so many; of a table 100, without it' },
  format: {
    type: 'choice',
    choices: ['table', ...logFormats],
    summary: 'how they are printed; table unless --json is given',
  },
  out: {
    type: 'string',
    value: 'file',
    summary: 'a new file, by whose end the format goes (else ndjson); the same line goes on where it stopped',
  },
} as const

export type LogsInputs = Inputs<[], typeof flags>

/** What a person reads. */
const tableLimit = 100

export const logs = defineCommand({
  name: 'logs',
  summary: 'the audit log: every request, newest first',
  args: [{ name: 'key', summary: 'key id or name; every key when left out', optional: true }],
  flags,
  groups: { 'Which requests': ['since', 'until', 'status', 'ip', 'endpoint', 'userAgent', 'limit'] },
  examples: [
    'pictify-keys logs "Production Server" --since 24h --status 4xx,5xx',
    'pictify-keys logs --since 90d --out audit-log.ndjson',
    'pictify-keys logs --ip 203.0.113.0/24 --format csv > from-there.csv',
  ],

  async run(context, { key, ...inputs }) {
    const { out } = context
    const format = formatOf(inputs, context)
    const fits = await filterOf(inputs)
    const api = await context.api()
    const keyId = key === undefined ? undefined : await idOf(api, key, context.signal)
    if (inputs.out !== undefined) {
      const { exportLog } = await import('./logs-export.ts')
      return exportLog(context, {
        ...inputs,
        key,
        keyId,
        fits,
        file: inputs.out,
        format: format as LogFormat,
      })
    }
    const query = await settle(api, keyId, inputs, context)
    const selected = events(context, api, query, { fits, limit: inputs.limit ?? limitOf(format) })
    if (format === 'table') return printTable(context, selected, { ...inputs, keyId })
    let count = 0
    const writer = await createLogWriter(format)
    for await (const page of selected) {
      if (count === 0) await out.text(writer.head)
      await out.text(writer.rows(page, count))
      count += page.length
    }
    if (count === 0) await out.text(writer.head)
    await out.text(writer.foot)
  },
})

/** The end of a file says as much as a flag; what is to be read by programs is no table. */
function formatOf({ format, out: file }: LogsInputs, { out }: Context): LogFormat | 'table' {
  const clash = (message: string, hint: string) => new KeysError('usage', message, { hint })
  if (file === '-') throw clash('--out takes a file', 'leave it out: without it all goes to stdout')
  if (file !== undefined) {
    if (format === 'table') throw clash('a file takes no table', 'give --format ndjson, csv or json')
    return format ?? formatOfFile(file, logFormats) ?? 'ndjson'
  }
  if (out.json && format !== undefined && format !== 'json') {
    throw clash(`--json and --format ${format} exclude each other`, 'give one of them')
  }
  return format ?? (out.json ? 'json' : 'table')
}

function limitOf(format: LogFormat | 'table'): number {
  return format === 'table' ? tableLimit : Infinity
}

/** A key that was deleted has a log all the same, under its id. */
async function idOf(api: Client, key: string, signal: AbortSignal): Promise<string> {
  try {
    return (await api.keys.find(key, { signal })).id
  } catch (error) {
    if (!hasCode(error, 'api-key-not-found')) throw error
    for await (const _ of api.auditLogs({ keyId: key }, { signal })) return key
    throw error
  }
}

interface Selection {
  fits: ((event: AuditEvent) => boolean) | undefined
  limit: number
}

async function* events(
  context: Context,
  api: Client,
  query: LogQuery,
  { fits, limit }: Selection,
): AsyncGenerator<AuditEvent[], void, undefined> {
  // lines on a terminal say how far it is themselves
  const reading = context.out.toTerminal ? undefined : createReading(context)
  let left = limit
  try {
    if (left === 0) return
    const { signal } = context
    for await (const page of readLog(api, query, { signal, onProgress: (how) => reading?.report(how) })) {
      const fitting = (fits === undefined ? page : page.filter(fits)).slice(0, left)
      left -= fitting.length
      if (fitting.length > 0) yield fitting
      if (left <= 0) return
    }
  } finally {
    await reading?.end()
  }
}

async function printTable(
  { out }: Context,
  selected: AsyncIterable<AuditEvent[]>,
  { limit, keyId }: { limit: number | undefined; keyId: string | undefined },
): Promise<void> {
  const found: AuditEvent[] = []
  for await (const page of selected) found.push(...page)
  if (found.length === 0) return out.say('no requests')
  const { width, paint } = out
  out.result({ auditLogs: found }, (data) =>
    logTable(data.auditLogs, { width, paint, ofOneKey: keyId !== undefined }),
  )
  if (limit === undefined && found.length === tableLimit) {
    out.say(`the newest ${tableLimit}; --limit shows more, --format ndjson all of them`)
  }
}
