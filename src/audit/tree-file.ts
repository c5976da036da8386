// Rules of this file:
// - a file of any size is read in the same small memory, be it text, one long line, or a binary;
// - only a regular file is read: no link is followed, no pipe waited for.
import { createHash, type Hash } from 'node:crypto'
import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import path from 'node:path'
import { lineReach, longestSecret, secretsIn as secretsInText, type FoundSecret } from './tree-secret.ts'

export interface LineSecret extends Omit<FoundSecret, 'at' | 'end'> {
  /** From 1. */
  line: number
}

const chunkSize = 64 * 1024
/** Windows has neither. */
const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)

/** What a file has. */
export interface LookedInto {
  secrets: LineSecret[]
  /** Others than its owner may read it; Windows does not tell so. */
  isOpen: boolean
  /** By what git knows a content; undefined where not all of it was read. */
  blobId: string | undefined
}

/**
 * The secrets of a file, up to `most` of them. Undefined for what is no regular file; rejects with the system's error.
 * `idLength`: of what git has it by, in hexadecimal digits.
 */
export async function lookIntoFile(
  file: Buffer | string,
  most: number,
  { idLength = 40, signal }: { idLength?: number | undefined; signal?: AbortSignal | undefined } = {},
): Promise<LookedInto | undefined> {
  const handle = await open(file, flags)
  try {
    const stats = await handle.stat()
    if (!stats.isFile()) return undefined
    const hash = createHash(idLength === 64 ? 'sha256' : 'sha1').update(`blob ${stats.size}\0`)
    const secrets = await secretsIn(chunksOf(handle, hash, signal), most)
    const isOpen = path.sep === '/' && (stats.mode & 0o044) !== 0
    return { secrets, isOpen, blobId: secrets.length < most ? hash.digest('hex') : undefined }
  } finally {
    await handle.close()
  }
}

async function* chunksOf(handle: FileHandle, hash: Hash, signal?: AbortSignal): AsyncGenerator<Buffer> {
  const buffer = Buffer.alloc(chunkSize)
  for (;;) {
    signal?.throwIfAborted()
    const { bytesRead } = await handle.read(buffer, 0, chunkSize)
    if (bytesRead === 0) return
    const chunk = buffer.subarray(0, bytesRead)
    hash.update(chunk)
    yield chunk
  }
}

/** The secrets of a content, up to `most` of them, each once a line. */
export async function secretsIn(chunks: AsyncIterable<Buffer>, most: number): Promise<LineSecret[]> {
  const found: LineSecret[] = []
  for await (const each of read(chunks)) {
    const isKnown = found.some(({ line, secret }) => line === each.line && secret.equals(each.secret))
    if (!isKnown) found.push(each)
    if (found.length >= most) break
  }
  return found
}

/** A window goes over the text: what begins in its last part is looked at when more of it is there. */
async function* read(chunks: AsyncIterable<Buffer>): AsyncGenerator<LineSecret> {
  const decode = createDecoder()
  let text = ''
  // the line that `text` begins in, and from where on nothing was looked at
  let line = 1
  let from = 0
  for await (const chunk of andEnd(chunks)) {
    if (chunk !== undefined) text += decode(chunk)
    const until = chunk === undefined ? text.length : text.length - longestSecret - lineReach
    if (until <= from) continue
    for (const { at, end, ...found } of secretsInText(text, from, until)) {
      yield { ...found, line: line + newlines(text, at) }
      from = end
    }
    from = Math.max(from, until)
    const past = Math.max(0, from - lineReach)
    line += newlines(text, past)
    text = text.slice(past)
    from -= past
  }
}

async function* andEnd(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer | undefined> {
  yield* chunks
  yield undefined
}

/** By the mark at its beginning UTF-16; all else byte by byte, for what is looked for is of ASCII alone. */
function createDecoder(): (bytes: Buffer) => string {
  let encoding: 'latin1' | 'utf16le' | 'utf16be' | undefined
  let rest: Buffer = Buffer.alloc(0)
  return (bytes) => {
    const mark = bytes.length >= 2 ? bytes.readUInt16BE(0) : 0
    encoding ??= mark === 0xfffe ? 'utf16le' : mark === 0xfeff ? 'utf16be' : 'latin1'
    if (encoding === 'latin1') return bytes.toString('latin1')
    const all = Buffer.concat([rest, bytes])
    const even = all.subarray(0, all.length - (all.length % 2))
    rest = Buffer.from(all.subarray(even.length))
    return (encoding === 'utf16be' ? even.swap16() : even).toString('utf16le')
  }
}

function newlines(text: string, until: number): number {
  let count = 0
  for (let at = text.indexOf('\n'); at !== -1 && at < until; at = text.indexOf('\n', at + 1)) count += 1
  return count
}
