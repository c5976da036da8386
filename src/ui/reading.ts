// Rules of this file:
// - at a terminal one line is drawn anew: what is read, a bar where the whole is known, and in a wait until when;
// - elsewhere a line now and then, none for what is soon done.
import type { Wait } from '../api/contract.ts'
import type { Clock } from '../clock.ts'
import { formatDuration } from '../duration.ts'
import type { Region, Size } from './live.ts'
import type { Output } from './output.ts'
import { clockTime, tellWait } from './wait.ts'

/** How far reading is: `total` where it is known. */
export interface ReadingProgress {
  /** Plural: `keys`, `events`. */
  what: string
  done: number
  total: number | undefined
}

/** Tells how far something long is read. */
export interface Reading {
  report(progress: ReadingProgress): void
  /** It is over; what is drawn goes away, before anything else is printed. */
  end(): Promise<void>
}

interface Surroundings {
  out: Output
  clock: Clock
  onWait: (listener: (wait: Wait) => void) => () => void
}

/** Without a terminal a line is as far from the one before. */
const betweenLinesMs = 10_000
/** What is done sooner is not drawn at all. */
const soonMs = 200
const widestBar = 30

export function createReading({ out, clock, onWait }: Surroundings): Reading {
  const { live } = out
  const startedAt = clock.now()
  let told = startedAt
  let progress: ReadingProgress | undefined
  let wait: { what: string; until: number } | undefined
  let region: Promise<Region> | undefined
  let isOver = false

  const draw = (size: Size): string[] => {
    if (progress === undefined) return []
    const now = clock.now()
    const waiting = wait !== undefined && wait.until > now ? wait : undefined
    const lines = [barLine(progress, size.columns, live?.unicode === true)]
    if (waiting !== undefined) {
      const left = formatDuration(waiting.until - now)
      lines.push(`${waiting.what} until ${clockTime(waiting.until)}, ${left} more`)
    }
    return lines.map((line) => (live === undefined ? line : live.paint.dim(line.slice(0, size.columns))))
  }

  const stopListening = onWait((given) => {
    const now = clock.now()
    wait = {
      what: given.reason === 'rate-limit' ? 'waits for the rate limit' : 'tries again',
      until: now + given.ms,
    }
    if (region === undefined) tellWait(out, given, now)
  })

  return {
    report(given) {
      progress = given
      const now = clock.now()
      if (live !== undefined) {
        if (!isOver && now - startedAt >= soonMs) region ??= live.open(draw)
        return
      }
      if (now - told < betweenLinesMs) return
      told = now
      out.event({ event: 'reading', ...given }, sentence(given))
    },

    async end() {
      if (isOver) return
      isOver = true
      stopListening()
      const opened = await region
      opened?.end()
    },
  }
}

/** `1,234 of 5,000 events read (24 %)`. */
function sentence({ what, done, total }: ReadingProgress): string {
  if (total === undefined || total === 0) return `${count(done)} ${what} read`
  const percent = Math.floor((Math.min(done, total) / total) * 100)
  return `${count(done)} of ${count(total)} ${what} read (${percent} %)`
}

function barLine({ what, done, total }: ReadingProgress, columns: number, unicode: boolean): string {
  const figures = total === undefined ? `${count(done)} ${what}` : `${count(done)} of ${count(total)} ${what}`
  if (total === undefined || total === 0) return `reading  ${figures}`
  const width = Math.min(widestBar, columns - figures.length - 6)
  if (width < 5) return figures
  const filled = Math.round((Math.min(done, total) / total) * width)
  const [full, empty] = unicode ? ['█', '░'] : ['#', '.']
  return `${full.repeat(filled)}${empty.repeat(width - filled)}  ${figures}`
}

/** `1,234,567`. */
function count(value: number): string {
  return value.toLocaleString('en-US')
}
