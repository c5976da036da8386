// Rules of this file:
// - the region is the last rows of the terminal: what is said meanwhile stands above it, for good;
// - it is no higher than the terminal and no wider, and is drawn anew where that changes;
// - the cursor is hidden only while there is a region, and what ends the region shows it again.
import { createLogUpdate } from 'log-update'
import { rowsOf } from './wrapping.ts'

export interface Size {
  columns: number
  rows: number
}

export interface Region {
  /** Draws it now, and not only when the next turn of the spinner does. */
  draw: () => void
  /** Puts whole lines above it. */
  write: (text: string) => void
  /** Takes it away, and shows the cursor. */
  end: () => void
}

export interface RegionOptions {
  stream: NodeJS.WriteStream
  /** The lines to be drawn, none wider than the columns and no more than the rows that are given. */
  lines: (size: Size) => readonly string[]
  /** Whether the terminal wraps what stands there anew when it gets narrower; most do. */
  reflows: boolean
}

const everyMs = 100
/** With fewer, none is given away. */
const fewRows = 8
const noWrap = '\x1b[?7l'
const wrap = '\x1b[?7h'
const hideCursor = '\x1b[?25l'
const showCursor = '\x1b[?25h'

/** Opens a region at the foot of a terminal. Nothing else may write there but by `write`. */
export function openRegion({ stream, lines, reflows }: RegionOptions): Region {
  let pending = ''
  const write = (text: string) => {
    pending += text
    return true
  }
  /**
   * All of a drawing at once, so that no half of one is ever seen. It may be on its way while the terminal gets narrower:
   * what is too long then is cut, and moves nothing.
   */
  const flush = () => {
    if (pending !== '') stream.write(noWrap + pending + wrap)
    pending = ''
  }
  const uncut = Object.create(stream, { write: { value: write } }) as NodeJS.WriteStream
  const update = createLogUpdate(uncut, { showCursor: true })
  let drawn: readonly string[] = []
  let isOpen = true
  let isHidden = false
  let rowsBefore = stream.rows
  /** Remains of ours right above, out of sight. */
  let lost: string[] = []

  const clear = () => {
    update.clear()
    drawn = []
  }
  const draw = () => {
    if (!isOpen) return
    const size = sizeOf(stream)
    const hasGap = size.rows > fewRows
    const given = lines(hasGap ? { ...size, rows: size.rows - 1 } : size)
    if (given.length === 0) {
      clear()
      return flush()
    }
    // Where the first line stays, the others are changed in place and nothing is erased: a drawing that comes to a
    // terminal which got narrower meanwhile then spoils only lines that are drawn anew at once.
    const next = hasGap ? ['', ...given] : given
    if (!isHidden) write(hideCursor)
    isHidden = true
    // Of two drawings it moves what they have in common at their ends only where they are of one height.
    if (next.length !== drawn.length) clear()
    update(next.join('\n'))
    drawn = next
    flush()
  }
  const onResize = () => {
    const { columns, rows } = stream
    const breaks = (line: string) => (reflows ? rowsOf(line, columns || 80) : [line])
    // What was drawn for the width before takes more rows by now; the cursor went down with them.
    const taken = drawn.flatMap(breaks).length
    // What did not fit any more went where nothing can be erased; a terminal that grows may take it back from there.
    const back = Math.min(lost.flatMap(breaks).length, Math.max(0, rows - rowsBefore))
    lost = [...(back > 0 ? [] : lost), ...firstRows(drawn.map(breaks), taken + 1 - rows)]
    rowsBefore = rows
    if (taken > drawn.length) write(`\x1b[${taken - drawn.length}A\x1b[J`)
    clear()
    if (back > 0) write(`\x1b[${back}A\x1b[J`)
    draw()
  }

  stream.on('resize', onResize)
  const timer = setInterval(draw, everyMs).unref()
  draw()

  return {
    draw,
    write(text) {
      lost = []
      clear()
      write(wrap + text + noWrap)
      if (isOpen) draw()
      else flush()
    },
    end() {
      if (!isOpen) return
      isOpen = false
      clearInterval(timer)
      stream.off('resize', onResize)
      clear()
      if (isHidden) write(showCursor)
      flush()
    },
  }
}

/** The last column stays free: some terminals go to the next row as it is written. The last row is the cursor's. */
function sizeOf({ columns, rows }: NodeJS.WriteStream): Size {
  return { columns: Math.max(24, (columns || 80) - 1), rows: Math.max(1, (rows || 24) - 1) }
}

/** Of lines in their rows, what stands in the first so many. */
function firstRows(lines: readonly string[][], count: number): string[] {
  let left = count
  return lines.flatMap((rows) => {
    const first = rows.slice(0, Math.max(0, left)).join('')
    left -= rows.length
    return first === '' ? [] : [first]
  })
}
