import { lstat } from 'node:fs/promises'
import path from 'node:path'
import { writeDurably } from '../durable-file.ts'
import { KeysError } from '../errors.ts'
import { systemCode, systemReason } from '../system-error.ts'

/** For its owner alone: what is exported names people's addresses, or signs. */
export const exportMode = 0o600

/** Writes a file that is not there yet. Throws `output-file`. */
export async function writeNewFile(
  cwd: string,
  name: string,
  text: string,
  mode = exportMode,
): Promise<void> {
  try {
    await writeDurably(path.resolve(cwd, name), text, { mode, exclusive: true })
  } catch (cause) {
    throw unwritable(name, cause)
  }
}

/** Throws `output-file` where there is something already: nothing is replaced that somebody may have kept on purpose. */
export async function refuseExisting(cwd: string, name: string): Promise<void> {
  try {
    await lstat(path.resolve(cwd, name))
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return
    throw unwritable(name, cause)
  }
  throw isThere(name)
}

export function unwritable(name: string, cause: unknown): KeysError {
  if (systemCode(cause) === 'EEXIST') return isThere(name, cause)
  const why = systemCode(cause) === 'ENOENT' ? 'its folder does not exist' : systemReason(cause)
  return new KeysError('output-file', `cannot write ${name}: ${why}`, {
    hint: 'name a file in a folder that is there and can be written',
    cause,
  })
}

function isThere(name: string, cause?: unknown): KeysError {
  return new KeysError('output-file', `${name} is there already, and is not replaced`, {
    hint: 'name another file, or move that one away',
    cause,
  })
}
