import { oneLine } from './text.ts'

/**
 * Text within a line or a cell: neither Markdown nor HTML in it is any, and nobody is mentioned by it. What Markdown takes as
 * it is, as the `_` within a word, is left so, for those who read it as it is written.
 */
export function markdownText(text: string): string {
  return oneLine(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replace(/[\\`*[\]|~]|(?<![a-z\d])_|_(?![a-z\d])|(?<!\S)#|#(?=\d)/gi, '\\$&')
    .replace(/[$@]|:(?=\/\/|[\w+-]+:)|(?<=mailto|xmpp|javascript):|(?<=www)\./gi, (character) => {
      return `&#${character.charCodeAt(0)};`
    })
}

/** What is typed, to be copied: as it is, rendered or not. Nothing for nothing. */
export function markdownCode(text: string): string {
  const line = oneLine(text)
  if (line === '') return ''
  const longest = Math.max(0, ...(line.match(/`+/g) ?? []).map(({ length }) => length))
  const fence = '`'.repeat(longest + 1)
  // a blank at both ends belongs to the fence
  const pad = /^[` ]|[` ]$/.test(line) ? ' ' : ''
  return `${fence}${pad}${line}${pad}${fence}`
}

/** The same in the cell of a table; as HTML where a bar would end the cell. */
export function markdownCodeCell(text: string): string {
  return text.includes('|') ? `<code>${markdownText(text)}</code>` : markdownCode(text)
}
