import Table from 'cli-table3'
import type { Paint } from './paint.ts'
import { oneLine } from './text.ts'

export interface Column<T> {
  head: string
  value: (row: T) => string
  /** Colours the cell. */
  paint?: (text: string, row: T) => string
  align?: 'left' | 'right'
  /** Gives way when the terminal is too narrow. */
  flexible?: boolean
  /** Is left out where there is no room for it; of several the first one first, and before them those that say so. */
  optional?: boolean | 'first'
  /** What an optional column shows in less room, before it is left out. */
  brief?: ((row: T) => string) | undefined
}

interface Space {
  width: number
  paint: Paint
}

const narrowest = 12
const mostRows = 100
const noLines = Object.fromEntries(
  ['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right']
    .concat(['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid', 'middle'])
    .map((part) => [part, '']),
)
const style = { head: [], border: [], 'padding-left': 0, 'padding-right': 2, compact: true }

/**
 * Rows in columns, without lines, no wider than `width`: the flexible columns give way, the widest first, then the optional
 * ones do. Where that is not enough each row is a block of its own, a column a line.
 */
export function renderTable<T>(columns: readonly Column<T>[], rows: readonly T[], space: Space): string {
  const sized = columns.map((column) => measured(column, rows))
  while (leastOf(sized) > space.width) {
    const atOnce = sized.findIndex(({ column }) => column.optional === 'first')
    const first = atOnce < 0 ? sized.findIndex(({ column }) => column.optional) : atOnce
    if (first < 0) return renderBlocks(columns, rows, space)
    sized.splice(first, 1, ...briefer(sized[first]?.column, rows))
  }
  return renderColumns(sized, rows, space)
}

/** In place of an optional column that has no room: a narrower one, or none. */
function briefer<T>(column: Column<T> | undefined, rows: readonly T[]): Sized<T>[] {
  if (column?.brief === undefined) return []
  return [measured({ ...column, value: column.brief, brief: undefined }, rows)]
}

interface Sized<T> {
  column: Column<T>
  cells: string[]
  natural: number
  least: number
}

function measured<T>(column: Column<T>, rows: readonly T[]): Sized<T> {
  const cells = rows.map((row) => oneLine(column.value(row)))
  const natural = Math.max(...inParts([column.head, ...cells]).map(widthOf))
  return { column, cells, natural, least: column.flexible ? Math.min(natural, narrowest) : natural }
}

function widthOf(cells: readonly string[]): number {
  const alone = new Table({ chars: noLines, style })
  alone.push(...cells.map((cell) => [cell]))
  return alone.width
}

/** The time that a table takes goes with the square of its rows: many of them are several tables, one below the other. */
function inParts<T>(rows: readonly T[]): T[][] {
  const count = Math.max(1, Math.ceil(rows.length / mostRows))
  return Array.from({ length: count }, (_, part) => rows.slice(part * mostRows, (part + 1) * mostRows))
}

/** The blanks behind the last column are none of the table. */
function leastOf(sized: readonly Sized<never>[]): number {
  return sized.reduce((sum, { least }) => sum + least, 0) - style['padding-right']
}

function renderColumns<T>(sized: readonly Sized<T>[], rows: readonly T[], { width, paint }: Space): string {
  const excess = sized.reduce((sum, { natural }) => sum + natural, 0) - style['padding-right'] - width
  const colWidths = widthsOf(sized, excess)
  const colAligns = sized.map(({ column }) => column.align ?? 'left')
  const head = sized.map(({ column }) => paint.bold(column.head))
  const lines = rows.map((row, index) =>
    sized.map(({ column, cells }) => painted(column, cells[index] ?? '', row)),
  )
  return inParts(lines)
    .map((part, index) => {
      const table = new Table({ chars: noLines, style, colWidths, colAligns, head: index === 0 ? head : [] })
      table.push(...part)
      return table.toString()
    })
    .join('\n')
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
}

/** The widest of those that may give way do so, together, until all fits. */
function widthsOf(sized: readonly Sized<never>[], excess: number): number[] {
  const widths = sized.map(({ natural }) => natural)
  for (let left = excess; left > 0; left -= 1) {
    const spare = sized.map(({ least }, index) => ((widths[index] ?? 0) > least ? (widths[index] ?? 0) : 0))
    const widest = spare.indexOf(Math.max(...spare))
    widths[widest] = (widths[widest] ?? 0) - 1
  }
  return widths
}

/** What has no value, or no name, has no line. */
function renderBlocks<T>(columns: readonly Column<T>[], rows: readonly T[], { paint }: Space): string {
  const named = columns.filter(({ head }) => head !== '')
  const widest = Math.max(...named.map(({ head }) => head.length))
  const blocks = rows.map((row) =>
    named.flatMap((column) => {
      const cell = oneLine(column.value(row)).trim()
      return cell === '' ? [] : [`${paint.bold(column.head.padEnd(widest))}  ${painted(column, cell, row)}`]
    }),
  )
  return blocks.map((lines) => lines.join('\n')).join('\n\n')
}

function painted<T>({ paint }: Column<T>, text: string, row: T): string {
  return paint && text !== '' ? paint(text, row) : text
}
