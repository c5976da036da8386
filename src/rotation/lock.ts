// Rules of this file:
// - one run at a time for a key on this machine; between machines the marked name does that;
// - a lock appears whole (a hard link to a finished file) or not at all;
// - the lock of a live process is never taken, however long it sleeps; a dead one's is, and a pid that another
//   process has by now is told by that process's start.
import { createHash, randomBytes } from 'node:crypto'
import { link, open, readdir, rename, unlink } from 'node:fs/promises'
import { hostname } from 'node:os'
import path from 'node:path'
import { readRegularFile } from '../durable-file.ts'
import { systemCode } from '../system-error.ts'
import { KeysError } from '../errors.ts'
import { findStateFolder, openStateFolder, unusable } from './state-folder.ts'

/** The processes of this machine, as far as a lock must know them. */
export interface Processes {
  readonly pid: number
  /** A word that tells this process from a later one of the same pid; undefined when it does not exist. */
  startOf(pid: number): Promise<string | undefined>
}

interface Holder {
  pid: number
  start: string | undefined
  host: string
  nonce: string
  since: string
}

export interface Lock {
  release(): Promise<void>
}

/**
 * Takes the lock of a key. Throws `rotation-locked` while a live process has it. Where a state directory is shared
 * by hosts, a process of another host cannot be looked at: its lock stands until `takeOver` says otherwise.
 */
export async function acquireLock(
  stateDir: string,
  keyId: string,
  processes: Processes,
  takeOver: boolean,
): Promise<Lock> {
  const name = encodeURIComponent(keyId)
  return acquireIn(stateDir, 'locks', name, (holder) => locked(keyId, holder), processes, takeOver)
}

/** Takes the lock of a file of alerts; a check that is under way has it. Throws `alerts-locked`. */
export async function acquireAlertsLock(stateDir: string, name: string, processes: Processes): Promise<Lock> {
  return acquireIn(stateDir, 'alerts', name, checking, processes, false)
}

type Refusal = (holder: Holder) => KeysError

async function acquireIn(
  stateDir: string,
  folder: 'locks' | 'alerts',
  name: string,
  refusal: Refusal,
  processes: Processes,
  takeOver: boolean,
): Promise<Lock> {
  const directory = await openStateFolder(stateDir, folder)
  try {
    const file = path.join(directory, `${name}.lock`)
    const lock = await acquire(file, refusal, processes, takeOver)
    await sweep(file, lock.nonce, processes).catch(async (error: unknown) => {
      await lock.release()
      throw error
    })
    return lock
  } catch (cause) {
    if (cause instanceof KeysError || systemCode(cause) === undefined) throw cause
    throw unusable(directory, folder, cause)
  }
}

/** A lock as it lies there. `stale`: the process that had it is gone, and the next run takes it over. */
export interface FoundLock {
  path: string
  keyId: string
  state: 'held' | 'stale' | 'elsewhere'
  pid: number
  host: string
  since: string
}

/** Every lock of a state directory, taken by nobody. Throws `state-directory`. */
export async function listLocks(stateDir: string, processes: Processes): Promise<FoundLock[]> {
  const folder = await findStateFolder(stateDir, 'locks')
  if (folder === undefined) return []
  try {
    const names = (await readdir(folder)).filter((name) => name.endsWith('.lock')).sort()
    const found = await Promise.all(
      names.map((name) => foundLock(path.join(folder, name), keyOf(name), processes)),
    )
    return found.flatMap((lock) => lock ?? [])
  } catch (cause) {
    if (cause instanceof KeysError || systemCode(cause) === undefined) throw cause
    throw unusable(folder, 'locks', cause)
  }
}

/** Undefined where it was released meanwhile. */
async function foundLock(file: string, keyId: string, processes: Processes): Promise<FoundLock | undefined> {
  const holder = await readHolder(file)
  if (holder === undefined) return undefined
  const { pid, host, since } = holder
  const isHere = host === hostname()
  const state = !isHere ? 'elsewhere' : (await isAlive(holder, processes, false)) ? 'held' : 'stale'
  return { path: file, keyId, state, pid, host, since }
}

/** A name that is not ours stands for itself. */
function keyOf(name: string): string {
  const encoded = name.slice(0, -'.lock'.length)
  try {
    return decodeURIComponent(encoded)
  } catch {
    return encoded
  }
}

