// Rules of this file:
// - what is read first comes first: the examples, then how it is called, then every flag, a command's own before all;
// - it fits the width it is given; a word longer than that, and nothing else, sticks out.

export interface HelpItem {
  term: string
  summary: string
}

interface HelpSection {
  title: string
  items: readonly HelpItem[]
}

export interface HelpPage {
  summary: string
  /** Command lines, as they are typed. */
  examples: readonly string[]
  usage: string
  sections: readonly HelpSection[]
  /** Flags that are named alone, for they are told of elsewhere: in `note`. */
  inherited?: { title: string; terms: readonly string[]; note: string }
  /** Paragraphs at the end. */
  notes?: readonly string[]
}

const narrowest = 20
const widest = 110
/** Below this a summary stands under its term and not beside it. */
const twoColumns = 70
/** A term longer than this has its summary on the line below. */
const longestTerm = 26

/** The text of `--help` for a terminal of so many columns. */
export function helpText(
  { summary, examples, usage, sections, inherited, notes = [] }: HelpPage,
  columns: number,
): string {
  const width = Math.max(narrowest, Math.min(columns, widest))
  const blocks = [
    wrapped(summary, width).join('\n'),
    ...(examples.length === 0
      ? []
      : [['Examples:', ...examples.flatMap((line) => exampleLines(line, width))].join('\n')]),
    commandLines(`Usage: ${usage}`, width, { indent: 4, end: '' }).join('\n'),
    ...sections
      .filter(({ items }) => items.length > 0)
      .map(({ title, items }) => [`${title}:`, ...itemLines(items, width)].join('\n')),
    ...(inherited === undefined ? [] : [inheritedLines(inherited, width).join('\n')]),
    ...notes.map((note) => wrapped(note, width, 2).join('\n')),
  ]
  return `${blocks.join('\n\n')}\n`
}

function inheritedLines({ title, terms, note }: NonNullable<HelpPage['inherited']>, width: number): string[] {
  return [
    `${title}:`,
    ...commandLines(`  ${terms.join(', ')}`, width, { indent: 2, end: '' }),
    ...wrapped(note, width - 2).map((line) => `  ${line}`),
  ]
}

function itemLines(items: readonly HelpItem[], width: number): string[] {
  if (width < twoColumns) {
    return items.flatMap(({ term, summary }) => [
      ...commandLines(`  ${term}`, width, { indent: 4, end: '' }),
      ...wrapped(summary, width - 6).map((line) => `      ${line}`),
    ])
  }
  const lengths = items.map(({ term }) => term.length).filter((length) => length <= longestTerm)
  const column = Math.max(0, ...lengths) + 4
  return items.flatMap(({ term, summary }) => {
    const [first = '', ...rest] = wrapped(summary, width - column)
    const below = rest.map((line) => ' '.repeat(column) + line)
    if (term.length <= longestTerm) return [`  ${term}`.padEnd(column) + first, ...below]
    return [`  ${term}`, ' '.repeat(column) + first, ...below]
  })
}

/** A line for a shell, continued where it must be in a way that a shell takes. */
function exampleLines(line: string, width: number): string[] {
  return commandLines(`  $ ${line}`, width, { indent: 6, end: ' \\' })
}

function commandLines(
  line: string,
  width: number,
  { indent, end }: { indent: number; end: string },
): string[] {
  const lead = /^ */.exec(line)?.[0] ?? ''
  // what is quoted stays whole, and so does a flag with its value
  const words = line.match(/(?:--?[\w-]+ (?=[^-\s]))?(?:"[^"]*"|'[^']*'|<[^>]*>|[^\s"'])+/g) ?? []
  const lines: string[] = []
  let current = lead
  for (const word of words) {
    const isFirst = current.trim() === ''
    if (!isFirst && current.length + 1 + word.length + end.length > width) {
      lines.push(current + end)
      current = ' '.repeat(indent) + word
    } else current += isFirst ? word : ` ${word}`
  }
  return [...lines, current]
}

/** A paragraph in lines of so many characters; those after the first are set in. */
function wrapped(text: string, width: number, indent = 0): string[] {
  const lines: string[] = []
  let current = ''
  for (const word of text.split(/\s+/)) {
    if (current !== '' && current.length + 1 + word.length > width) {
      lines.push(current)
      current = ' '.repeat(indent) + word
    } else current += current === '' ? word : ` ${word}`
  }
  return [...lines, current]
}
