// Rules of this file:
// - of a question that was asked in another width nothing is left standing;
// - where no colour is wanted there is none, whatever the library makes of it.
import { Writable } from 'node:stream'
import { rowsOf } from './wrapping.ts'

/** Where a question is drawn. */
export interface QuestionOutput {
  stream: NodeJS.WritableStream
  close(): void
}

/** What stands on the terminal now, in rows, and where in it the cursor is. */
interface Frame {
  rows: string[]
  /** The row that the cursor is in. */
  row: number
  column: number
}

/** How the library begins when it draws anew: down to the end, then up again line by line. */
const redrawing = /^(?:\x1b\[\d+B)?\x1b\[2K(?:\x1b\[1A\x1b\[2K)*\x1b\[G/
/** How it ends a question. */
const ending = /^(?:\x1b\[\d+B)?\n/
/** How it goes back to where one types. */
const placing = /(?:\x1b\[(\d+)A)?\x1b\[(\d+)G$/
const colours = /\x1b\[[\d;]*m/g

const up = (rows: number) => (rows > 0 ? `\x1b[${rows}A` : '')
const down = (rows: number) => (rows > 0 ? `\x1b[${rows}B` : '')

/** The library draws for the width it finds, and forgets that width: here it is remembered, and followed. */
export function openQuestionOutput(
  terminal: NodeJS.WritableStream,
  { colour }: { colour: boolean },
): QuestionOutput {
  const { columns: found } = terminal as { columns?: number }
  let frame: Frame | undefined
  /** The frame is drawn as the library does not know it. */
  let isOurs = false
  const width = () => (terminal as { columns?: number }).columns ?? found ?? 80

  function write(text: string): void {
    const isRedrawn = redrawing.test(text)
    if (isOurs && frame !== undefined) {
      if (isRedrawn) terminal.write(text.replace(redrawing, `${up(frame.row)}\r\x1b[J`))
      else terminal.write(text.replace(ending, `${down(frame.rows.length - 1 - frame.row)}\n`))
    } else terminal.write(text)
    const body = text.replace(redrawing, '')
    const place = placing.exec(body)
    if (place === null) return
    // the cursor alone was moved
    if (place.index === 0 && !isRedrawn && frame !== undefined) {
      frame = { ...frame, column: Number(place[2]) - 1 }
      return
    }
    isOurs = false
    const rows = body.slice(0, place.index).split('\n')
    frame = { rows, row: rows.length - 1 - Number(place[1] ?? 0), column: Number(place[2]) - 1 }
  }

  function onResize(): void {
    if (frame === undefined) return
    const columns = width()
    const wrapped = frame.rows.map((row) => rowsOf(row, columns))
    // a terminal that got narrower has most likely broken its rows just so
    const above = wrapped.slice(0, frame.row).reduce((sum, rows) => sum + rows.length, 0)
    const row = above + Math.floor(frame.column / columns)
    const rows = wrapped.flat()
    terminal.write(
      `${up(row)}\r\x1b[J${rows.join('\n')}${up(rows.length - 1 - row)}\x1b[${(frame.column % columns) + 1}G`,
    )
    frame = { rows, row, column: frame.column % columns }
    isOurs = true
  }

  const stream = new Writable({
    decodeStrings: false,
    write(chunk: Buffer | string, _encoding, done) {
      const text = String(chunk)
      write(colour ? text : text.replace(colours, ''))
      done()
    },
  })
  Object.defineProperties(stream, {
    isTTY: { value: true },
    columns: { get: width },
    rows: { get: () => (terminal as { rows?: number }).rows ?? 24 },
  })
  terminal.on('resize', onResize)
  return { stream, close: () => void terminal.off('resize', onResize) }
}
