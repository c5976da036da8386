// Rules of this file:
// - what is pasted never answers a question: only a key that is pressed does;
// - keys that were pressed before a question stood answer nothing.
import { PassThrough } from 'node:stream'
import { setImmediate as turn, setTimeout as delay } from 'node:timers/promises'

/** The input of one question. */
export interface QuestionInput {
  stream: NodeJS.ReadableStream
  /** Whether the terminal is to be told to mark what is pasted. */
  isTerminal: boolean
  /** Throws away what came before the question; resolves when nothing more comes. True: Ctrl-C was in it. */
  settle(): Promise<boolean>
  /** Whether keys come as they are pressed, or as lines that the terminal edits. */
  setRaw(isRaw: boolean): void
  /** How often Ctrl-C came: in one burst it may be several times. */
  interruptions(): number
  close(): void
}

/** What a question does with pasted text: takes it in, on one line, or leaves it, where each key means something. */
export type Pasting = 'taken' | 'left'

const pasteStart = '\x1b[200~'
const pasteEnd = '\x1b[201~'
const interrupt = '\x03'

/** So long nothing must come before a question is put, so that the rest of a paste answers none. Milliseconds. */
const quietMs = 40
/** As `quietMs`, once something came: a paste is under way, and on a busy machine its pieces come with gaps. */
const quietAfterPasteMs = 250
/** No longer than this, whoever leans on a key. */
const longestSettleMs = 2_000

interface Terminal {
  isTTY?: boolean
  isRaw?: boolean
  setRawMode?: (mode: boolean) => unknown
}

/** Stands between the terminal and the library that reads keys. */
export function openInput(
  stdin: NodeJS.ReadableStream,
  { pasting, raw }: { pasting: Pasting; raw: boolean },
): QuestionInput {
  const terminal = stdin as Terminal
  const isTerminal = terminal.isTTY === true
  const stream = new PassThrough({ encoding: 'utf8' })
  const clean = createPasteFilter(pasting)
  let interruptions = 0
  const onData = (chunk: Buffer | string) => {
    const text = clean(String(chunk))
    interruptions += timesIn(text)
    if (text !== '') stream.write(text)
  }
  const onEnd = () => stream.end()
  Object.assign(stream, {
    setRawMode: (mode: boolean) => terminal.setRawMode?.(mode),
  })
  // whoever waits for keys keeps the process alive, and whoever has stopped must not
  stream.on('pause', () => stdin.pause()).on('resume', () => stdin.resume())

  return {
    stream,
    isTerminal,
    async settle() {
      if (isTerminal) interruptions += (await drain(stdin)).interruptions
      if (interruptions > 0) return true
      // else the terminal itself edits the line, and Ctrl-C is its signal
      if (!raw) terminal.setRawMode?.(false)
      stdin.setEncoding('utf8').on('data', onData).on('end', onEnd)
      return false
    },
    setRaw: (isRaw) => void terminal.setRawMode?.(isRaw),
    interruptions: () => interruptions,
    close() {
      stdin.off('data', onData).off('end', onEnd)
      terminal.setRawMode?.(false)
      stdin.pause()
    },
  }
}

/** Reads and forgets until nothing has come for a moment: no line either that nobody has ended. */
export async function drain(
  stdin: NodeJS.ReadableStream,
): Promise<{ hasCome: boolean; interruptions: number }> {
  let hasCome = false
  let interruptions = 0
  let isQuiet = false
  let hasEnded = false
  const onData = (chunk: Buffer | string) => {
    hasCome = true
    isQuiet = false
    interruptions += timesIn(String(chunk))
  }
  const onEnd = () => (hasEnded = true)
  ;(stdin as Terminal).setRawMode?.(true)
  // after an earlier question it is paused, and a listener alone would hear nothing
  const wasPaused = stdin.isPaused()
  stdin.on('data', onData).on('end', onEnd).resume()
  for (let waited = 0; !isQuiet && !hasEnded && interruptions === 0 && waited < longestSettleMs;) {
    isQuiet = true
    const wait = hasCome ? quietAfterPasteMs : quietMs
    await delay(wait)
    // where something else held the process meanwhile, what has come is read only now
    await turn()
    waited += wait
  }
  stdin.off('data', onData).off('end', onEnd)
  if (wasPaused) stdin.pause()
  return { hasCome, interruptions }
}

function timesIn(text: string): number {
  return text.split(interrupt).length - 1
}

/**
 * What is to be read as keys. A paste becomes one line without a newline at its end, or nothing; pieces of it, and of the
 * marks around it, may come in any number of chunks.
 */
export function createPasteFilter(pasting: Pasting): (chunk: string) => string {
  let pending = ''
  let pasted: string | undefined
  return (chunk) => {
    let text = pending + chunk
    pending = ''
    let keys = ''
    while (text !== '') {
      const mark = pasted === undefined ? pasteStart : pasteEnd
      const at = text.indexOf(mark)
      const kept = at === -1 ? beginOf(mark, text) : 0
      const before = text.slice(0, at === -1 ? text.length - kept : at)
      if (pasted === undefined) keys += before
      else pasted += before
      if (pasted?.includes(interrupt) === true) {
        // a paste whose end never came must not hold the keyboard
        pasted = undefined
        return keys + interrupt
      }
      if (at === -1) {
        pending = text.slice(text.length - kept)
        break
      }
      text = text.slice(at + mark.length)
      if (pasted === undefined) pasted = ''
      else {
        if (pasting === 'taken') keys += onOneLine(pasted)
        pasted = undefined
      }
    }
    return keys
  }
}

/** How much of the end of the text may be the beginning of the mark. An Escape that came alone is the key of that name. */
function beginOf(mark: string, text: string): number {
  for (let length = Math.min(mark.length - 1, text.length); length > 0; length -= 1) {
    if (text.endsWith(mark.slice(0, length))) return text === '\x1b' && mark === pasteStart ? 0 : length
  }
  return 0
}

function onOneLine(text: string): string {
  return text
    .replace(/[\r\n]+$/, '')
    .replace(/[\r\n\t]+/g, ' ')
    .replace(/\p{Cc}/gu, '')
}
