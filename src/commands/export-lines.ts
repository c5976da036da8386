import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import path from 'node:path'
import type { ExportFile, ExportLine } from '../audit/receipt-check.ts'
import type { Context } from '../context.ts'
import { KeysError } from '../errors.ts'
import { systemError, systemReason } from '../system-error.ts'

/** No receipt's line is longer: a journal has a limit of its own. */
const longestLine = 16 * 1024 * 1024

/** An export, read a line at a time; `-` is stdin. */
export function openExport({ cwd, stdin }: Context, name: string): ExportFile {
  return { name: name === '-' ? 'stdin' : name, lines: linesOf(name === '-' ? stdin : bytesOf(cwd, name)) }
}

async function* bytesOf(cwd: string, name: string): AsyncGenerator<Buffer> {
  const file = path.resolve(cwd, name)
  try {
    // a device may have no end
    if (!(await stat(file)).isFile()) throw systemError('EFTYPE', file)
    for await (const chunk of createReadStream(file)) yield chunk as Buffer
  } catch (cause) {
    throw new KeysError('usage', `${name} cannot be read: ${systemReason(cause)}`, {
      hint: 'give the file that rotations export wrote',
      cause,
    })
  }
}

/**
 * Lines end with `\n` alone: what another end makes of them is for whoever looks at them. Of a line that is too long to be ours
 * the beginning is handed over, and nothing after it.
 */
async function* linesOf(chunks: AsyncIterable<Buffer | string>): AsyncGenerator<ExportLine> {
  let parts: Buffer[] = []
  let length = 0
  const keep = (part: Buffer) => {
    parts.push(part)
    length += part.length
  }
  for await (const chunk of chunks) {
    let rest = Buffer.from(chunk)
    for (let end = rest.indexOf(10); end !== -1; end = rest.indexOf(10)) {
      keep(rest.subarray(0, end))
      yield { text: Buffer.concat(parts).toString(), isWhole: true }
      parts = []
      length = 0
      rest = rest.subarray(end + 1)
    }
    if (rest.length > 0) keep(rest)
    if (length > longestLine) break
  }
  if (length > 0) yield { text: Buffer.concat(parts).toString(), isWhole: false }
}
