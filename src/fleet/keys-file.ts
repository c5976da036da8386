import { stat } from 'node:fs/promises'
import path from 'node:path'
import { readRegularFile } from '../durable-file.ts'
import { KeysError } from '../errors.ts'
import { systemCode, systemReason } from '../system-error.ts'

export const keysFileName = 'pictify-keys.yaml'

/** A team of ten thousand keys needs as much; a file of more is some other file. */
const sizeLimit = 4 * 1024 * 1024

/**
 * The keys file of a folder: in it, or in those above it up to the root of its repository, as git finds that; undefined
 * where there is none. Outside of a repository the folder alone counts: what lies above it may be anybody's.
 */
export async function findKeysFile(folder: string): Promise<string | undefined> {
  const found: string[] = []
  for (let at = folder; ; at = path.dirname(at)) {
    const file = path.join(at, keysFileName)
    if (await isThere(file)) found.push(file)
    if (await isThere(path.join(at, '.git'))) return found[0]
    if (at === path.dirname(at)) return found.find((each) => path.dirname(each) === folder)
  }
}

/** A folder that may not be looked into has nothing for us. */
export async function isThere(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  )
}

/** The text of a keys file; `name` is what it is called to people. Throws `keys-file`. */
export async function readKeysText(file: string, name: string): Promise<string> {
  const refuse = (why: string, cause: unknown) =>
    new KeysError('keys-file', `${name} cannot be read: ${why}`, {
      hint: 'name the file with --config, or mend what is in its place',
      cause,
    })
  const bytes = await readRegularFile(file, { sizeLimit, links: true }).catch((cause: unknown) => {
    if (systemCode(cause) === undefined) throw cause
    throw refuse(systemReason(cause), cause)
  })
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw refuse('it is not UTF-8', cause)
  }
}
