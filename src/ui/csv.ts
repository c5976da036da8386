import { stringify } from 'csv-stringify/sync'

/** One row of a CSV, without the end of its line. What begins as a formula of a spreadsheet's is none. */
export function csvRow(cells: readonly (string | number | null | undefined)[]): string {
  return stringify([cells.map(guarded)], { escape_formulas: true, quoted_match: /[\r\n]/, eof: false })
}

/** Some spreadsheets skip blanks and newlines before they look for `=`. */
function guarded(cell: string | number | null | undefined): string {
  const text = String(cell ?? '')
  return /^(?:\n|\s+[=+@-])/.test(text) ? `'${text}` : text
}
