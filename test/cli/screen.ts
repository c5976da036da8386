import { spawn, type IPty } from '@lydell/node-pty'
import { Terminal } from '@xterm/headless'
import { readSync } from 'node:fs'
import path from 'node:path'
import { StringDecoder } from 'node:string_decoder'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Home } from './program.ts'

const bin = fileURLToPath(new URL('../../bin/pictify-keys.js', import.meta.url))

export interface ScreenOptions {
  columns?: number
  rows?: number
  env?: Record<string, string | undefined>
  /** A folder of the home; the home itself by default. */
  cwd?: string
  /** Something else to run, as a shell in which the program is run. */
  command?: readonly [string, ...string[]]
}

/** What a person at a terminal sees of the program, and their keyboard. */
export interface Screen {
  /** The rows in sight, without blanks at their ends and without the empty rows below. */
  text(): string
  /** As `text`, with what has scrolled away above it. */
  scrollback(): string
  /** As `scrollback`, in the lines that were written: those that the terminal had to break are whole. */
  written(): string
  /** Every byte that the program has written, escapes and all. */
  raw(): string
  /** Whether anything in sight has a colour. */
  isColoured(): boolean
  isCursorHidden(): boolean
  /** Resolves when the rows in sight show it; throws with what they show when the program ends before. */
  until(shown: string | RegExp): Promise<void>
  type(keys: string): void
  /** As a terminal hands over what is pasted, to a program that asked to be told and to one that did not. */
  paste(text: string): void
  resize(columns: number, rows: number): void
  /** Resolves when the program has ended and all it wrote is on the screen. */
  ended: Promise<{ exit: number | null; signal: number | null }>
  pid: number
  kill(signal?: string): void
  /** Closes the terminal: its processes get SIGHUP, and nobody reads any more what they write. */
  close(): void
}

export const keyboard = {
  ctrlC: '\x03',
  ctrlD: '\x04',
  enter: '\r',
  escape: '\x1b',
  tab: '\t',
  up: '\x1b[A',
  down: '\x1b[B',
  space: ' ',
} as const

/** Starts the real program on a real pseudo-terminal, with a terminal that reads what it writes. */
export function openScreen(
  home: Pick<Home, 'directory' | 'env'>,
  args: readonly string[],
  options: ScreenOptions = {},
): Screen {
  const { columns = 80, rows = 24 } = options
  const terminal = new Terminal({ cols: columns, rows, scrollback: 10_000, allowProposedApi: true })
  const env = { TERM: 'xterm-256color', ...home.env, ...options.env }
  const [file, ...words] = options.command ?? [process.execPath, bin, ...args]
  const program = spawn(file, words, {
    cwd: options.cwd === undefined ? home.directory : path.resolve(home.directory, options.cwd),
    env: Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined)),
    cols: columns,
    rows,
    // bytes: a character may lie in two readings
    encoding: null,
  })
  const decoder = new StringDecoder()
  let raw = ''
  let over: { exit: number | null; signal: number | null } | undefined
  const show = (bytes: Buffer) => {
    const text = decoder.write(bytes)
    raw += text
    terminal.write(text)
  }
  // the types know of text alone
  program.onData((bytes) => show(bytes as unknown as Buffer))
  beforeItCloses(program, show)
  // what a program asks of its terminal (where is the cursor?), a terminal answers
  terminal.onData((answer) => {
    if (over === undefined) program.write(answer)
  })
  const drawn = () => new Promise<void>((resolve) => terminal.write('', resolve))
  const ended = new Promise<{ exit: number | null; signal: number | null }>((resolve) => {
    program.onExit(({ exitCode, signal }) => {
      over = signal ? { exit: null, signal } : { exit: exitCode, signal: null }
      const end = over
      void drawn().then(() => resolve(end))
    })
  })

  const rowsFrom = (first: number) => {
    const { active } = terminal.buffer
    const texts: string[] = []
    for (let row = first; row < active.length; row++)
      texts.push(active.getLine(row)?.translateToString(true, 0, terminal.cols).trimEnd() ?? '')
    return texts.join('\n').trimEnd()
  }
  const text = () => rowsFrom(terminal.buffer.active.baseY)

  return {
    text,
    scrollback: () => rowsFrom(0),
    written() {
      const { active } = terminal.buffer
      const lines: string[] = []
      for (let row = 0; row < active.length; row++) {
        const line = active.getLine(row)
        const next = active.getLine(row + 1)
        // a row that goes on in the next one is full: blanks at its end are part of it
        const text = line?.translateToString(next?.isWrapped !== true) ?? ''
        if (line?.isWrapped) lines.push(`${lines.pop() ?? ''}${text}`)
        else lines.push(text)
      }
      return lines.join('\n').trimEnd()
    },
    raw: () => raw,
    isColoured() {
      const { active } = terminal.buffer
      for (let row = active.baseY; row < active.length; row++) {
        const line = active.getLine(row)
        for (let column = 0; column < terminal.cols; column++) {
          const cell = line?.getCell(column)
          if (cell && cell.getChars() !== '' && !cell.isFgDefault()) return true
        }
      }
      return false
    },
    isCursorHidden: () => raw.lastIndexOf('\x1b[?25l') > raw.lastIndexOf('\x1b[?25h'),
    async until(shown) {
      const isShown = () => (typeof shown === 'string' ? text().includes(shown) : shown.test(text()))
      while (!isShown()) {
        if (over !== undefined) {
          await drawn()
          if (isShown()) return
          throw new Error(`it ended with ${over.exit ?? `signal ${over.signal}`} before ${shown}:\n${text()}`)
        }
        await sleep(5)
      }
      // a question that is still being put drops the keys that come before it listens
      await sleep(100)
    },
    type: (keys) => program.write(keys),
    paste: (pasted) =>
      program.write(terminal.modes.bracketedPasteMode ? `\x1b[200~${pasted}\x1b[201~` : pasted),
    resize(toColumns, toRows) {
      terminal.resize(toColumns, toRows)
      program.resize(toColumns, toRows)
    },
    ended,
    pid: program.pid,
    kill: (signal = 'SIGHUP') => program.kill(signal),
    // which is there on every system, and missing in the types
    close: () => (program as unknown as { destroy(): void }).destroy(),
  }
}

/**
 * Where a program has ended, one reading of its terminal that was not full is taken for the last one, though the system gives
 * 4 KB at a time: what is left is read before the terminal is closed.
 */
function beforeItCloses(program: IPty, show: (bytes: Buffer) => void): void {
  // there on every system but Windows, and missing in the types
  const { fd, _socket: socket } = program as unknown as { fd: number; _socket: NodeJS.ReadStream }
  const rest = () => {
    // more than a terminal holds: what still writes is not waited for
    for (let readings = 0; readings < 64; readings += 1) {
      const buffer = Buffer.alloc(4_096)
      try {
        const length = readSync(fd, buffer)
        if (length === 0) return
        show(buffer.subarray(0, length))
      } catch {
        // nothing is left: EIO after a hang-up, EAGAIN where others still have the terminal
        return
      }
    }
  }
  const destroy = socket.destroy.bind(socket)
  let isOver = false
  socket.destroy = (error) => {
    if (!isOver) rest()
    isOver = true
    return destroy(error)
  }
}
