// Rules of this file:
// - a file is either as it was or wholly the new one, on the disk and not only in its cache;
// - what is not there yet lies under a name nobody can guess, and no link is followed to it;
// - what is read here may have been put there by anybody: no link is followed, and nothing is waited for;
// - errors are Node's own, with their code; callers say what it meant to them.
import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, chmod, link, mkdir, open, readdir, rename, stat, unlink } from 'node:fs/promises'
import { platform } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
// A leftover is told from a file being written by whether its writer still runs, what is ours by whose process this is.
import { geteuid, kill, pid } from 'node:process'
import { systemCode, systemError } from './system-error.ts'

export interface DurableOptions {
  /** The mode of the file, whatever the umask. */
  mode: number
  /** Fails with EEXIST when there is already something at the path (a dangling link counts). */
  exclusive?: boolean | undefined
  /** Given to the file where the system lets us; where it does not, the file is ours. */
  owner?: { uid: number; gid: number } | undefined
  /** Called when all is on the disk, right before the file takes its name; what it throws stops the write. */
  beforeRename?: (() => Promise<void>) | undefined
}

/**
 * Puts `bytes` at `path`, replacing what is there in one step, and returns when they would survive a power cut.
 * A link at `path` itself is replaced, not followed. On any failure nothing is left beside it, and the path is as it was,
 * but for a failure of the last step (see `isInPlace`).
 */
export async function writeDurably(
  path: string,
  bytes: string | Uint8Array,
  options: DurableOptions,
): Promise<void> {
  await sweepBeside(path)
  const temporary = temporaryFor(path)
  const file = await openNew(temporary)
  try {
    try {
      await fill(file, bytes, options)
    } finally {
      await file.close()
    }
    await options.beforeRename?.()
    if (options.exclusive) await claim(temporary, path)
    else await rename(temporary, path)
  } catch (error) {
    // The first error is the one that matters; that the leftover may stay too does not hide it.
    await unlink(temporary).catch(() => undefined)
    throw error
  } finally {
    underWay.delete(basename(temporary))
  }
  try {
    await sync(dirname(path))
  } catch (error) {
    throw markInPlace(error)
  }
}

const inPlace = Symbol('in place')

function markInPlace(error: unknown): Error {
  return Object.assign(error as Error, { [inPlace]: true })
}

/** Whether a write that failed had given the file its name already: it is there, though a power cut may take it back. */
export function isInPlace(error: unknown): boolean {
  return error instanceof Error && inPlace in error
}

/** What this process is writing: in a container, one that was killed had the same pid, and what it left is nobody's. */
const underWay = new Set<string>()

function temporaryFor(path: string): string {
  const name = `${basename(path)}.${pid}-${randomBytes(12).toString('hex')}.tmp`
  underWay.add(name)
  return join(dirname(path), name)
}

/** Opens a file that was not there, not even as a link. */
async function openNew(path: string): Promise<FileHandle> {
  return open(
    path,
    constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0),
    0o600,
  )
}

/** Throws what a write of `size` bytes to a file in the folder would; leaves nothing there. */
export async function proveFolder(folder: string, size = 0): Promise<void> {
  const path = join(folder, '.pictify-keys')
  await sweepBeside(path)
  const temporary = temporaryFor(path)
  const file = await openNew(temporary)
  try {
    await file.writeFile(Buffer.alloc(size)).finally(() => file.close())
    await sync(folder)
    await unlink(temporary)
  } catch (error) {
    // The first error is the one that matters.
    await unlink(temporary).catch(() => undefined)
    throw error
  } finally {
    underWay.delete(basename(temporary))
  }
}

/**
 * What killed processes left beside the path, with a secret in it perhaps, goes before anything new comes. With `form`,
 * what they left of files that are named as the path is, with a dot and a name of that form behind it.
 */
export async function sweepBeside(path: string, form?: RegExp): Promise<void> {
  const prefix = `${basename(path)}.`
  const names = await readdir(dirname(path)).catch(() => [])
  for (const name of names) {
    if (!name.startsWith(prefix)) continue
    const [, file, writer] = /^(?:(.+)\.)?(\d+)-[0-9a-f]{24}\.tmp$/.exec(name.slice(prefix.length)) ?? []
    if (writer === undefined || isBeingWritten(name, Number(writer))) continue
    if (form === undefined ? file !== undefined : !form.test(file ?? '')) continue
    // Where it cannot be removed it is as it was before we came; the write itself says what is wrong here.
    await unlink(join(dirname(path), name)).catch(() => undefined)
  }
}

/**
 * Makes sure of what is at the path already: an earlier run may have died, or failed, right after it put it there.
 * Whatever it fails with `isInPlace`.
 */
export async function makeDurable(path: string): Promise<void> {
  try {
    await sync(path)
    await sync(dirname(path))
  } catch (error) {
    throw markInPlace(error)
  }
}

