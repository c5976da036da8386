import { expect, it } from 'vitest'
import { plain } from '../../src/ui/paint.ts'
import { renderTable, type Column } from '../../src/ui/table.ts'

it('columns of many rows are as wide from the first to the last, under one head', () => {
  const columns: Column<number>[] = [
    { head: 'NAME', value: (row) => (row === 249 ? 'a name that is longer than all' : `key ${row}`) },
    { head: 'COUNT', value: String, align: 'right' },
    { head: 'NOTE', value: (row) => (row % 2 === 0 ? 'even' : '') },
  ]
  const rows = Array.from({ length: 250 }, (_, row) => row)
  const lines = renderTable(columns, rows, { width: Infinity, paint: plain }).split('\n')
  const line = (name: string, count: string, note: string) =>
    `${name.padEnd(30)}  ${count.padStart(5)}  ${note}`.trimEnd()
  expect(lines).toEqual([
    line('NAME', 'COUNT', 'NOTE'),
    ...rows.map((row) =>
      line(row === 249 ? 'a name that is longer than all' : `key ${row}`, String(row), row % 2 ? '' : 'even'),
    ),
  ])
})