async function acquire(
  file: string,
  refusal: Refusal,
  processes: Processes,
  force: boolean,
): Promise<Lock & { nonce: string }> {
  const own: Holder = {
    pid: processes.pid,
    start: await processes.startOf(processes.pid),
    host: hostname(),
    nonce: randomBytes(8).toString('hex'),
    since: new Date().toISOString(),
  }
  const ready = `${file}.${hostMark()}-${own.pid}-${own.nonce}.new`
  try {
    await writeReady(ready, JSON.stringify(own))
    for (;;) {
      if (await linked(ready, file)) break
      const holder = await readHolder(file)
      if (holder === undefined) continue
      if (await isAlive(holder, processes, force)) throw refusal(holder)
      if (await replaceDead(file, holder, ready, refusal, processes)) break
    }
  } finally {
    await unlink(ready).catch(ignoreMissing)
  }
  return {
    nonce: own.nonce,
    async release() {
      if ((await readHolder(file))?.nonce === own.nonce) await unlink(file).catch(ignoreMissing)
    },
  }
}

/**
 * Replaces a dead process's lock. Of several that try, the one with the lock *on this very lock* (named by its nonce)
 * may; it looks once more under it, for another may have come and gone meanwhile.
 */
async function replaceDead(
  file: string,
  dead: Holder,
  ready: string,
  refusal: Refusal,
  processes: Processes,
): Promise<boolean> {
  const guard = await acquire(`${file}.${dead.nonce}`, refusal, processes, false)
  try {
    if ((await readHolder(file))?.nonce !== dead.nonce) return false
    await rename(ready, file)
    return true
  } finally {
    await guard.release()
  }
}

/** The lock as it will be, under a name that says who made it. */
async function writeReady(ready: string, text: string): Promise<void> {
  const file = await open(ready, 'wx', 0o600)
  try {
    // By the handle, which no umask touches.
    await file.chmod(0o600)
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}

function hostMark(): string {
  return createHash('sha256').update(hostname()).digest('hex').slice(0, 8)
}

/**
 * Removes what killed runs left beside a lock that is ours: locks that were never linked, and locks on earlier locks,
 * which nobody can need any more, for they are gone for good.
 */
async function sweep(file: string, nonce: string, processes: Processes): Promise<void> {
  const prefix = `${path.basename(file)}.`
  for (const name of await readdir(path.dirname(file))) {
    if (!name.startsWith(prefix)) continue
    const [, host, pid] = /(?:^|\.)([0-9a-f]{8})-(\d+)-[0-9a-f]{16}\.new$/.exec(name) ?? []
    const isReady = host !== undefined
    if (isReady && (host !== hostMark() || (await processes.startOf(Number(pid))) !== undefined)) continue
    if (!isReady && !guardForm.test(name.slice(prefix.length))) continue
    if (name.startsWith(`${prefix}${nonce}`)) continue
    await unlink(path.join(path.dirname(file), name)).catch(ignoreMissing)
  }
}

/** A lock on a lock, by that one's nonce; or one on such a one. */
const guardForm = /^[0-9a-f]{16}(?:\.[0-9a-f]{16})*$/

async function linked(ready: string, file: string): Promise<boolean> {
  try {
    await link(ready, file)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

async function readHolder(file: string): Promise<Holder | undefined> {
  try {
    const holder = JSON.parse((await readRegularFile(file, { sizeLimit })).toString()) as unknown
    if (!isHolder(holder)) throw new Error('it names no process')
    return holder
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return undefined
    if (systemCode(cause) !== undefined && !notOurs.has(systemCode(cause) ?? '')) throw cause
    throw new KeysError('state-directory', `${file} is not a lock of ours`, {
      hint: 'when no other run is under way, remove that file',
      cause,
    })
  }
}

function isHolder(lock: unknown): lock is Holder {
  const { pid, host, nonce } = (lock ?? {}) as Partial<Holder>
  return Number.isInteger(pid) && typeof host === 'string' && /^[0-9a-f]{16}$/.test(nonce ?? '')
}

/** A lock holds a few words. */
const sizeLimit = 16 * 1024
const notOurs = new Set(['EFTYPE', 'EFBIG'])

async function isAlive(holder: Holder, processes: Processes, force: boolean): Promise<boolean> {
  if (holder.host !== hostname()) return !force
  const start = await processes.startOf(holder.pid)
  return start !== undefined && start === holder.start
}

function locked(keyId: string, holder: Holder): KeysError {
  const where =
    holder.host === hostname() ? `process ${holder.pid}` : `process ${holder.pid} on ${holder.host}`
  return new KeysError('rotation-locked', `${keyId} is being rotated by ${where}, since ${holder.since}`, {
    hint:
      holder.host === hostname()
        ? 'wait for it to end, or stop it, then run the same command again'
        : 'when that host is gone for good, run the same command again with --take-over',
  })
}

function checking(holder: Holder): KeysError {
  const isHere = holder.host === hostname()
  const where = isHere ? `process ${holder.pid}` : `process ${holder.pid} on ${holder.host}`
  return new KeysError('alerts-locked', `alerts are being checked by ${where}, since ${holder.since}`, {
    hint: isHere
      ? 'that check tells what there is to tell; wait for it to end, or stop it'
      : 'give each host a state directory of its own: --state-dir or PICTIFY_KEYS_STATE_DIR',
  })
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error
}
