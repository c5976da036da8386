/** Text in rows of a terminal: wide characters take two places, colours none. */
import wrapAnsi from 'wrap-ansi'

/** The rows that one line takes when it is cut wherever the terminal ends. */
export function rowsOf(line: string, width: number): string[] {
  return wrapAnsi(line, Math.max(1, width), { hard: true, trim: false, wordWrap: false }).split('\n')
}

/**
 * A paragraph in lines of whole words, no wider than `width`; all but the first stand in by `indent`. Words longer than a
 * line are cut.
 */
export function paragraph(text: string, width: number, indent = 0): string[] {
  const body = text.trimStart()
  const first = text.slice(0, text.length - body.length)
  const room = Math.max(10, width - Math.max(indent, first.length))
  const lines = wrapAnsi(body, room, { hard: true }).split('\n')
  return lines.map((line, index) => (index === 0 ? first : ' '.repeat(indent)) + line)
}

/** What of a paragraph stands behind `before` on its row, and the rows below that; the first is empty where nothing fits. */
export function behind(before: string, text: string, width: number, indent: number): string[] {
  // one word of that width, which the paragraph begins with and is then without
  const [first = '', ...rest] = paragraph(`${before.replaceAll(' ', '_')} ${text}`, width, indent)
  return [first.slice(before.length + 1), ...rest]
}
