// Rules of this file:
// - the file is 0600 and its folder 0700, whatever the umask says;
// - it may hold the only copy of an admin key: it is replaced whole and durably, and a link in its place is replaced,
//   never followed out, though one that the user made is read;
// - what another process put into it meanwhile is kept.
import { chmod, stat } from 'node:fs/promises'
import path from 'node:path'
import { ensurePrivateDirectory, proveFolder, readRegularFile, writeDurably } from './durable-file.ts'
import { systemCode, systemReason } from './system-error.ts'
import { KeysError } from './errors.ts'

/** What the file holds; what is not known here stays as it is. */
export interface ProfileDocument extends Record<string, unknown> {
  /** The profile that `profile use` chose. */
  profile?: string | undefined
  profiles?: Record<string, unknown>
}

const changeAttempts = 5
/** What a change adds at most, so that a full disk shows before a key is minted for it. */
const roomForChange = 1_024
/** Profiles are a few hundred bytes each. */
const sizeLimit = 1024 * 1024

/** The file's document; an empty one where there is no file. Throws `config-unreadable`. */
export async function readProfileFile(file: string): Promise<ProfileDocument> {
  return parseDocument(file, await readText(file))
}

/** Replaces the document by what `change` makes of it as it is by then. Throws `config-unreadable`. */
export async function changeProfileFile(
  file: string,
  change: (document: ProfileDocument) => ProfileDocument,
): Promise<ProfileDocument> {
  const folder = path.dirname(file)
  return writing(file, async () => {
    await ensurePrivateDirectory(folder)
    await chmod(folder, 0o700)
    for (let attempt = 1; ; attempt++) {
      try {
        return await replace(file, change)
      } catch (error) {
        if (!(error instanceof Overtaken) || attempt === changeAttempts) throw error
      }
    }
  })
}

/** Proves that the file can be changed. Throws `config-unreadable`. */
export async function proveProfileFile(file: string): Promise<void> {
  const folder = path.dirname(file)
  await writing(file, async () => {
    await ensurePrivateDirectory(folder)
    await proveFolder(folder, ((await readText(file))?.length ?? 0) + roomForChange)
  })
}

/** The file's permission bits; undefined when it is not there. */
export async function modeOf(file: string): Promise<number | undefined> {
  try {
    return (await stat(file)).mode & 0o777
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw unreadable(file, systemReason(error), error)
  }
}

export function unreadable(file: string, reason: string, cause?: unknown): KeysError {
  return new KeysError('config-unreadable', `cannot read the profile file ${file}: ${reason}`, {
    hint: 'repair it or delete it, then run pictify-keys login again',
    cause,
  })
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The file is not what the change was made from. */
class Overtaken extends Error {
  override message = 'another process keeps changing it'
}

async function replace(
  file: string,
  change: (document: ProfileDocument) => ProfileDocument,
): Promise<ProfileDocument> {
  const text = await readText(file)
  const document = change(parseDocument(file, text))
  await writeDurably(file, `${JSON.stringify(document, undefined, '\t')}\n`, {
    mode: 0o600,
    beforeRename: async () => {
      if ((await readText(file)) !== text) throw new Overtaken()
    },
  })
  return document
}

/** Undefined where there is no file. */
async function readText(file: string): Promise<string | undefined> {
  try {
    return (await readRegularFile(file, { sizeLimit, links: true })).toString()
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return undefined
    throw unreadable(file, systemReason(cause), cause)
  }
}

function parseDocument(file: string, text: string | undefined): ProfileDocument {
  if (text === undefined) return {}
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch (cause) {
    throw unreadable(file, 'it is not JSON', cause)
  }
  if (!isRecord(document)) throw unreadable(file, 'it is not an object')
  const { profile, profiles = {} } = document
  if (!isRecord(profiles)) throw unreadable(file, 'its profiles are not an object')
  if (profile !== undefined && typeof profile !== 'string')
    throw unreadable(file, 'the profile in use is not a name')
  return { ...document, profile, profiles }
}

async function writing<T>(file: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write()
  } catch (cause) {
    if (cause instanceof KeysError) throw cause
    throw new KeysError(
      'config-unreadable',
      `cannot write the profile file ${file}: ${systemReason(cause)}`,
      { hint: 'make the folder writable, or set PICTIFY_ADMIN_KEY instead', cause },
    )
  }
}
