// Rules of this file:
// - a file is either as it was or wholly the new one, on the disk and not only in its cache;
// - what is not there yet lies under a name nobody can guess, and no link is followed to it;
// - errors are Node's own, with their code; callers say what it meant to them.
import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, chmod, link, mkdir, open, readdir, rename, stat, unlink } from 'node:fs/promises'
import { platform } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
// A leftover is told from a file being written by whether its writer still runs.
import { kill, pid } from 'node:process'

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

/** The code of a system error (`ENOSPC`), undefined for any other error. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

/** What a system error means, in words that fit after a colon: `the disk is full`. */
export function systemReason(error: unknown): string {
  const code = systemCode(error)
  return (code && reasons[code]) ?? code ?? (error instanceof Error ? error.message : String(error))
}

const reasons: Record<string, string> = {
  EACCES: 'permission denied',
  EBUSY: 'it is in use, or mounted on its own',
  EDQUOT: 'the disk quota is used up',
  EEXIST: 'it is there already',
  EISDIR: 'it is a directory',
  ELOOP: 'its symbolic links lead in a circle',
  EMFILE: 'too many files are open',
  ENAMETOOLONG: 'the name is too long',
  ENOENT: 'it does not exist',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'a part of the path is not a directory',
  EPERM: 'the system does not permit it',
  EROFS: 'the file system is read-only',
}

/**
 * Puts `bytes` at `path`, replacing what is there in one step, and returns when they would survive a power cut.
 * A link at `path` itself is replaced, not followed. On any failure the path is as it was and nothing is left beside it.
 */
export async function writeDurably(
  path: string,
  bytes: string | Uint8Array,
  options: DurableOptions,
): Promise<void> {
  await sweepLeftovers(path)
  const temporary = join(dirname(path), `${basename(path)}.${pid}-${randomBytes(12).toString('hex')}.tmp`)
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0)
  const file = await open(temporary, flags, 0o600)
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
  }
  await syncFolder(dirname(path))
}

/** What a killed process left beside the path, with a secret in it perhaps, goes before a new one comes. */
async function sweepLeftovers(path: string): Promise<void> {
  const prefix = `${basename(path)}.`
  const names = await readdir(dirname(path)).catch(() => [])
  for (const name of names) {
    if (!name.startsWith(prefix)) continue
    const writer = /^(\d+)-[0-9a-f]{24}\.tmp$/.exec(name.slice(prefix.length))?.[1]
    if (writer === undefined || isRunning(Number(writer))) continue
    // Where it cannot be removed it is as it was before we came; the write itself says what is wrong here.
    await unlink(join(dirname(path), name)).catch(() => undefined)
  }
}

function isRunning(writer: number): boolean {
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
  await syncFolder(dirname(path))
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
    await syncFolder(dirname(folder))
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

/** A new name in a folder lasts only once the folder itself is on the disk. */
async function syncFolder(path: string): Promise<void> {
  try {
    const folder = await open(path, constants.O_RDONLY)
    try {
      await folder.sync()
    } finally {
      await folder.close()
    }
  } catch (error) {
    // Windows has no way to do this: it says so by one of these.
    if (platform() !== 'win32' || !['EISDIR', 'EPERM', 'EACCES', 'EINVAL'].includes(systemCode(error) ?? ''))
      throw error
  }
}
