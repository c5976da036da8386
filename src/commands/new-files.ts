import { access } from 'node:fs/promises'
import type { Output } from '../ui/output.ts'
import { systemCode } from '../system-error.ts'
import type { Target } from '../targets/target.ts'

/** The file that a target would make, as nothing is there yet; undefined where something is, or it is no file. */
export async function newFileOf({ name, place }: Target): Promise<string | undefined> {
  const file = name.startsWith('env:')
    ? place.slice(0, place.lastIndexOf('#'))
    : name.startsWith('file:')
      ? place
      : undefined
  if (file === undefined) return undefined
  try {
    await access(file)
    return undefined
  } catch (error) {
    return systemCode(error) === 'ENOENT' ? file : undefined
  }
}

/** A file that is mistyped is made as readily as any other, and no application reads it. */
export async function warnOfNewFiles(out: Output, targets: readonly Target[]): Promise<void> {
  for (const target of targets) {
    const file = await newFileOf(target)
    if (file !== undefined) out.warn(`${file} is not there yet: it will be made`)
  }
}
