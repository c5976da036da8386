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
}

const narrowest = 12
const noLines = Object.fromEntries(
  ['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right']
    .concat(['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid', 'middle'])
    .map((part) => [part, '']),
)
const style = { head: [], border: [], 'padding-left': 0, 'padding-right': 2, compact: true }

/** Rows in columns, without lines, no wider than `width` as far as the flexible column can give way. */
export function renderTable<T>(
  columns: readonly Column<T>[],
  rows: readonly T[],
  { width, paint }: { width: number; paint: Paint },
): string {
  const cells = rows.map((row) => columns.map(({ value }) => oneLine(value(row))))
  const natural = columns.map(({ head }, index) => {
    const column = new Table({ chars: noLines, style })
    column.push([head], ...cells.map((row) => [row[index] ?? '']))
    return column.width
  })
  const excess = natural.reduce((sum, each) => sum + each, 0) - style['padding-right'] - width
  const table = new Table({
    chars: noLines,
    style,
    head: columns.map(({ head }) => paint.bold(head)),
    colAligns: columns.map(({ align = 'left' }) => align),
    colWidths: columns.map(({ flexible }, index) => {
      const own = natural[index] ?? 0
      return flexible && excess > 0 ? Math.max(Math.min(own, narrowest), own - excess) : own
    }),
  })
  for (const [index, row] of rows.entries()) {
    table.push(columns.map((column, at) => painted(column, cells[index]?.[at] ?? '', row)))
  }
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
}

function painted<T>({ paint }: Column<T>, text: string, row: T): string {
  return paint && text !== '' ? paint(text, row) : text
}
