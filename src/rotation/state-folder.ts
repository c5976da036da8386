// Rules of this file:
// - journals say which commands are run with which secret: a folder that others can write in is not believed;
// - the state directory itself is the user's choice, a link to another folder too; the folders in it are ours.
import { lstat, stat } from 'node:fs/promises'
import path from 'node:path'
import { ensurePrivateDirectory, strangersOf } from '../durable-file.ts'
import { systemCode, systemReason } from '../system-error.ts'
import { KeysError } from '../errors.ts'

/** The folders of a state directory. */
type Name = 'alerts' | 'locks' | 'rotations' | 'seen'

/** Makes a folder of the state directory where it is missing. Throws `state-directory` where it is not ours alone. */
export async function openStateFolder(stateDir: string, name: Name): Promise<string> {
  const folder = path.join(stateDir, name)
  try {
    await ensurePrivateDirectory(folder)
  } catch (cause) {
    throw unusable(folder, name, cause)
  }
  await findStateFolder(stateDir, name)
  return folder
}

/** The folder, where there is one. Throws `state-directory` where it is not ours alone, or would not be. */
export async function findStateFolder(stateDir: string, name: Name): Promise<string | undefined> {
  const folder = path.join(stateDir, name)
  try {
    const above = await stat(stateDir)
    // A folder's own bits hold nobody off who can put another in its place; the sticky bit does.
    const isSticky = (above.mode & 0o1000) !== 0
    if (above.isDirectory() && strangersOf(above) === 'all' && !isSticky)
      throw shared(stateDir, 'can be written by everyone', stateDir)
    const own = await lstat(folder)
    if (own.isSymbolicLink()) throw shared(folder, 'is a symbolic link')
    if (strangersOf(own) === 'owner') throw shared(folder, 'belongs to another user')
    if (strangersOf(own) !== undefined) throw shared(folder, 'can be written by others', folder)
    return folder
  } catch (cause) {
    if (cause instanceof KeysError) throw cause
    if (systemCode(cause) === 'ENOENT') return undefined
    throw unusable(folder, name, cause)
  }
}

const another = 'name another folder with --state-dir or PICTIFY_KEYS_STATE_DIR'

/** `open`: the folder that is to be closed to others. */
function shared(folder: string, what: string, open?: string): KeysError {
  return new KeysError('state-directory', `${folder} ${what}, and what it says cannot be believed`, {
    hint: open
      ? `see whether what lies there is yours, then: chmod go-w ${open}`
      : `remove it, or ${another}`,
  })
}

/** What keeps us from our own folder, as an error that says what to do. */
export function unusable(folder: string, name: Name, cause: unknown, maybeDone = false): KeysError {
  const what = {
    alerts: 'alerts',
    locks: 'locks',
    rotations: 'rotation journals',
    seen: 'what was seen',
  }[name]
  return new KeysError('state-directory', `cannot keep ${what} in ${folder}: ${systemReason(cause)}`, {
    hint: `free or unlock that folder, or ${another}`,
    maybeDone,
    cause,
  })
}
