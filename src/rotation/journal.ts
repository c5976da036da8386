// Rules of this file:
// - one file a rotation, `rotations/<old key's id>.<rotation id>.json`, 0600, written whole and durably every time;
// - a checksum tells a torn or hand-edited file; an unknown version is refused; nothing is guessed at;
// - a rotation that is over keeps its receipt under the same name, without the sealed secrets.
import { createHash, randomBytes } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import path from 'node:path'
import {
  ensurePrivateDirectory,
  isInPlace,
  moveDurably,
  readRegularFile,
  removeDurably,
  sweepBeside,
  writeDurably,
} from '../durable-file.ts'
import { systemCode, systemReason } from '../system-error.ts'
import { KeysError } from '../errors.ts'
import { findStateFolder, openStateFolder, unusable } from './state-folder.ts'
import { isOver, type Journal } from './state.ts'

const version = 1
/** A journal of a thousand resumes is far smaller. */
const sizeLimit = 4 * 1024 * 1024

/** A journal file: what it says, or why it cannot be read. */
export type JournalEntry = {
  path: string
  /** Whose it is by its name, be it readable or not. */
  oldKeyId: string
  rotationId: string
} & ({ journal: Journal } | { problem: KeysError })

export interface Journals {
  /** Proves that journals of a key can be written here, by the run that has its lock. Throws `state-directory`. */
  prove(oldKeyId: string): Promise<void>
  /** Every journal and receipt, newest first. */
  list(): Promise<JournalEntry[]>
  /**
   * Writes it durably; when this resolves, a crash loses nothing of it. Throws `state-directory`: `maybeDone` where it is
   * there, though not surely on the disk.
   */
  save(journal: Journal): Promise<void>
  /** Puts what is not to be followed any more out of the way, as it is. Throws `state-directory`. */
  setAside(entry: JournalEntry): Promise<string>
}

export function createJournals(stateDir: string): Journals {
  const directory = path.join(stateDir, 'rotations')

  return {
    async prove(oldKeyId) {
      const ofKey = path.join(directory, encodeURIComponent(oldKeyId))
      const file = `${ofKey}.writable`
      await openStateFolder(stateDir, 'rotations')
      try {
        // A run that was killed in its first write left a name that no later one has.
        await sweepBeside(ofKey, /^[0-9a-f]{6}\.json$/)
        // As large as a journal gets: a disk with room for a name and none for the content is found out here.
        await writeDurably(file, Buffer.alloc(16_384), { mode: 0o600 })
        await removeDurably(file)
      } catch (cause) {
        throw unwritable(directory, cause)
      }
    },

    async list() {
      const folder = await findStateFolder(stateDir, 'rotations')
      if (folder === undefined) return []
      const names = await readdir(folder).catch((cause: unknown) => {
        throw unwritable(directory, cause)
      })
      const entries = await Promise.all(names.map((name) => readEntry(path.join(directory, name))))
      return entries.flatMap((entry) => entry ?? []).sort((a, b) => startOf(b).localeCompare(startOf(a)))
    },

    async save(journal) {
      const { escrow, ...open } = journal
      const kept = isOver(journal.state) ? open : { ...open, escrow }
      try {
        // Whose folder it is was looked at when the rotation was begun or read.
        await ensurePrivateDirectory(directory)
        await writeDurably(path.join(directory, nameOf(journal)), Buffer.from(encode(kept)), { mode: 0o600 })
      } catch (cause) {
        throw unwritable(directory, cause)
      }
    },

    async setAside(entry) {
      // A name of its own each time: what was set aside before stays too.
      const aside = `${entry.path}.${randomBytes(4).toString('hex')}.set-aside`
      try {
        await moveDurably(entry.path, aside)
      } catch (cause) {
        throw unwritable(directory, cause)
      }
      return aside
    },
  }
}

const fileForm = /^(.+)\.([0-9a-f]{6})\.json$/

/** The key's id in a file's name; a name that is not ours stands for itself. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function nameOf({ id, oldKey }: Journal): string {
  return `${encodeURIComponent(oldKey.id)}.${id}.json`
}

function encode(journal: Omit<Journal, 'escrow'>): string {
  const rotation = JSON.stringify(journal)
  return `{"version":${version},"checksum":"${checksum(rotation)}","rotation":${rotation}}\n`
}

/** Undefined for what is no journal by its name, and for one that another process removed meanwhile. */
async function readEntry(file: string): Promise<JournalEntry | undefined> {
  const [, oldKeyId, rotationId] = fileForm.exec(path.basename(file)) ?? []
  if (oldKeyId === undefined || rotationId === undefined) return undefined
  const entry = { path: file, oldKeyId: decode(oldKeyId), rotationId }
  try {
    const text = (await readRegularFile(file, { sizeLimit })).toString()
    return { ...entry, ...parse(file, text) }
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return undefined
    return { ...entry, problem: unreadable(file, `cannot be read: ${systemReason(cause)}`, cause) }
  }
}

function parse(file: string, text: string): { journal: Journal } | { problem: KeysError } {
  let document: { version?: unknown; checksum?: unknown; rotation?: unknown }
  try {
    document = JSON.parse(text) as typeof document
  } catch (cause) {
    return { problem: unreadable(file, 'is torn or not a journal', cause) }
  }
  if (typeof document !== 'object' || document === null || typeof document.version !== 'number') {
    return { problem: unreadable(file, 'is not a journal') }
  }
  if (document.version !== version) {
    return {
      problem: new KeysError(
        'journal-unreadable',
        `${file} is of version ${document.version}; this program knows ${version}`,
        {
          hint: 'go on with the version of pictify-keys that wrote it',
        },
      ),
    }
  }
  if (document.checksum !== checksum(JSON.stringify(document.rotation))) {
    return { problem: unreadable(file, 'was changed since it was written') }
  }
  const journal = document.rotation as Partial<Journal> | null
  if (!isPlausible(journal)) return { problem: unreadable(file, 'is not a journal') }
  if (path.basename(file) !== nameOf(journal)) return { problem: unreadable(file, 'is of another rotation') }
  return { journal }
}

/** What has the checksum is as it was written; a hand that made up both is not held against every field. */
function isPlausible(journal: Partial<Journal> | null): journal is Journal {
  return (
    typeof journal?.id === 'string' &&
    typeof journal.oldKey?.id === 'string' &&
    Array.isArray(journal.targets)
  )
}

/** Of the rotation as JSON, which parsing and writing again leaves as it is. */
function checksum(rotation: string | undefined): string {
  return createHash('sha256')
    .update(rotation ?? '')
    .digest('hex')
}

function startOf(entry: JournalEntry): string {
  return 'journal' in entry ? entry.journal.startedAt : ''
}

function unwritable(directory: string, cause: unknown): KeysError {
  return unusable(directory, 'rotations', cause, isInPlace(cause))
}

/** What it was about to do is not known, so that nothing is done. */
function unreadable(file: string, what: string, cause?: unknown): KeysError {
  return new KeysError('journal-unreadable', `${file} ${what}`, {
    hint: 'nothing was changed; mend it, or go on from the API and the targets alone with --take-over, which sets it aside',
    cause,
  })
}
