import type { Severity } from '../../fleet/fleet.ts'
import { html, type Markup, type Piece } from '../html/markup.ts'
import { oneLine } from '../text.ts'
import type { KeyRow } from './key-rows.ts'
import { counted, severities } from './subject.ts'

const size = { width: 760, height: 380, ageHeight: 220, left: 64, right: 16, top: 28, bottom: 44 }
/** Dots that would lie on each other are one, and greater. */
const cell = 9
const stackStep = 10
const mostLabels = 8
const ageTicks = [1, 7, 30, 90, 365, 1_095, 3_650] as const
const useTicks = [0, 1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000] as const

interface Dot {
  x: number
  y: number
  rows: KeyRow[]
  worst: Severity | undefined
}

interface Limits {
  warnDays: number
  errorDays: number
}

/** What differs between a picture with usage and one of ages alone. */
interface Plot {
  height: number
  dots: Dot[]
  /** Behind the dots: what stands at their left. */
  scale: Piece
  caption: Piece
}

/** Every active key by its age, and by its requests of 30 days where they are known. */
export function agePicture(rows: readonly KeyRow[], limits: Limits): Markup | undefined {
  if (rows.length === 0) return undefined
  const oldest = rows.reduce((most, { ageDays }) => Math.max(most, ageDays * 1.15), limits.errorDays * 1.3)
  const x = scale(oldest, size.left, size.width - size.right)
  const isUsed = rows.every(({ use }) => use !== undefined)
  const { height, dots, scale: behind, caption } = isUsed ? usePlot(rows, x) : agePlot(rows, x)
  const bottom = height - size.bottom
  const limit = (days: number, name: string) =>
    html`<line class="limit" x1="${x(days)}" y1="${size.top}" x2="${x(days)}" y2="${bottom}" />
      <text x="${x(days)}" y="${size.top - 8}" text-anchor="middle">${name}</text>`
  const name = isUsed ? 'Age and use of every active key' : 'Age of every active key'
  return html`<figure>
    <div class="wide chart" role="region" aria-label="${name}" tabindex="0">
      <svg
        class="picture"
        viewBox="0 0 ${size.width} ${height}"
        role="img"
        aria-label="${sayIn(rows, limits)}"
      >
        <rect
          class="zone"
          x="${x(limits.warnDays)}"
          y="${size.top}"
          width="${round(size.width - size.right - x(limits.warnDays))}"
          height="${bottom - size.top}"
        />
        ${behind}
        ${ageTicks
          .filter((days) => days <= oldest)
          .map(
            (days) =>
              html`<text x="${x(days)}" y="${bottom + 18}" text-anchor="middle">${ageName(days)}</text>`,
          )}
        ${limit(limits.warnDays, 'warns')} ${limit(limits.errorDays, 'is an error')} ${dots.map(circle)}
        ${labels(dots)}
        <text x="${size.left}" y="${height - 6}">age of the key →</text>
      </svg>
    </div>
    <ul class="legend">
      ${severities.map((severity) => legend(severity, `its severest finding is ${severity === 'error' ? 'an' : 'a'} ${severity}`))}
      ${legend(undefined, 'no finding')}
    </ul>
    <figcaption>${caption}</figcaption>
  </figure>`
}

function usePlot(rows: readonly KeyRow[], x: (days: number) => number): Plot {
  const most = rows.reduce((top, { use }) => Math.max(top, (use?.requests ?? 0) * 1.5), 100)
  const y = scale(most, size.height - size.bottom, size.top)
  const lines = useTicks
    .filter((requests) => requests <= most)
    .map(
      (requests) =>
        html`<line
            class="axis"
            x1="${size.left}"
            y1="${y(requests)}"
            x2="${size.width - size.right}"
            y2="${y(requests)}"
          />
          <text x="${size.left - 8}" y="${y(requests) + 4}" text-anchor="end">${shortCount(requests)}</text>`,
    )
  return {
    height: size.height,
    dots: dotsOf(rows, x, y),
    scale: html`${lines}<text x="0" y="${size.top - 8}">requests ↑</text>`,
    caption: `Each dot is an active key, by its age and its requests of the last 30 days; both scales are logarithmic.
      A greater dot is several keys. Old and much used is what to rotate first; old and at the foot is what to do without.`,
  }
}

/** Keys of about one age stand on each other, as high as there is room. */
function agePlot(rows: readonly KeyRow[], x: (days: number) => number): Plot {
  const columns = new Map<number, Dot[]>()
  const foot = size.ageHeight - size.bottom
  for (const row of rows) {
    const at = Math.round(x(row.ageDays) / stackStep)
    const column = columns.get(at) ?? []
    columns.set(at, column)
    const last = column.at(-1)
    const y = foot - stackStep * (column.length + 0.5)
    if (last !== undefined && y < size.top) last.rows.push(row)
    else column.push({ x: at * stackStep, y, rows: [row], worst: row.worst })
  }
  return {
    height: size.ageHeight,
    dots: [...columns.values()].flat(),
    scale: html`<line
      class="axis"
      x1="${size.left}"
      y1="${foot}"
      x2="${size.width - size.right}"
      y2="${foot}"
    />`,
    caption: `Each dot is an active key, by its age on a logarithmic scale; a greater dot is several keys. How much
      they are used is not known here.`,
  }
}

