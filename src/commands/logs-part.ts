// Rules of this file:
// - `FILE` is there when it is whole, and not before; until then there are `FILE.part`, and `FILE.part.json`, which says how
//   much of that counts and where reading goes on;
// - what is in the record is on the disk before the record is: what lies behind it is cut off, and read again;
// - one run at a time has them, as long as its process lives, and only for the line that began them.
import { constants } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import path from 'node:path'
import type { Context } from '../context.ts'
import { claimDurably, readRegularFile, removeDurably, writeDurably } from '../durable-file.ts'
import { KeysError } from '../errors.ts'
import type { Processes } from '../rotation/lock.ts'
import { systemCode } from '../system-error.ts'
import type { LogPosition } from './logs-position.ts'
import { exportMode, refuseExisting, unwritable } from './new-output.ts'

/** What a run was asked for, as it was typed: another line goes on with nothing of it. */
export type Asked = Readonly<Record<string, string | number | null | readonly string[]>>

/** What the first run settled. Instants are Unix ms. */
interface Settled {
  since: number | null
  until: number
}

interface PartRecord extends Settled {
  version: 1
  asked: Asked
  /** How much of the part counts, and how many events are in it. */
  bytes: number
  written: number
  position: LogPosition | null
  /** The part is whole, and only lacks its name. */
  isWhole: boolean
  /** The process that has it. */
  holder: Holder
}

interface Holder {
  pid: number
  start: string | null
  host: string
}

export interface Part extends Settled {
  /** Where an earlier run stopped. */
  readonly position: LogPosition | undefined
  /** How many events are in it. */
  readonly written: number
  readonly isWhole: boolean
  /** Whether an earlier run began it. */
  readonly isResumed: boolean
  append(text: string, events: number): Promise<void>
  /** Brings to the disk what is there, and that reading goes on from `position`. */
  keep(position: LogPosition | undefined): Promise<void>
  /** It is whole: takes its name. */
  finish(): Promise<void>
  close(): Promise<void>
}

const version = 1
/** Ten thousand events of one millisecond are far less. */
const sizeLimit = 4 * 1024 * 1024

/** Opens the part of a file; `settle` is asked where there is none yet. Throws `output-file`. */
export async function openPart(
  { cwd, processes }: Pick<Context, 'cwd' | 'processes'>,
  name: string,
  asked: Asked,
  settle: () => Promise<Settled>,
): Promise<Part> {
  const file = path.resolve(cwd, name)
  const names = { file, part: `${file}.part`, record: `${file}.part.json` }
  const found = await readRecord(name, names.record, asked)
  if (found?.isWhole && (await hasItsName(names))) {
    // killed right before its end: all is done but for this
    await removeDurably(names.part)
    await removeDurably(names.record)
    return wholePart(found)
  }
  await refuseExisting(cwd, name)
  try {
    const holder = await holderOf(processes)
    if (found) await refuseHeld(name, found.holder, holder, processes)
    const record = found ? { ...found, holder } : await begin(name, names, { asked, holder, settle })
    // first, so that a part without it is not ours
    await save(names.record, record)
    const handle = await openHandle(name, names.part, record)
    return createPart(names, record, handle, found !== undefined)
  } catch (cause) {
    throw cause instanceof KeysError || systemCode(cause) === undefined ? cause : unwritable(name, cause)
  }
}

interface Names {
  file: string
  part: string
  record: string
}

interface Beginning {
  asked: Asked
  holder: Holder
  settle: () => Promise<Settled>
}

async function begin(
  name: string,
  { part }: Names,
  { asked, holder, settle }: Beginning,
): Promise<PartRecord> {
  if (await isThere(part)) throw foreign(`${name}.part`, 'is there, and no export of ours')
  const settled = await settle()
  return { version, asked, ...settled, bytes: 0, written: 0, position: null, isWhole: false, holder }
}

async function holderOf(processes: Processes): Promise<Holder> {
  const { pid } = processes
  return { pid, start: (await processes.startOf(pid)) ?? null, host: hostname() }
}

/** Another run of the same line, which writes there now. */
async function refuseHeld(name: string, { pid, start, host }: Holder, own: Holder, processes: Processes) {
  if (host !== own.host || (pid === own.pid && start === own.start)) return
  const now = await processes.startOf(pid)
  if (now === undefined || now !== start) return
  throw new KeysError('output-file', `${name}.part is being written by process ${pid}`, {
    hint: 'wait for it to end, or stop it: the same line then goes on from there',
  })
}

