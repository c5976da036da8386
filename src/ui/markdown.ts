import { oneLine } from './text.ts'

/** Text within a line or a cell: neither Markdown nor HTML in it is any, and nobody is mentioned by it. */
export function markdownText(text: string): string {
  return oneLine(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replace(/[\\`*_[\]|~$@#!]|:(?=[^\d\s])|(?<=www)\./gi, (character) => `&#${character.charCodeAt(0)};`)
}
