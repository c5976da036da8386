// Rules of this file:
// - one run at a time for a key on this machine; between machines the marked name does that;
// - a lock appears whole (a hard link to a finished file) or not at all;
// - the lock of a live process is never taken, however long it sleeps; a dead one's is, and a pid that another
//   process has by now is told by that process's start;
// - of a process of another host nothing is known: a rotation's lock stands until a person says otherwise, that of a check until
//   its lease is over, which a live one renews.
import { createHash, randomBytes } from 'node:crypto'
import { link, open, readdir, rename, unlink } from 'node:fs/promises'
import { hostname } from 'node:os'
import path from 'node:path'
import { systemCode } from '../system-error.ts'
import { KeysError } from '../errors.ts'
import { laterBy, leaseEndOf, readHolder, type Holder } from './lock-holder.ts'
import { findStateFolder, openStateFolder, unusable } from './state-folder.ts'

/** The processes of this machine, as far as a lock must know them. */
export interface Processes {
  readonly pid: number
  /** A word that tells this process from a later one of the same pid; undefined when it does not exist. */
  startOf(pid: number): Promise<string | undefined>
}

export interface Lock {
  release(): Promise<void>
}

export interface LeasedLock extends Lock {
  /** Puts the lease off. Throws the refusal where another has the lock by now. */
  renew(): Promise<void>
}

/** On what terms a lock is taken. */
interface Terms {
  refusal: (holder: Holder) => KeysError
  processes: Processes
  /** A lock of another host is taken. */
  takeOver: boolean
  /** How long the lock stands once its host says no more of it; one of another host is taken when that is over. */
  leaseMs?: number
}

/** How long a check that is not heard of any more holds up those on other hosts. */
export const alertsLeaseMs = 10 * 60_000
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
  return acquireIn(stateDir, 'locks', name, {
    refusal: (holder) => locked(keyId, holder),
    processes,
    takeOver,
  })
}

/** Takes the lock of a file of alerts; a check that is under way has it. Throws `alerts-locked`. */
export async function acquireAlertsLock(
  stateDir: string,
  name: string,
  processes: Processes,
): Promise<LeasedLock> {
  const terms = { refusal: checking, processes, takeOver: false, leaseMs: alertsLeaseMs }
  return acquireIn(stateDir, 'alerts', name, terms)
}

async function acquireIn(
  stateDir: string,
  folder: 'locks' | 'alerts',
  name: string,
  terms: Terms,
): Promise<LeasedLock> {
  const directory = await openStateFolder(stateDir, folder)
  try {
    const file = path.join(directory, `${name}.lock`)
    const lock = await acquire(file, terms)
    await sweep(file, lock.nonce, terms.processes).catch(async (error: unknown) => {
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
  const state = !isHere ? 'elsewhere' : (await isRunning(holder, processes)) ? 'held' : 'stale'
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

async function acquire(file: string, terms: Terms): Promise<LeasedLock & { nonce: string }> {
  const { processes, leaseMs } = terms
  const nonce = newNonce()
  const own: Holder = {
    pid: processes.pid,
    start: await processes.startOf(processes.pid),
    host: hostname(),
    nonce,
    since: new Date().toISOString(),
  }
  const lease = () => (leaseMs === undefined ? {} : { until: laterBy(leaseMs, new Date()) })
  await withReady(file, nonce, { ...own, ...lease() }, async (ready) => {
    for (;;) {
      if (await linked(ready, file)) return
      const holder = await readHolder(file)
      if (holder === undefined) continue
      if (await stands(holder, terms)) throw terms.refusal(holder)
      if (await replaceDead(file, holder, ready, terms)) return
    }
  })
  return {
    nonce,
    async release() {
      if ((await readHolder(file))?.nonce === nonce) await unlink(file).catch(ignoreMissing)
    },
    async renew() {
      await withReady(file, newNonce(), { ...own, ...lease() }, async (ready) => {
        const holder = await readHolder(file)
        if (holder?.nonce !== nonce) throw terms.refusal(holder ?? own)
        await rename(ready, file)
      })
    },
  }
}

function newNonce(): string {
  return randomBytes(8).toString('hex')
}

/** With the lock as it will be, under a name that says who made it. */
async function withReady(
  file: string,
  mark: string,
  holder: Holder,
  use: (ready: string) => Promise<void>,
): Promise<void> {
  const ready = `${file}.${hostMark()}-${holder.pid}-${mark}.new`
  try {
    await writeReady(ready, JSON.stringify(holder))
    await use(ready)
  } finally {
    await unlink(ready).catch(ignoreMissing)
  }
}

/**
 * Replaces a dead process's lock. Of several that try, the one with the lock *on this very lock* (named by its nonce)
 * may; it looks once more under it, for another may have come and gone meanwhile.
 */
async function replaceDead(file: string, dead: Holder, ready: string, terms: Terms): Promise<boolean> {
  const guard = await acquire(`${file}.${dead.nonce}`, { ...terms, takeOver: false })
  try {
    const holder = await readHolder(file)
    // a lease that was put off meanwhile is that of a live one
    if (holder?.nonce !== dead.nonce || holder.until !== dead.until) return false
    await rename(ready, file)
    return true
  } finally {
    await guard.release()
  }
}

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

/** Whether a lock may not be taken. */
async function stands(holder: Holder, { processes, takeOver, leaseMs }: Terms): Promise<boolean> {
  if (holder.host === hostname()) return isRunning(holder, processes)
  return leaseMs === undefined ? !takeOver : new Date().toISOString() < leaseEndOf(holder)
}

/** Of a process of this host. */
async function isRunning(holder: Holder, processes: Processes): Promise<boolean> {
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
      : `that check tells what there is to tell; where it was killed, the next one after ${leaseEndOf(holder)} takes over`,
  })
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error
}
