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
  draw(): void
  /** Puts whole lines above it. */
  write(text: string): void
  /** Takes it away, and shows the cursor. */
  end(): void
}

export interface RegionOptions {
  stream: NodeJS.WriteStream
  /** The lines to be drawn, none wider than the columns and no more than the rows that are given. */
  lines: (size: Size) => readonly string[]
  /** Whether the terminal wraps what stands there anew when it gets narrower; most do. */
  reflows: boolean
}

const everyMs = 100
const hideCursor = '\x1b[?25l'
const showCursor = '\x1b[?25h'

/** Opens a region at the foot of a terminal. Nothing else may write there but by `write`. */
export function openRegion({ stream, lines, reflows }: RegionOptions): Region {
  const update = createLogUpdate(stream, { showCursor: true })
  let drawn: readonly string[] = []
  let isOpen = true
  let isHidden = false

  const clear = () => {
    update.clear()
    drawn = []
  }
  const draw = () => {
    if (!isOpen) return
    const next = lines(sizeOf(stream))
    if (next.length === 0) return clear()
    if (!isHidden) stream.write(hideCursor)
    isHidden = true
    // Of two drawings it moves what they have in common at their ends only where they are of one height.
    if (next.length !== drawn.length) clear()
    update(next.join('\n'))
    drawn = next
  }
  const onResize = () => {
    // What was drawn for the width before takes more rows by now; the cursor went down with them.
    const taken = drawn.reduce((sum, line) => sum + rowsOf(line, stream.columns || 80).length, 0)
    const more = reflows ? taken - drawn.length : 0
    if (more > 0) stream.write(`\x1b[${more}A\x1b[J`)
    clear()
    draw()
  }

  stream.on('resize', onResize)
  const timer = setInterval(draw, everyMs).unref()
  draw()

  return {
    draw,
    write(text) {
      clear()
      stream.write(text)
      draw()
    },
    end() {
      if (!isOpen) return
      isOpen = false
      clearInterval(timer)
      stream.off('resize', onResize)
      clear()
      if (isHidden) stream.write(showCursor)
    },
  }
}

/** The last column stays free: some terminals go to the next row as it is written. The last row is the cursor's. */
function sizeOf({ columns, rows }: NodeJS.WriteStream): Size {
  return { columns: Math.max(20, (columns || 80) - 1), rows: Math.max(1, (rows || 24) - 1) }
}
