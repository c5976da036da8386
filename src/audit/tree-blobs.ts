// Rules of this file:
// - a content is passed on as it comes, and never held as a whole.

/** What git keeps of a file. */
export interface Blob {
  id: string
  /** Undefined where git does not have it. It may be left before its end. */
  chunks: AsyncIterable<Buffer> | undefined
}

/**
 * The objects in the answer of `git cat-file --batch`: `<id> blob <size>`, a newline, the content, a newline; or `<id> missing`.
 * What is cut off is not given at all, or ends with an error.
 */
export async function* blobsIn(output: AsyncIterable<Buffer>): AsyncGenerator<Blob> {
  const source = output[Symbol.asyncIterator]()
  let held: Buffer = Buffer.alloc(0)
  let left = 0

  async function fill(): Promise<boolean> {
    const next = await source.next()
    if (next.done === true) return false
    held = held.length === 0 ? next.value : Buffer.concat([held, next.value])
    return true
  }

  async function header(): Promise<string | undefined> {
    for (;;) {
      const end = held.indexOf(newline)
      if (end !== -1) {
        const line = held.toString('latin1', 0, end)
        held = held.subarray(end + 1)
        return line
      }
      if (!(await fill())) return undefined
    }
  }

  async function* content(): AsyncGenerator<Buffer> {
    while (left > 0) {
      if (held.length === 0 && !(await fill())) throw new CutOff()
      const part = held.subarray(0, left)
      held = held.subarray(part.length)
      left -= part.length
      yield part
    }
  }

  for (;;) {
    const line = await header()
    if (line === undefined) return
    const [id = '', type, size = ''] = line.split(' ')
    left = type === 'blob' ? Number(size) : 0
    yield { id, chunks: type === 'blob' ? content() : undefined }
    for await (const _ of content());
    if (type === 'blob') await header()
  }
}

/** Git ended before it had given all of a content. */
export class CutOff extends Error {}

const newline = 0x0a
