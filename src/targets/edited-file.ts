// Rules of this file:
// - the file is replaced in one step and only by bytes that were made from what it holds at that moment;
// - a link to it stays a link, its mode and its owner stay;
// - what is already as it should be is not touched, but is on the disk when we say so.
import { constants, type Stats } from 'node:fs'
import { access, lstat, readFile, realpath, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { isInPlace, makeDurable, proveFolder, removeDurably, writeDurably } from '../durable-file.ts'
import { systemCode, systemReason } from '../system-error.ts'
import { KeysError } from '../errors.ts'
import { Secret } from '../secret.ts'
import { refusal, together } from './refusal.ts'
import type { Held, Target } from './target.ts'

/** How a secret lies in a file. `undefined` bytes: there is no file. All throw `target-refused` without the target's name. */
export interface FileFormat {
  get(bytes: Buffer): Held | undefined
  /** `held` is what the file holds now. */
  set(bytes: Buffer | undefined, secret: Secret, held: Held | undefined): Buffer
  /** The inverse of `set`: undefined when the file itself was made by it. */
  putBack(bytes: Buffer, held: Held | undefined): Buffer | undefined
}

/** Where a file really lies, and what it is. */
interface Found {
  path: string
  /** Undefined when there is none yet. */
  bytes: Buffer | undefined
  stats: Stats | undefined
}

/** No file that holds a key is larger; a larger one is not what the user meant. */
const sizeLimit = 256 * 1024

/** What a line for a key takes at most, so that a full disk shows before anything is minted. */
const roomForSecret = 1_024

/** One edit of a file at a time in this process: two targets may lie in one file. */
const edits = new Map<string, Promise<unknown>>()

/** A target that is a file on this machine, at an absolute path, in one of the formats. */
export function createFileTarget({
  name,
  place,
  path,
  format,
}: {
  name: string
  place: string
  path: string
  format: FileFormat
}): Target {
  /** What is wrong with the file gets the target's name; what the system says becomes `target-failed`, or `-unclear`. */
  async function guarded<T>(
    what: string,
    signal: AbortSignal | undefined,
    work: () => Promise<T>,
  ): Promise<T> {
    try {
      signal?.throwIfAborted()
      return await work()
    } catch (error) {
      if (signal?.aborted && error === signal.reason) throw error
      if (error instanceof KeysError) throw together([error], name)
      if (systemCode(error) === undefined) throw error
      const code = isInPlace(error) ? 'target-unclear' : 'target-failed'
      throw new KeysError(code, `${name}: ${what}: ${systemReason(error)}`, {
        hint: hintFor(error, path),
        cause: error,
      })
    }
  }

  async function edit(signal: AbortSignal | undefined, plan: (found: Found) => Edit): Promise<void> {
    await guarded('it could not be written', signal, async () => {
      const key = (await find(path)).path
      const turn = (edits.get(key) ?? Promise.resolve()).then(async () => {
        signal?.throwIfAborted()
        const found = await find(path)
        const next = plan(found)
        if (next !== 'nothing') await replace(found, next === 'remove' ? undefined : next)
        else if (found.bytes) await makeDurable(found.path)
      })
      // the next edit waits for this one, and fails or not for itself; this one's failure is thrown below
      const settled = turn.catch(() => undefined)
      edits.set(key, settled)
      await turn.finally(() => edits.get(key) === settled && edits.delete(key))
    })
  }

  return {
    name,
    place,
    readback: 'value',

    async check(signal) {
      signal?.throwIfAborted()
      const problems = await problemsOf(path, format)
      if (problems.length > 0) throw together(problems, name)
    },

    read: (signal) =>
      guarded('it could not be read', signal, async () => {
        const { bytes } = await find(path)
        return bytes && format.get(bytes)
      }),

    write: (secret, expected, signal) =>
      edit(signal, ({ bytes }) => {
        const held = bytes && format.get(bytes)
        if (held?.value.equals(secret)) return 'nothing'
        if (!isSame(held, expected)) throw changed(held)
        return format.set(bytes, secret, held)
      }),

    restore: (previous, written, signal) =>
      edit(signal, ({ bytes }) => {
        const held = bytes && format.get(bytes)
        if (isSame(held, previous)) return 'nothing'
        if (!bytes || !held?.value.equals(written)) throw changed(held)
        return format.putBack(bytes, previous) ?? 'remove'
      }),
  }
}

type Edit = Buffer | 'nothing' | 'remove'

function isSame(held: Held | undefined, other: Held | undefined): boolean {
  return held && other ? held.value.equals(other.value) : held === other
}

function changed(held: Held | undefined): KeysError {
  const message = held
    ? `it holds another value by now (${held.value.hint})`
    : 'the value is not there any more'
  return new KeysError('target-changed', message, {
    hint: 'somebody else changed it; see which value is right',
  })
}

/** Follows links to the file itself. Throws `target-refused` for what is not a file we can edit. */
async function find(path: string): Promise<Found> {
  const real = await locate(path)
  let stats: Stats
  try {
    stats = await stat(real)
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
    return { path: real, bytes: undefined, stats: undefined }
  }
  if (stats.isDirectory()) throw refusal('it is a directory', 'name a file in it')
  if (!stats.isFile()) throw refusal('it is not a regular file', 'name a regular file')
  if (stats.size > sizeLimit)
    throw refusal('it is too large to hold a key', 'see whether it is the file you meant')
  return { path: real, bytes: await readFile(real), stats }
}

async function locate(path: string): Promise<string> {
  try {
    return await realpath(path)
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
  }
  try {
    await lstat(path)
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
    return join(await parentOf(path), basename(path))
  }
  throw refusal('it is a link to a file that does not exist', 'make that file, or remove the link')
}

async function parentOf(path: string): Promise<string> {
  try {
    return await realpath(dirname(path))
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
    throw refusal('its folder does not exist', `make it first: mkdir -p ${dirname(path)}`, error)
  }
}

async function replace({ path, bytes, stats }: Found, next: Buffer | undefined): Promise<void> {
  const beforeRename = async () => {
    const now = await find(path)
    const same = bytes && now.bytes ? bytes.equals(now.bytes) : bytes === now.bytes
    if (!same || now.path !== path) {
      throw new KeysError('target-changed', 'it was changed while it was being edited', {
        hint: 'run it again',
      })
    }
  }
  if (!next) {
    await beforeRename()
    await removeDurably(path)
    return
  }
  await writeDurably(path, next, {
    mode: stats ? stats.mode & 0o7777 : 0o600,
    owner: stats && { uid: stats.uid, gid: stats.gid },
    exclusive: !stats,
    beforeRename,
  })
}

/** Everything that would keep us from writing there, at once. */
async function problemsOf(path: string, format: FileFormat): Promise<KeysError[]> {
  const problems: KeysError[] = []
  let real = path
  let size = 0
  try {
    const found = await find(path)
    real = found.path
    const { bytes, stats } = found
    size = bytes?.length ?? 0
    if (stats && stats.nlink > 1) {
      problems.push(
        refusal('it has several hard links, of which one only would be changed', 'make it a file of its own'),
      )
    }
    if (stats) await tryAccess(real, stats, problems)
    // A write is tried in memory: what a format cannot do shows before anything is minted.
    if (bytes) format.set(bytes, new Secret('pk_live_0000000000000000'), format.get(bytes))
  } catch (error) {
    problems.push(error instanceof KeysError ? error : unusable(error, path, 'it cannot be read'))
    if (systemCode((error as Error).cause) === 'ENOENT') return problems
  }
  try {
    // Only trying tells: modes, access lists, read-only mounts and immutable folders all have their say.
    await proveFolder(dirname(real), size + roomForSecret)
  } catch (error) {
    problems.push(unusable(error, path, `the folder ${dirname(real)} cannot be written`))
  }
  return problems
}

async function tryAccess(path: string, stats: Stats, problems: KeysError[]): Promise<void> {
  // Root may write whatever the mode says; one that nobody may write is meant to stay as it is.
  if ((stats.mode & 0o222) === 0) {
    problems.push(refusal('it is read-only', `if it may change: chmod u+w ${path}`))
    return
  }
  try {
    await access(path, constants.W_OK)
  } catch (error) {
    problems.push(unusable(error, path, 'it cannot be written'))
  }
}

function unusable(error: unknown, path: string, what: string): KeysError {
  return refusal(`${what}: ${systemReason(error)}`, hintFor(error, path), error)
}

function hintFor(error: unknown, path: string): string {
  const code = systemCode(error) ?? ''
  if (['ENOSPC', 'EDQUOT'].includes(code)) return 'free some space'
  if (code === 'EROFS') return 'name a file on a file system that can be written'
  if (['EACCES', 'EPERM'].includes(code))
    return `run it as the owner of ${path}, or give this user the right to write it and its folder`
  if (code === 'EBUSY')
    return 'a file that is mounted on its own cannot be replaced; name the one behind the mount'
  return `see what is at ${path}`
}
