import type { TimelineRow } from '../../audit/incident-timeline.ts'
import { html, type Markup, type Piece } from '../html/markup.ts'
import { figure, minute } from './words.ts'

const [width, height, top, left] = [960, 150, 14, 8] as const
/** Narrower bars could not be told apart. */
const mostBars = 320

interface Bar {
  from: string
  requests: number
  unseen: number
}

/** Requests over time, and how many of them came from callers never seen before; the table below says the same in words. */
export function timelinePicture(rows: readonly TimelineRow[]): Piece {
  const bars = barsOf(rows)
  const most = Math.max(0, ...bars.map(({ requests }) => requests))
  if (most === 0) return undefined
  const step = (width - 2 * left) / bars.length
  const scale = (count: number) => (count / most) * (height - top)
  const [first, last] = [bars[0]?.from ?? '', bars.at(-1)?.from ?? '']
  const words = `Requests from ${minute(first)} to ${minute(last)} UTC; at most ${figure(most)} in one bar`
  return html`<figure>
    <div class="wide chart" role="region" aria-label="Requests over time" tabindex="0">
      <svg viewBox="0 0 ${width} ${height + 24}" role="img" aria-label="${words}">
        <line class="axis" x1="${left}" x2="${width - left}" y1="${height}" y2="${height}"></line>
        ${bars.flatMap((bar, index) => drawBar(bar, left + index * step, Math.max(1, step - 1), scale))}
        <text x="${left}" y="${height + 18}">${minute(first)}</text>
        <text x="${width - left}" y="${height + 18}" text-anchor="end">${minute(last)}</text>
        <text x="${left}" y="11">${figure(most)}</text>
      </svg>
    </div>
    <figcaption>
      Requests by hour or longer (blue), and those by callers never seen before among them (red). ${words}.
    </figcaption>
  </figure>`
}

function drawBar(
  { requests, unseen }: Bar,
  x: number,
  breadth: number,
  scale: (count: number) => number,
): Markup[] {
  const rect = (name: string, count: number) => {
    const tall = scale(count)
    return html`<rect
      class="${name}"
      x="${x.toFixed(1)}"
      y="${(height - tall).toFixed(1)}"
      width="${breadth.toFixed(1)}"
      height="${tall.toFixed(1)}"
    ></rect>`
  }
  return [...(requests > 0 ? [rect('bar', requests)] : []), ...(unseen > 0 ? [rect('failed', unseen)] : [])]
}

/** Of the incident, every bar as long as the next: quiet stretches are as long as they were. */
function barsOf(rows: readonly TimelineRow[]): Bar[] {
  const own = rows.filter(({ kind }) => kind !== 'before')
  const [first, last] = [own[0], own.at(-1)]
  if (first === undefined || last === undefined) return []
  const stepMs = own.some(({ kind }) => kind === 'day') ? 86_400_000 : 3_600_000
  const [begin, end] = [Math.floor(Date.parse(first.from) / stepMs) * stepMs, Date.parse(last.until)]
  const count = Math.max(1, Math.ceil((end - begin) / stepMs))
  const together = Math.ceil(count / mostBars)
  const bars = Array.from({ length: Math.ceil(count / together) }, (_, index) => ({
    from: index === 0 ? first.from : new Date(begin + index * together * stepMs).toISOString(),
    requests: 0,
    unseen: 0,
  }))
  for (const { from, requests, unseen } of own) {
    const bar = bars[Math.floor((Date.parse(from) - begin) / stepMs / together)]
    if (bar === undefined) continue
    bar.requests += requests
    bar.unseen += unseen ?? 0
  }
  return bars
}
