import type { AuditEvent } from '../api/contract.ts'
import type { Context } from '../context.ts'
import { exportedLogSentence, type ExportedLog } from '../ui/logs.ts'
import { createReading, type ReadingProgress } from '../ui/reading.ts'
import { createLogWriter, type LogFormat } from './logs-format.ts'
import { type Asked, openPart, type Part } from './logs-part.ts'
import { createPosition } from './logs-position.ts'
import { readLog, settle } from './logs-read.ts'
import type { LogsInputs } from './logs.ts'

export interface LogExport extends Omit<LogsInputs, 'format' | 'out'> {
  file: string
  format: LogFormat
  /** As it was typed, and whose it is. */
  key: string | undefined
  keyId: string | undefined
  fits: ((event: AuditEvent) => boolean) | undefined
}

/** How much is read again after a power cut, at most. */
const pagesBetween = 20

/** Writes the log to a file. What stops it loses nothing: the same line goes on from there. */
export async function exportLog(context: Context, inputs: LogExport): Promise<void> {
  const { out } = context
  const { file, format, keyId } = inputs
  const api = await context.api()
  const asked = askedOf(inputs, api.baseUrl)
  const part = await openPart(context, file, asked, async () => {
    const { since, until } = await settle(api, keyId, inputs, context)
    return { since: since ?? null, until }
  })
  try {
    if (!part.isWhole) {
      if (part.isResumed) out.say(`goes on with ${file}.part, which has ${part.written} events`)
      await fill(context, part, inputs)
    }
    await part.finish()
  } finally {
    await part.close()
  }
  const exported: ExportedLog = {
    file,
    format,
    events: part.written,
    since: part.since === null ? null : new Date(part.since).toISOString(),
    until: new Date(part.until).toISOString(),
  }
  out.result({ export: exported }, (data) => exportedLogSentence(data.export))
}

async function fill(context: Context, part: Part, inputs: LogExport): Promise<void> {
  const { signal, out } = context
  const { keyId, fits, format, file, limit = Infinity } = inputs
  const api = await context.api()
  const writer = await createLogWriter(format)
  const keeper = createPosition(part.position)
  const reading = createReading(context)
  const query = { keyId, since: part.since ?? undefined, until: part.until }
  const how = {
    from: part.position,
    signal,
    onProgress: (progress: ReadingProgress) => reading.report(progress),
  }
  try {
    if (part.position === undefined) await part.append(writer.head, 0)
    let pages = 0
    if (part.written < limit) {
      for await (const page of readLog(api, query, how)) {
        const fitting = (fits === undefined ? page : page.filter(fits)).slice(0, limit - part.written)
        await part.append(writer.rows(fitting, part.written), fitting.length)
        keeper.note(page)
        if (part.written >= limit) break
        if (++pages % pagesBetween === 0) await part.keep(keeper.position())
      }
    }
    await part.append(writer.foot, 0)
  } catch (error) {
    // the error that stopped it is the one to tell; the part then goes on from an earlier place
    await part.keep(keeper.position()).catch(() => undefined)
    await reading.end()
    out.say(`what is read so far is in ${file}.part: the same line goes on from there`)
    throw error
  } finally {
    await reading.end()
  }
}

function askedOf({ since, until, limit, format, ...inputs }: LogExport, api: string): Asked {
  const { key, status, ip, endpoint, userAgent } = inputs
  const asked = { api, key, since, until, status, ip, endpoint, userAgent, limit, format }
  return Object.fromEntries(Object.entries(asked).map(([name, value]) => [name, value ?? null]))
}
