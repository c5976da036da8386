import { appendFileSync } from 'node:fs'
import { markdownText } from '../markdown.ts'
import type { Ci, Hand } from './ci.ts'

/** What a CI shows of a job: a heading, and rows of a name and its value. Text from outside may be in all of it. */
export interface Summary {
  /** A word of its own, for the name of a file: a rotation's id. */
  id: string
  title: string
  rows: readonly (readonly [name: string, value: string])[]
}

interface Ways {
  /** Puts a line into the log; undefined where none may be there. */
  line: ((line: string) => void) | undefined
  warn: (text: string) => void
}

/** Of what no shell, file or CI makes more than it says. */
const plainValue = /^[\w.,:@/+-]+$/

/** Hands values to later steps. What cannot be handed on is said, and stops nothing. */
export function handOn(
  hand: Hand,
  values: Readonly<Record<string, string | undefined>>,
  { line, warn }: Ways,
): void {
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) continue
    if (!plainValue.test(value)) warn(`${name} is not handed on: ${value} is more than an id`)
    else if ('line' in hand) line?.(hand.line(name, value))
    else if (!append(hand.file, `${hand.entry(name, value)}\n`, warn)) return
  }
}

/** Adds to the summary of the job, in Markdown. */
export function summarise(
  place: NonNullable<Ci['summary']>,
  { id, title, rows }: Summary,
  { line, warn }: Ways,
): void {
  const { file, line: command } = place(plainValue.test(id) ? encodeURIComponent(id) : 'summary')
  if (command !== undefined && line === undefined) return
  const table = rows.map(([name, value]) => `| ${markdownText(name)} | ${markdownText(value)} |`)
  const text = [`### ${markdownText(title)}`, '', '| | |', '| --- | --- |', ...table, '', ''].join('\n')
  if (append(file, text, warn) && command !== undefined) line?.(command)
}

function append(file: string, text: string, warn: (text: string) => void): boolean {
  try {
    appendFileSync(file, text)
    return true
  } catch (error) {
    warn(`${file} cannot be written to: ${(error as Error).message}`)
    return false
  }
}
