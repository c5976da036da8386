// A program on a real pseudo-terminal, and what a person saw of it over time.
import { spawn } from '@lydell/node-pty'
import xterm from '@xterm/headless'
import { performance } from 'node:perf_hooks'
import { clearInterval, setInterval } from 'node:timers'
import { setTimeout as delay } from 'node:timers/promises'

const sampleMs = 100
const cursorSet = new RegExp(`${String.fromCharCode(27)}\\[\\?25([hl])`, 'g')
const patienceMs = 60_000

/**
 * A run of cells that look the same.
 * @typedef {{ column: number, text: string, style: string }} Piece
 * What was on the screen from an instant on.
 * @typedef {{ at: number, rows: Piece[][], cursor: { row: number, column: number } | undefined }} Frame
 */

/**
 * Starts a program and films its screen.
 * @param {{ file: string, args: string[], cwd: string, env: Record<string, string>, columns: number, rows: number }} options
 */
export function film({ file, args, cwd, env, columns, rows }) {
  const terminal = new xterm.Terminal({ cols: columns, rows, scrollback: 1_000, allowProposedApi: true })
  const program = spawn(file, args, { cwd, env, cols: columns, rows })
  const startedAt = performance.now()
  let isCursorHidden = false
  let isOver = false
  /** @type {Frame[]} */
  const frames = []

  program.onData((text) => {
    for (const [, set] of text.matchAll(cursorSet)) isCursorHidden = set === 'l'
    terminal.write(text)
  })
  terminal.onData((answer) => program.write(answer))
  program.onExit(() => (isOver = true))

  const sample = () => {
    const { active } = terminal.buffer
    const shown = Array.from({ length: rows }, (_, row) =>
      piecesOf(active.getLine(active.baseY + row), columns),
    )
    const cursor = isCursorHidden ? undefined : { row: active.cursorY, column: active.cursorX }
    const frame = { at: performance.now() - startedAt, rows: shown, cursor }
    const last = frames.at(-1)
    if (last === undefined || JSON.stringify([last.rows, last.cursor]) !== JSON.stringify([shown, cursor]))
      frames.push(frame)
  }
  const timer = setInterval(sample, sampleMs)
  const text = () => {
    const { active } = terminal.buffer
    return Array.from(
      { length: rows },
      (_, row) => active.getLine(active.baseY + row)?.translateToString(true) ?? '',
    ).join('\n')
  }

  return {
    frames,
    text,
    /** @param {string | RegExp} shown */
    async until(shown) {
      const giveUpAt = performance.now() + patienceMs
      const isShown = () => (typeof shown === 'string' ? text().includes(shown) : shown.test(text()))
      while (!isShown()) {
        if (isOver) throw new Error(`it ended before ${shown}:\n${text()}`)
        if (performance.now() > giveUpAt) throw new Error(`no ${shown} in:\n${text()}`)
        await delay(20)
      }
    },
    /** As a person types: a key at a time. */
    async type(/** @type {string[]} */ keys, everyMs = 70) {
      for (const key of keys) {
        program.write(key)
        await delay(everyMs)
      }
    },
    /** Ends the film with what is on the screen now. */
    end() {
      sample()
      clearInterval(timer)
      program.kill()
      return frames
    },
  }
}

/** @returns {Piece[]} */
function piecesOf(line, columns) {
  const pieces = []
  for (let column = 0; column < columns; column += 1) {
    const cell = line?.getCell(column)
    if (cell === undefined || cell.getWidth() === 0) continue
    const text = cell.getChars() || ' '
    const style = styleOf(cell)
    const last = pieces.at(-1)
    if (last?.style === style) last.text += text
    else pieces.push({ column, text, style })
  }
  // blanks without a ground of their own show nothing
  const last = pieces.at(-1)
  if (last?.style === '') last.text = last.text.trimEnd()
  return pieces.filter(({ text, style }) => text !== '' && (style !== '' || text.trim() !== ''))
}

/** Classes of the picture's style sheet. */
function styleOf(cell) {
  return [
    cell.isFgPalette() ? `c${cell.getFgColor()}` : '',
    cell.isBold() ? 'b' : '',
    cell.isDim() ? 'd' : '',
    cell.isUnderline() ? 'u' : '',
  ]
    .filter((name) => name !== '')
    .join(' ')
}
