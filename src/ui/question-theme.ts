import { styleText } from 'node:util'
import { behind, paragraph } from './wrapping.ts'

type Format = Parameters<typeof styleText>[0]

/** A space that no line is broken at, while it is. */
const glue = '\u00a0'

/** How the parts of a question look, none of them broken within a word. */
export function themeOf(message: string, columns: number) {
  const last = message.split('\n').at(-1) ?? ''
  // the mark and its space stand before the first row, and the rows below are set in as much
  const taken = message.includes('\n') ? last : `  ${last}`
  const rows = (format: Format, lines: readonly string[]) =>
    lines.map((line) => (line === '' ? '' : styleText(format, line))).join('\n')
  const after = (format: Format, text: string) => rows(format, behind(taken, text, columns - 1, 2))
  const below = (format: Format, text: string) => rows(format, paragraph(text, columns - 1, 2))
  return {
    style: {
      answer: (text: string) => after('cyan', text),
      defaultAnswer: (text: string) => after('dim', `(${text})`),
      error: (text: string) => below('red', `> ${text}`),
      description: (text: string) => below('cyan', text),
      keysHelpTip(keys: [key: string, action: string][]) {
        const words = keys.map(([key, action]) => `${key} ${action}`.replaceAll(' ', glue))
        return below('dim', words.join(`${glue}• `)).replaceAll(glue, ' ')
      },
    },
  }
}
