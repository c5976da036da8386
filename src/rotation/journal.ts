// Rules of this file:
// - one file a rotation, `rotations/<old key's id>.<rotation id>.json`, 0600, written whole and durably every time;
// - a checksum tells a torn or hand-edited file; an unknown version is refused; nothing is guessed at;
// - a rotation that is over keeps its receipt under the same name, without the sealed secrets.
import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { open, readdir } from 'node:fs/promises'
import path from 'node:path'
import { ensurePrivateDirectory, removeDurably, writeDurably } from '../durable-file.ts'
import { KeysError } from '../errors.ts'
import { isOver, type Journal } from './state.ts'

const version = 1

/** A journal file: what it says, or why it cannot be read. */
export type JournalEntry =
  | { path: string; oldKeyId: string; journal: Journal }
  | { path: string; oldKeyId: string; problem: KeysError }

export interface Journals {
  /** Proves that journals can be written here. Throws `state-directory`. */
  prove(): Promise<void>
  /** Every journal and receipt, newest first. */
  list(): Promise<JournalEntry[]>
  /** Writes it durably; when this resolves, a crash loses nothing of it. Throws `state-directory`. */
  save(journal: Journal): Promise<void>
  /** Puts a journal that is not to be followed any more out of the way, keeping its bytes. */
  setAside(entry: JournalEntry): Promise<string>
}

export function createJournals(stateDir: string): Journals {
  const directory = path.join(stateDir, 'rotations')

  return {
    async prove() {
      const file = path.join(directory, '.writable')
      try {
        await ensurePrivateDirectory(directory)
        // As large as a journal gets: a disk with room for a name and none for the content is found out here.
        await writeDurably(file, Buffer.alloc(16_384), { mode: 0o600 })
        await removeDurably(file)
      } catch (cause) {
        throw unwritable(directory, cause)
      }
    },

    async list() {
      const names = await readdir(directory).catch((cause: NodeJS.ErrnoException) => {
        if (cause.code === 'ENOENT') return []
        throw unwritable(directory, cause)
      })
      const files = names.flatMap((name) => {
        const oldKeyId = fileForm.exec(name)?.[1]
        return oldKeyId === undefined
          ? []
          : [{ file: path.join(directory, name), oldKeyId: decode(oldKeyId) }]
      })
      const entries = await Promise.all(files.map(({ file, oldKeyId }) => readEntry(file, oldKeyId)))
      return entries.sort((a, b) => startOf(b).localeCompare(startOf(a)))
    },

    async save(journal) {
      const { escrow, ...open } = journal
      const kept = isOver(journal.state) ? open : { ...open, escrow }
      try {
        await ensurePrivateDirectory(directory)
        await writeDurably(fileOf(directory, journal), Buffer.from(encode(kept)), { mode: 0o600 })
      } catch (cause) {
        throw unwritable(directory, cause)
      }
    },

    async setAside(entry) {
      const aside = `${entry.path}.set-aside`
      try {
        const file = await open(entry.path, constants.O_RDONLY | constants.O_NOFOLLOW)
        const bytes = await file.readFile().finally(() => file.close())
        await writeDurably(aside, bytes, { mode: 0o600 })
        await removeDurably(entry.path)
      } catch (cause) {
        throw unwritable(directory, cause)
      }
      return aside
    },
  }
}

const fileForm = /^(.+)\.[0-9a-f]{6}\.json$/

/** The key's id in a file's name; a name that is not ours stands for itself. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function fileOf(directory: string, journal: Journal): string {
  return path.join(directory, `${encodeURIComponent(journal.oldKey.id)}.${journal.id}.json`)
}

function encode(journal: Omit<Journal, 'escrow'>): string {
  const rotation = JSON.stringify(journal)
  return `{"version":${version},"checksum":"${checksum(rotation)}","rotation":${rotation}}\n`
}

async function readEntry(file: string, oldKeyId: string): Promise<JournalEntry> {
  const entry = { path: file, oldKeyId }
  let text: string
  try {
    const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW)
    text = await handle.readFile('utf8').finally(() => handle.close())
  } catch (cause) {
    return { ...entry, problem: unreadable(file, 'cannot be read', cause) }
  }
  return { ...entry, ...parse(file, text) }
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
  return { journal: document.rotation as Journal }
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
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new KeysError('state-directory', `cannot keep rotation journals in ${directory}: ${reason}`, {
    hint: 'free or unlock that folder, or name another one with --state-dir or PICTIFY_KEYS_STATE_DIR',
    cause,
  })
}

function unreadable(file: string, what: string, cause?: unknown): KeysError {
  return new KeysError('journal-unreadable', `${file} ${what}`, {
    hint: 'the old key still works; go on from the API and the targets alone with --take-over, which sets the file aside',
    cause,
  })
}