async function openHandle(name: string, part: string, { bytes }: PartRecord): Promise<FileHandle> {
  const create = bytes === 0 ? constants.O_CREAT : 0
  const handle = await open(part, constants.O_RDWR | create | (constants.O_NOFOLLOW ?? 0), exportMode).catch(
    (cause: unknown) => {
      throw systemCode(cause) === 'ENOENT' ? foreign(`${name}.part`, 'is gone') : cause
    },
  )
  try {
    const stats = await handle.stat()
    if (!stats.isFile() || stats.size < bytes) throw foreign(`${name}.part`, 'is not as it was left')
    await handle.truncate(bytes)
    return handle
  } catch (error) {
    await handle.close()
    throw error
  }
}

function createPart(names: Names, found: PartRecord, handle: FileHandle, isResumed: boolean): Part {
  let record = found
  let { bytes, written } = found
  const failing = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (cause) {
      throw unwritable(names.part, cause)
    }
  }
  const settle = async (change: Partial<PartRecord>) => {
    await handle.datasync()
    record = { ...record, ...change, bytes, written }
    await save(names.record, record)
  }
  return {
    since: found.since,
    until: found.until,
    position: found.position ?? undefined,
    isWhole: found.isWhole,
    isResumed,
    get written() {
      return written
    },
    append: (text, events) =>
      failing(async () => {
        const data = Buffer.from(text)
        for (let at = 0; at < data.length;) {
          at += (await handle.write(data, at, data.length - at, bytes + at)).bytesWritten
        }
        bytes += data.length
        written += events
      }),
    keep: (position) =>
      failing(async () => {
        // too much at one instant: what was kept last still holds
        if (position !== undefined) await settle({ position })
      }),
    finish: async () => {
      await failing(async () => {
        if (!record.isWhole) await settle({ isWhole: true })
      })
      try {
        await claimDurably(names.part, names.file)
        await removeDurably(names.record)
      } catch (cause) {
        throw unwritable(names.file, cause)
      }
    },
    close: () => handle.close(),
  }
}

function wholePart({ since, until, written }: PartRecord): Part {
  const nothing = async () => {}
  return {
    since,
    until,
    written,
    position: undefined,
    isWhole: true,
    isResumed: true,
    append: nothing,
    keep: nothing,
    finish: nothing,
    close: nothing,
  }
}

async function save(file: string, record: PartRecord): Promise<void> {
  await writeDurably(file, `${JSON.stringify(record)}\n`, { mode: exportMode })
}

/** Undefined where there is none. Throws `output-file` for that of another line. */
async function readRecord(name: string, file: string, asked: Asked): Promise<PartRecord | undefined> {
  const shown = `${name}.part.json`
  let record: Partial<PartRecord>
  try {
    record = JSON.parse((await readRegularFile(file, { sizeLimit })).toString()) as Partial<PartRecord>
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return undefined
    if (cause instanceof SyntaxError) throw foreign(shown, 'is not ours')
    throw unwritable(shown, cause)
  }
  if (
    record.version !== version ||
    typeof record.bytes !== 'number' ||
    record.asked === undefined ||
    !record.holder
  ) {
    throw foreign(shown, 'is not ours, or of another version')
  }
  const before = record.asked
  const other = Object.keys({ ...before, ...asked }).filter(
    (key) => JSON.stringify(before[key] ?? null) !== JSON.stringify(asked[key] ?? null),
  )
  if (other.length === 0) return record as PartRecord
  throw foreign(
    `${name}.part`,
    `was begun by another line: ${other.map((key) => differing(key, before)).join(', ')}`,
  )
}

function differing(key: string, before: Asked): string {
  const value = before[key]
  return value === null || value === undefined ? `without ${key}` : `${key} ${String(value)}`
}

/** Whether all that was left to do is done: the part has the file's name, alone or beside its own. */
async function hasItsName({ file, part }: Names): Promise<boolean> {
  if (!(await isThere(part))) return true
  if (!(await isThere(file))) return false
  const [named, own] = await Promise.all([stat(file), stat(part)])
  return named.ino === own.ino && named.dev === own.dev
}

async function isThere(file: string): Promise<boolean> {
  try {
    await (await open(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))).close()
    return true
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return false
    throw cause
  }
}

function foreign(file: string, what: string): KeysError {
  return new KeysError('output-file', `${file} ${what}`, {
    hint: 'run the line that began it, or remove the .part files to begin anew',
  })
}
