// Rules of this file:
// - a secret is on a screen of its own while it is shown, and nowhere once it is left, whatever ends it;
// - no more is drawn than the terminal has rows, so that nothing scrolls away to where it stays;
// - a secret that was not copied is left only by a second key, for it cannot be shown again.
import type { Secret } from '../secret.ts'
import { type Clipboard, type Copied, createClipboard } from './clipboard.ts'
import { openInput } from './question-input.ts'
import { paragraph, rowsOf } from './wrapping.ts'

export interface ShownSecret {
  /** What the secret is of, clean. */
  title: string
  secret: Secret
  /** What to do with it: paragraphs, then lines as they are, which give way where there is no room; clean. */
  notes: readonly string[]
  snippet?: string | undefined
}

/** How it was left. */
export interface Left {
  copied: Copied | undefined
  isInterrupted: boolean
}

export interface SecretScreen {
  /** Shows a secret until a key says that it was seen. */
  show(shown: ShownSecret): Promise<Left>
  readonly clipboard: Clipboard
}

export interface SecretScreenOptions {
  stdin: () => NodeJS.ReadableStream
  stderr: NodeJS.WriteStream
  signal: AbortSignal
  /** What `stop` does is done before the process is stopped, and what that returns when it goes on. */
  onStop: (stop: () => () => void) => () => void
  /** Told how often Ctrl-C was typed, once the screen is left. */
  onCtrlC: (times: number) => void
  env: Readonly<Record<string, string | undefined>>
  cwd: string
  platform: NodeJS.Platform
}

export function createSecretScreen(options: SecretScreenOptions): SecretScreen {
  const { env, cwd, platform, stderr } = options
  const clipboard = createClipboard({ env, cwd, platform, write: (text) => void stderr.write(text) })
  return { clipboard, show: (shown) => showSecret(shown, clipboard, options) }
}

const toOwnScreen = '\x1b[?1049h'
const toScreenBefore = '\x1b[?1049l'
const hideCursor = '\x1b[?25l'
const showCursor = '\x1b[?25h'
const home = '\x1b[H'

async function showSecret(
  shown: ShownSecret,
  clipboard: Clipboard,
  { stdin, stderr, signal, onStop, onCtrlC }: SecretScreenOptions,
): Promise<Left> {
  if (signal.aborted) return { copied: undefined, isInterrupted: true }
  let status = ''
  let copied: Copied | undefined
  let isThere = false
  let hasEnded = false
  const draw = () => {
    if (!isThere) return
    const size = { columns: stderr.columns || 80, rows: stderr.rows || 24 }
    stderr.write(home + wiped(size.rows) + home + pageOf(shown, status, size).join('\r\n'))
  }
  const enter = () => {
    isThere = true
    stderr.write(toOwnScreen + hideCursor)
    draw()
  }
  const leave = () => {
    if (!isThere) return
    isThere = false
    // a terminal that has no second screen is wiped row by row: whole, some keep what they had as scrollback
    stderr.write(home + wiped(stderr.rows || 24) + home + toScreenBefore + showCursor)
  }
  const input = openInput(stdin(), { pasting: 'left', raw: true })
  // a shell that stops this gets its terminal without the secret, and as it had it
  const unlisten = onStop(() => {
    leave()
    input.setRaw(false)
    return () => {
      if (hasEnded) return
      input.setRaw(true)
      enter()
    }
  })
  stderr.on('resize', draw)
  try {
    enter()
    if (await input.settle()) return { copied, isInterrupted: true }
    for await (const key of keysOf(input.stream, signal)) {
      if (key === 'interrupt') return { copied, isInterrupted: true }
      if (key === 'leave') {
        if (copied !== undefined || status === notCopied) break
        status = notCopied
      } else {
        status = 'copying…'
        draw()
        copied = (await clipboard.copy(shown.secret)) ?? copied
        status = copied === undefined ? cannotCopy : copiedWords(copied)
      }
      draw()
    }
    return { copied, isInterrupted: signal.aborted }
  } finally {
    hasEnded = true
    unlisten()
    input.close()
    stderr.off('resize', draw)
    leave()
    onCtrlC(input.interruptions())
  }
}

const notCopied = 'it was not copied, and cannot be shown again: press Enter once more to leave'
const cannotCopy = 'there is no way to copy it from here: mark it with the mouse'

/** What is known of a copy, and no more. */
export function copiedWords({ by, isSure }: Copied): string {
  return isSure
    ? `copied to the clipboard by ${by}`
    : `sent to the clipboard of ${by}, which does not say whether it took it: paste it to see`
}

function wiped(rows: number): string {
  return Array.from({ length: rows }, () => '\x1b[2K').join('\x1b[E')
}

interface Size {
  columns: number
  rows: number
}

/** The lines of the screen, the secret in one of its own from the first column on, for a mouse to take. */
export function pageOf(shown: ShownSecret, status: string, { columns, rows }: Size): string[] {
  // the last column stays free: some terminals go to the next row as it is written
  const width = columns - 1
  const secret = shown.secret.reveal()
  const secretRows = Math.max(1, Math.ceil(secret.length / columns))
  const title = paragraph(shown.title, width)
  const keys = paragraph('c copies it, Enter leaves: it is gone from the screen then', width)
  const said = status === '' ? [] : paragraph(status, width)
  const end = [...(said.length === 0 ? [] : ['', ...said]), '', ...keys]
  const room = rows - title.length - secretRows - 2 - end.length
  // where there is not even room for that, the secret goes first
  if (room < 0) return [secret, ...[...said, ...keys, ...title].slice(0, Math.max(0, rows - secretRows))]
  const notes = shown.notes.flatMap((note) => paragraph(note, width))
  const snippet = (shown.snippet?.split('\n') ?? []).flatMap((line) =>
    rowsOf(line.replaceAll('\t', '    '), width),
  )
  const middle = [...notes, ...(snippet.length === 0 ? [] : ['', ...snippet])]
  const fitting = middle.length <= room ? middle : [...middle.slice(0, Math.max(0, room - 1)), '…']
  return [...title, '', secret, '', ...(room === 0 ? [] : fitting), ...end]
}

type Key = 'copy' | 'leave' | 'interrupt'

async function* keysOf(stream: NodeJS.ReadableStream, signal: AbortSignal): AsyncGenerator<Key> {
  const pressed: string[] = []
  let wake = () => {}
  let hasEnded = false
  const onData = (chunk: Buffer | string) => {
    pressed.push(String(chunk))
    wake()
  }
  const onEnd = () => {
    hasEnded = true
    wake()
  }
  stream.on('data', onData).on('end', onEnd)
  signal.addEventListener('abort', onEnd, { once: true })
  try {
    while (!signal.aborted) {
      const key = pressed.shift()
      if (key !== undefined) {
        const meaning = meaningOf(key)
        if (meaning !== undefined) yield meaning
      } else if (hasEnded) return
      else await new Promise<void>((resolve) => (wake = resolve))
    }
  } finally {
    stream.off('data', onData).off('end', onEnd)
    signal.removeEventListener('abort', onEnd)
  }
}

/** One key is one chunk; more at once is no key. */
function meaningOf(chunk: string): Key | undefined {
  if (chunk.includes('\x03')) return 'interrupt'
  if (['\r', '\n', 'q', '\x1b', '\x04'].includes(chunk)) return 'leave'
  return ['c', 'C', 'y'].includes(chunk) ? 'copy' : undefined
}
