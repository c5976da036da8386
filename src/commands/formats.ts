import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { Context } from '../context.ts'
import { KeysError } from '../errors.ts'
import { systemReason } from '../system-error.ts'
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

/** Writes what `--out` asks for, over what was in the file. Throws `output-failed`. */
export async function writeOut({ cwd }: Pick<Context, 'cwd'>, file: string, text: string): Promise<void> {
  try {
    await writeFile(path.resolve(cwd, file), text.endsWith('\n') ? text : `${text}\n`)
  } catch (cause) {
    throw new KeysError('output-failed', `cannot write ${file}: ${systemReason(cause)}`, {
      hint: 'give --out another file, or make room for this one',
      cause,
    })
  }
}
