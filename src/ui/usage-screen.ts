import type { Size } from './live.ts'
import { paragraph } from './wrapping.ts'

/** What fits of a text, and below it how it stands with it; what does not fit is counted. */
export function usageScreen(text: string, status: readonly string[], { columns, rows }: Size): string[] {
  const wrapped = (lines: readonly string[]) => lines.flatMap((line) => paragraph(line, columns))
  const foot = wrapped(status).slice(0, Math.max(1, rows - 1))
  const body = text.split('\n').flatMap((line) => (line === '' ? [''] : paragraph(line, columns)))
  const room = rows - foot.length
  if (body.length <= room) return [...body, ...foot]
  const shown = body.slice(0, Math.max(0, room - 1))
  const hidden = paragraph(
    `… ${body.length - shown.length} more lines: make the terminal higher, or give --limit`,
    columns,
  )
  return [...shown, ...hidden.slice(0, 1), ...foot].slice(0, rows)
}
