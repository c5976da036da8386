import type { AccountUsage } from '../audit/account-usage.ts'
import type { Paint } from './paint.ts'

type Days = AccountUsage['daily']

export interface ChartSpace {
  /** Columns; of endless ones it takes what it needs. */
  width: number
  paint: Paint
  /** Whether the terminal has more than ASCII. */
  unicode: boolean
  /** Unix milliseconds, by the API's clock. */
  now: number
}

const requestRows = 8
const errorRows = 3
const widest = 3
const narrowest = 24

/** Requests day by day as bars, and below them those that failed; oldest day first. No colour tells what nothing else does. */
export function usageChart(days: Days, space: ChartSpace): string {
  const width = Math.max(narrowest, Math.min(space.width, 120))
  const most = Math.max(...days.map(({ requests }) => requests))
  const ticks = [0, Math.ceil(most / 2), most].map(short)
  const margin = Math.max(...ticks.map((tick) => tick.length), 'failed'.length)
  const room = width - margin - 2
  const shown = days.slice(-room)
  const step = Math.max(1, Math.min(widest, Math.floor(room / Math.max(1, shown.length))))
  const frame = { margin, step, ...space }
  const failed = shown.map(({ errors }) => errors)
  const { paint } = space
  return [
    ...bars(
      shown.map(({ requests }) => requests),
      { ...frame, rows: requestRows, colour: (text: string) => paint.cyan(text) },
    ),
    ...(failed.some((errors) => errors > 0)
      ? [
          paint.dim('failed'),
          ...bars(failed, { ...frame, rows: errorRows, colour: (text: string) => paint.red(text) }),
        ]
      : []),
    dates(shown, frame),
    paint.dim(caption(shown, space.now)),
  ].join('\n')
}

interface Frame extends ChartSpace {
  margin: number
  /** Columns a day. */
  step: number
}

interface Bars extends Frame {
  rows: number
  colour: (text: string) => string
}

const blocks = ' ▁▂▃▄▅▆▇█'

function bars(values: readonly number[], { rows, margin, step, unicode, paint, colour }: Bars): string[] {
  const most = Math.max(1, ...values)
  const parts = unicode ? 8 : 2
  // what is there at all is seen
  const heights = values.map((value) =>
    value === 0 ? 0 : Math.max(1, Math.round((value / most) * rows * parts)),
  )
  const [wall, floor] = unicode ? ['┤', '│'] : ['+', '|']
  return Array.from({ length: rows }, (_, index) => {
    const row = rows - 1 - index
    const cells = heights.map((height) => {
      const filled = Math.max(0, Math.min(parts, height - row * parts))
      const glyph = unicode ? (blocks[filled] as string) : ([' ', '.', '#'][filled] as string)
      return glyph.repeat(Math.max(1, step - 1)) + (step > 1 ? ' ' : '')
    })
    const half = short(Math.ceil(most / 2))
    const isHalf = row === rows / 2 && half !== short(most)
    const tick = row === rows - 1 ? short(most) : row === 0 ? '0' : isHalf ? half : ''
    const axis = `${tick.padStart(margin)} ${tick === '' ? floor : wall}`
    return `${paint.dim(axis)}${colour(cells.join('').trimEnd())}`.trimEnd()
  })
}

/** The first and the last day below their bars, and one between them where there is room. */
function dates(days: Days, { margin, step, paint }: Frame): string {
  const width = days.length * step
  const line = Array.from({ length: Math.max(width, 6) }, () => ' ')
  const put = (at: number, text: string) => line.splice(at, text.length, ...text)
  const name = (index: number) => dayName(days[index]?.date ?? '')
  put(0, name(0))
  if (width >= 14) put(width - 6, name(days.length - 1).padStart(6))
  const middle = Math.floor(days.length / 2)
  if (width >= 30) put(middle * step - 3, name(middle))
  return paint.dim(`${' '.repeat(margin + 2)}${line.join('').trimEnd()}`)
}

function caption(days: Days, now: number): string {
  const sum = days.reduce((total, { requests }) => total + requests, 0)
  const top = days.reduce((most, day) => (day.requests > most.requests ? day : most), {
    date: '',
    requests: -1,
  })
  const count = (value: number) => value.toLocaleString('en')
  const today = new Date(now).toISOString().slice(0, 10)
  const span = days.length === 1 ? '1 day' : `${days.length} days`
  const last = days.at(-1)?.date === today ? '; today is not over' : ''
  return `requests a day, ${span}: ${count(sum)}; most on ${dayName(top.date)}: ${count(top.requests)}${last}`
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** `2 Nov`; days are in UTC. */
function dayName(date: string): string {
  const [, month, day] = date.split('-').map(Number)
  return `${day} ${months[(month ?? 1) - 1]}`
}

/** At most five characters: `950`, `1.2k`, `45k`, `1.2M`. */
export function short(value: number): string {
  if (value < 1_000) return String(Math.round(value))
  for (const [unit, size] of [
    ['k', 1e3],
    ['M', 1e6],
    ['G', 1e9],
  ] as const) {
    const scaled = value / size
    if (scaled < 9.95) return `${scaled.toFixed(1)}${unit}`
    if (scaled < 999.5) return `${Math.round(scaled)}${unit}`
  }
  return value.toExponential(0)
}
