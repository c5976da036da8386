import { constants } from 'node:fs'
import { access, readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import type { Context } from '../context.ts'
import { strangersOf } from '../durable-file.ts'
import { systemCode, systemReason } from '../system-error.ts'
import { KeysError } from '../errors.ts'
import { createJournals } from '../rotation/journal.ts'
import { listLocks, type FoundLock } from '../rotation/lock.ts'
import { findStateFolder } from '../rotation/state-folder.ts'
import { isOver } from '../rotation/state.ts'
import { formatAge } from '../ages.ts'
import type { OpenRotation } from '../ui/status.ts'
import { quoted } from '../command-line.ts'
import type { Findings } from './status-report.ts'

interface Local {
  open: OpenRotation[]
  locks: FoundLock[]
  setAside: string[]
}

/** What lies in the state directory: open rotations, what cannot be read, what was set aside, locks. */
export async function lookAtStateDirectory(context: Context, findings: Findings): Promise<Local> {
  const { stateDir } = context
  const isThere = await findings.attempt('state', () => lookAtFolder(stateDir))
  if (isThere !== undefined) findings.ok('state', isThere)
  const open = (await findings.attempt('rotations', () => lookAtJournals(context, findings))) ?? []
  const setAside = (await findings.attempt('journals', () => lookAtSetAside(stateDir, findings))) ?? []
  const locks = (await findings.attempt('locks', () => lookAtLocks(context, findings))) ?? []
  return { open, locks, setAside }
}

/** Throws `state-directory` where journals cannot be written, or others could. */
async function lookAtFolder(stateDir: string): Promise<string> {
  const there = await nearest(stateDir)
  const own = [await findStateFolder(stateDir, 'rotations'), await findStateFolder(stateDir, 'locks')]
  for (const folder of [there, ...own]) {
    if (folder === undefined) continue
    try {
      await access(folder, constants.W_OK | constants.X_OK)
      if (!(await stat(folder)).isDirectory()) throw Object.assign(new Error(folder), { code: 'ENOTDIR' })
    } catch (cause) {
      throw new KeysError('state-directory', `${folder} cannot be written to: ${systemReason(cause)}`, {
        hint: 'free that place, or name another folder with --state-dir or PICTIFY_KEYS_STATE_DIR',
        cause,
      })
    }
  }
  if (there !== stateDir) return `${stateDir}, which the first rotation makes`
  const isOwn = strangersOf(await stat(stateDir)) === undefined
  return isOwn ? `${stateDir}, writable, yours alone` : `${stateDir}, writable; its folders are yours alone`
}

/** The folder, or the one above it that is there. */
async function nearest(folder: string): Promise<string> {
  try {
    await stat(folder)
    return folder
  } catch (error) {
    const above = path.dirname(folder)
    if (systemCode(error) !== 'ENOENT' || above === folder) return folder
    return nearest(above)
  }
}

async function lookAtJournals({ stateDir, clock }: Context, findings: Findings): Promise<OpenRotation[]> {
  const open: OpenRotation[] = []
  let spoilt = 0
  for (const entry of await createJournals(stateDir).list()) {
    if ('problem' in entry) {
      spoilt += 1
      const { code, message, hint } = entry.problem
      findings.warn('journals', { code, message, hint })
    } else if (!isOver(entry.journal.state)) {
      const { id, state, oldKey, startedAt } = entry.journal
      open.push({ id, state, oldKey: { id: oldKey.id, name: oldKey.name }, startedAt })
      findings.warn('rotations', {
        code: 'rotation-open',
        message: `${oldKey.name} (${oldKey.id}) is not over: ${state}, begun ${formatAge(startedAt, clock.now())}`,
        hint: `go on: pictify-keys rotate ${id} --resume; or undo it: pictify-keys rotate ${id} --abort`,
      })
    }
  }
  if (open.length === 0) findings.ok('rotations', 'none open on this machine')
  if (spoilt === 0) findings.ok('journals', 'all can be read')
  return open
}

async function lookAtSetAside(stateDir: string, findings: Findings): Promise<string[]> {
  const folder = await findStateFolder(stateDir, 'rotations')
  // what keeps us from reading it was told of its journals
  const names = folder === undefined ? [] : await readdir(folder).catch(() => [])
  const files = names
    .filter((name) => name.endsWith('.set-aside'))
    .map((name) => path.join(folder ?? '', name))
  if (files.length > 0) {
    findings.warn('journals', {
      code: 'set-aside',
      message: `${files.length} set aside, which --take-over did not follow: ${files.join(', ')}`,
      hint: `when the rotations they are about are over: rm ${files.map(quoted).join(' ')}`,
    })
  }
  return files
}

async function lookAtLocks({ stateDir, processes }: Context, findings: Findings): Promise<FoundLock[]> {
  const locks = await listLocks(stateDir, processes)
  for (const { state, keyId, pid, host, since, path: file } of locks) {
    if (state === 'held') findings.ok('locks', `${keyId} is being rotated by process ${pid}, since ${since}`)
    else if (state === 'stale') {
      findings.warn('locks', {
        code: 'stale-lock',
        message: `that of ${keyId} was left by process ${pid}, which is gone, since ${since}`,
        hint: `the next rotation of that key takes it over; or: rm ${quoted(file)}`,
      })
    } else {
      findings.warn('locks', {
        code: 'rotation-locked',
        message: `${keyId} is being rotated by process ${pid} on ${host}, since ${since}`,
        hint: 'when that host is gone for good, rotate it with --take-over',
      })
    }
  }
  if (locks.length === 0) findings.ok('locks', 'none')
  return locks
}
