// Reads docs/errors.md: what a person finds there and what `explain` prints is one text.
import type { Paint } from './paint.ts'
import { paragraph } from './wrapping.ts'

/** What docs/errors.md says of one code. */
export interface Explanation {
  code: string
  /** The exits it ends with: one, but for an interruption, which is dying of a signal. */
  exits: number[]
  /** What it means, in a sentence. */
  summary: string
  /** The whole entry, in Markdown. */
  text: string
}

/** The entries of docs/errors.md, in its order: each `###` heading is a code. */
export function readExplanations(document: string): Explanation[] {
  const entries = document.replace(/<!--[^]*?-->\n*/g, '').split(/^(?=#{2,3} )/m)
  return entries.flatMap((entry) => {
    const [, code, body = ''] = /^### (\S+)\n+([^]*)$/.exec(entry) ?? []
    if (code === undefined) return []
    const text = body.trim()
    // "**Exit 6.** It failed and was undone. Nothing …": the sentence behind the exit is the summary
    const [, exits = '', sentence = ''] = /^\*\*Exit ([^*]+)\*\*\s+([^]*?\.)(?=\s|$)/.exec(text) ?? []
    const summary = sentence.replace(/\s+/g, ' ')
    return [{ code, exits: (exits.match(/\d+/g) ?? []).map(Number), summary, text }]
  })
}

/** Narrower than this, what a code means stands below it. */
const twoColumns = 60

/** Each code with its exit and what it means. */
export function renderSummaries(entries: readonly Explanation[], width: number, paint: Paint): string {
  const longest = Math.max(...entries.map(({ code }) => code.length))
  const blocks = entries.map(({ code, exits, summary }) => {
    const head = `${code.padEnd(longest)}  ${String(exits[0] ?? '').padStart(3)}  `
    if (width < twoColumns)
      return [paint.cyan(`${code} (${exits[0]})`), ...paragraph(`  ${summary}`, width, 2)]
    const [first = '', ...rest] = paragraph(summary, width - head.length)
    return [paint.cyan(head) + first, ...rest.map((line) => ' '.repeat(head.length) + line)]
  })
  return blocks.flat().join('\n')
}

/** An entry for a terminal: paragraphs and lists as wide as it is, examples as they are. */
export function renderExplanation({ code, text }: Explanation, width: number, paint: Paint): string {
  // split by a pattern with a group, every second part is what stands between two fences
  const parts = text.split(/^```.*\n([^]*?)^```$/m)
  const rendered = parts.flatMap((part, index) =>
    index % 2 === 1
      ? example(part, paint)
      : part
          .trim()
          .split(/\n\n+/)
          .map((block) => prose(block, width, paint)),
  )
  return [paint.bold(code), ...rendered.filter((block) => block !== '')].join('\n\n')
}

function example(text: string, paint: Paint): string {
  const lines = text.trimEnd().split('\n')
  return lines.map((line) => paint.dim(`    ${line}`)).join('\n')
}

/** A paragraph, or a list. */
function prose(block: string, width: number, paint: Paint): string {
  const lines = block.split(/\n(?=- )/).flatMap((item) => {
    const text = item.replace(/\[([^\]]+)\]\([^)]+\)/g, '$1').replace(/\s+/g, ' ')
    return paragraph(text, width, text.startsWith('- ') ? 2 : 0)
  })
  return lines.join('\n').replace(/\*\*([^*]+)\*\*/g, (_, words: string) => paint.bold(words))
}