/**
 * The bytes of a regular file. What else may lie in its place is an error of the code EFTYPE, be it a link (unless
 * links may be followed), a folder, or a pipe, on which others would wait for a writer; more than `sizeLimit` is EFBIG.
 */
export async function readRegularFile(
  path: string,
  { sizeLimit, links = false }: { sizeLimit: number; links?: boolean },
): Promise<Buffer> {
  const flags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (links ? 0 : (constants.O_NOFOLLOW ?? 0))
  const file = await open(path, flags).catch((error: unknown) => {
    throw !links && systemCode(error) === 'ELOOP' ? systemError('EFTYPE', path) : error
  })
  try {
    const stats = await file.stat()
    if (!stats.isFile()) throw systemError('EFTYPE', path)
    if (stats.size > sizeLimit) throw systemError('EFBIG', path)
    return await file.readFile()
  } finally {
    await file.close()
  }
}

/** Who besides this user and root has a say in what lies in a folder. Windows' own rules are not told by these. */
export function strangersOf({
  uid,
  mode,
}: {
  uid: number
  mode: number
}): 'owner' | 'group' | 'all' | undefined {
  const own = geteuid?.()
  if (own === undefined) return undefined
  if (uid !== own && uid !== 0) return 'owner'
  return (mode & 0o002) !== 0 ? 'all' : (mode & 0o020) !== 0 ? 'group' : undefined
}

function isBeingWritten(name: string, writer: number): boolean {
  if (writer === pid) return underWay.has(name)
  try {
    kill(writer, 0)
    return true
  } catch (error) {
    return systemCode(error) !== 'ESRCH'
  }
}

async function fill(
  file: FileHandle,
  bytes: string | Uint8Array,
  { mode, owner }: DurableOptions,
): Promise<void> {
  if (owner) {
    await file.chown(owner.uid, owner.gid).catch((error: unknown) => {
      if (systemCode(error) !== 'EPERM') throw error
    })
  }
  // After chown, which may clear bits; and by the handle, which no umask touches.
  await file.chmod(mode)
  await file.writeFile(bytes)
  await file.sync()
}

/** Gives the temporary file its name only where the name is free. */
async function claim(temporary: string, path: string): Promise<void> {
  try {
    await link(temporary, path)
    await unlink(temporary)
  } catch (error) {
    if (!noHardLinks.has(systemCode(error) ?? '')) throw error
    await (await open(path, 'wx')).close()
    await rename(temporary, path)
  }
}

const noHardLinks = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'])

/** Removes a file and returns when that would survive a power cut. One that is not there is done. */
export async function removeDurably(path: string): Promise<void> {
  try {
    await unlink(path)
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
    return
  }
  await sync(dirname(path))
}

/** Gives what is at `from` another name in the same folder, whatever it is, and returns when that would survive a power cut. */
export async function moveDurably(from: string, to: string): Promise<void> {
  await rename(from, to)
  await sync(dirname(to))
}

/** As `moveDurably`, but takes no name that is taken: throws EEXIST. Killed in its midst, it leaves both names, of one file. */
export async function claimDurably(from: string, to: string): Promise<void> {
  await claim(from, to)
  await sync(dirname(to))
}

/**
 * Makes a folder only its owner may enter (0700, whatever the umask), and those above it that are missing.
 * A folder that is there already is left as its owner set it: it may be one the user chose, and shares.
 */
export async function ensurePrivateDirectory(path: string): Promise<void> {
  const missing: string[] = []
  for (let folder = resolve(path); !(await isThere(folder)); folder = dirname(folder)) missing.unshift(folder)
  // One by one: Node's own recursive mkdir never ends where the system says of a new folder that it does not exist.
  for (const folder of missing) {
    try {
      await mkdir(folder, { mode: 0o700 })
    } catch (error) {
      // Another process made it meanwhile, and set it as it should be.
      if (systemCode(error) !== 'EEXIST') throw error
      continue
    }
    await chmod(folder, 0o700)
    await sync(dirname(folder))
  }
}

async function isThere(folder: string): Promise<boolean> {
  try {
    if ((await stat(folder)).isDirectory()) return true
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false
    throw error
  }
  throw Object.assign(new Error(`${folder} is not a directory`), { code: 'ENOTDIR' })
}

/** Brings a file's bytes, or a folder's names, onto the disk: a new name lasts only once its folder is there. */
async function sync(path: string): Promise<void> {
  try {
    const handle = await open(path, constants.O_RDONLY)
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  } catch (error) {
    // Windows has no way to do this for what is only read: it says so by one of these.
    if (platform() !== 'win32' || !['EISDIR', 'EPERM', 'EACCES', 'EINVAL'].includes(systemCode(error) ?? ''))
      throw error
  }
}
