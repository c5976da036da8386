import path from 'node:path'
import { KeysError } from '../errors.ts'
import type { Output } from '../ui/output.ts'

/** What `--format` and `--json` together mean for stdout; `table` without either. Throws `usage` where they differ. */
export function formatFor<F extends string>(
  format: F | undefined,
  { json }: Pick<Output, 'json'>,
): F | 'table' | 'json' {
  if (json && format !== undefined && format !== 'json') {
    throw new KeysError('usage', `--json and --format ${format} exclude each other`, {
      hint: 'give one of them',
    })
  }
  return format ?? (json ? 'json' : 'table')
}

const endings: Readonly<Record<string, string>> = {
  csv: 'csv',
  htm: 'html',
  html: 'html',
  json: 'json',
  jsonl: 'ndjson',
  md: 'markdown',
  ndjson: 'ndjson',
  sarif: 'sarif',
}

/** The end of a file says as much as `--format`; undefined where it says nothing, or none of these. */
export function formatOfFile<F extends string>(file: string, formats: readonly F[]): F | undefined {
  const name = file.toLowerCase()
  const ending = name.endsWith('.sarif.json') ? 'sarif' : path.extname(name).slice(1)
  return formats.find((format) => format === endings[ending])
}