function circle({ x, y, rows, worst }: Dot): Markup {
  return html`<circle
    class="dot ${worst}"
    cx="${x}"
    cy="${y}"
    r="${round(4.5 + 1.6 * Math.log2(rows.length))}"
  >
    <title>${titleOf(rows)}</title>
  </circle>`
}

/** Logarithmic, with room for zero. */
function scale(most: number, from: number, to: number): (value: number) => number {
  return (value) => round(from + (Math.log10(1 + value) / Math.log10(1 + most)) * (to - from))
}

/** The severest last: nothing lies over them. */
function dotsOf(
  rows: readonly KeyRow[],
  x: (days: number) => number,
  y: (requests: number) => number,
): Dot[] {
  const dots = new Map<string, Dot>()
  for (const row of rows) {
    const at = { x: x(row.ageDays), y: y(row.use?.requests ?? 0) }
    const place = `${Math.round(at.x / cell)} ${Math.round(at.y / cell)}`
    const dot = dots.get(place)
    // rows come severest first, so that the first of a place has its colour
    if (dot === undefined) dots.set(place, { ...at, rows: [row], worst: row.worst })
    else dot.rows.push(row)
  }
  return [...dots.values()].reverse()
}

/** The names of the severest, where there is room for them. */
function labels(dots: readonly Dot[]): Markup[] {
  const taken = dots.map(({ x, y }) => ({ left: x - 5, right: x + 5, top: y - 5, bottom: y + 5 }))
  const placed: Markup[] = []
  for (const { x, y, rows, worst } of dots.toReversed()) {
    if (placed.length >= mostLabels || worst === undefined || worst === 'note') break
    const [first] = rows
    if (first === undefined) continue
    const text = rows.length > 1 ? `${rows.length} keys` : cut(first.key.name)
    const wide = text.length * 6.6
    for (const [anchor, left, dy] of [
      ['start', x + 9, 4],
      ['end', x - 9 - wide, 4],
      ['start', x + 6, -9],
      ['start', x + 6, 17],
      ['end', x - 6 - wide, -9],
      ['end', x - 6 - wide, 17],
    ] as const) {
      const box = { left, right: left + wide, top: y + dy - 11, bottom: y + dy + 3 }
      const isFree = taken.every(
        (other) =>
          box.right < other.left ||
          box.left > other.right ||
          box.bottom < other.top ||
          box.top > other.bottom,
      )
      if (!isFree || box.left < size.left || box.right > size.width - size.right || box.top < size.top)
        continue
      taken.push(box)
      placed.push(
        html`<text
          class="label"
          x="${anchor === 'end' ? left + wide : left}"
          y="${y + dy}"
          text-anchor="${anchor}"
        >
          ${text}
        </text>`,
      )
      break
    }
  }
  return placed
}

function cut(name: string): string {
  const letters = [...oneLine(name)]
  return letters.length > 24 ? `${letters.slice(0, 23).join('')}…` : letters.join('')
}

function legend(severity: Severity | undefined, words: string): Markup {
  return html`<li>
    <svg width="12" height="12" viewBox="0 0 12 12" aria-hidden="true">
      <circle class="dot ${severity}" cx="6" cy="6" r="5" /></svg
    >${words}
  </li>`
}

function titleOf(rows: readonly KeyRow[]): string {
  const [first] = rows
  if (first === undefined) return ''
  const { key, ageDays, use } = first
  const used = use === undefined ? '' : `, ${counted(use.requests, 'request')} in 30 days`
  const one = `${key.name} (${key.id}): ${counted(Math.floor(ageDays), 'day')} old${used}`
  return rows.length === 1 ? one : `${one}; and ${rows.length - 1} more`
}

function sayIn(rows: readonly KeyRow[], { warnDays, errorDays }: Limits): string {
  const older = (days: number) => rows.filter(({ ageDays }) => ageDays > days).length
  const ages = `${older(warnDays)} older than ${warnDays} days, ${older(errorDays)} older than ${errorDays}`
  const of = counted(rows.length, 'active key')
  const rest = 'The table of keys has the figures.'
  if (rows.some(({ use }) => use === undefined)) return `${of} by age: ${ages}. ${rest}`
  const idle = rows.filter(({ use }) => use?.requests === 0).length
  return `${of} by age and requests of 30 days: ${ages}; ${idle} without a request. ${rest}`
}

function ageName(days: number): string {
  return days >= 365 ? `${days / 365} y` : `${days} d`
}

function shortCount(requests: number): string {
  if (requests >= 1_000_000) return `${requests / 1_000_000}M`
  return requests >= 1_000 ? `${requests / 1_000}k` : String(requests)
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
