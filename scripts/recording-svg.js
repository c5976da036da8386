// A film of a terminal as one SVG that moves by CSS alone: no script, nothing from elsewhere, so that a README may show it.
// All frames stand side by side, and the strip is pulled through a window of one frame's width.

const characterWidth = 8.4
const lineHeight = 19
const padding = 14
/** Nothing happens for longer than this: what is waited for is cut. */
const longestPauseMs = 2_500
const lastFrameMs = 6_000

/** Foreground colours by their number in the terminal's palette, on a light ground and on a dark one. */
const palette = {
  1: ['#b42318', '#ff7b72'],
  2: ['#1a7f37', '#56d364'],
  3: ['#8a5a00', '#e3b341'],
  4: ['#0550ae', '#79c0ff'],
  5: ['#8250df', '#d2a8ff'],
  6: ['#0b6a75', '#56d4dd'],
  7: ['#57606a', '#c9d1d9'],
  8: ['#6e7781', '#8b949e'],
}

/**
 * The picture of a film. Throws where there is no frame.
 * @param {import('./recording-screen.js').Frame[]} frames
 * @param {{ columns: number, rows: number, title: string, description: string }} options
 */
export function renderSvg(frames, { columns, rows, title, description }) {
  if (frames.length === 0) throw new Error('there is nothing to show')
  const width = Math.ceil(columns * characterWidth + 2 * padding)
  const height = rows * lineHeight + 2 * padding
  const times = timesOf(frames)
  const durationMs = times.at(-1) + lastFrameMs
  const lines = new Map()
  const strip = frames.map(
    (frame, index) => `<g transform="translate(${index * width})">${shownRows(frame, lines)}</g>`,
  )
  const steps = times.map(
    (at, index) => `${percent(at / durationMs)}{transform:translateX(${-index * width}px)}`,
  )
  const last = `translateX(${-(frames.length - 1) * width}px)`
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>${escaped(title)}</title>
<desc>${escaped(description)}</desc>
<style>
text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;white-space:pre;fill:#1f2328}
.ground{fill:#f6f8fa;stroke:#d0d7de}.cursor{fill:#1f2328;opacity:.5}
.b{font-weight:bold}.d{opacity:.62}.u{text-decoration:underline}
${coloursFor(0)}
@media (prefers-color-scheme:dark){text{fill:#e6edf3}.ground{fill:#0d1117;stroke:#30363d}.cursor{fill:#e6edf3}
${coloursFor(1)}}
.strip{animation:play ${(durationMs / 1_000).toFixed(2)}s step-end infinite}
@media (prefers-reduced-motion:reduce){.strip{animation:none;transform:${last}}}
@keyframes play{${steps.join('')}to{transform:${last}}}
</style>
<defs>${[...lines].map(([line, id]) => `<g id="${id}">${line}</g>`).join('\n')}</defs>
<rect class="ground" x=".5" y=".5" width="${width - 1}" height="${height - 1}" rx="8"/>
<clipPath id="window"><rect width="${width}" height="${height}"/></clipPath>
<g clip-path="url(#window)"><g transform="translate(${padding} ${padding})"><g class="strip">
${strip.join('\n')}
</g></g></g>
</svg>
`
}

/** When each frame is shown, with long pauses cut. Milliseconds from the beginning. */
function timesOf(frames) {
  let at = 0
  return frames.map((frame, index) => {
    const before = frames[index - 1]
    if (before !== undefined) at += Math.min(frame.at - before.at, longestPauseMs)
    return at
  })
}

function percent(share) {
  return `${(share * 100).toFixed(3).replace(/\.?0+$/, '')}%`
}

function coloursFor(ground) {
  return Object.entries(palette)
    .map(
      ([number, colours]) =>
        `.c${number}${Number(number) < 8 ? `,.c${Number(number) + 8}` : ''}{fill:${colours[ground]}}`,
    )
    .filter((rule, index) => index < 7 || !rule.includes(','))
    .join('')
}

/** The rows of a frame; each different line is in the picture once, under an id. */
function shownRows({ rows, cursor }, lines) {
  const uses = rows.flatMap((pieces, row) => {
    if (pieces.length === 0) return []
    const line = lineOf(pieces)
    if (!lines.has(line)) lines.set(line, `l${lines.size}`)
    return [`<use href="#${lines.get(line)}" y="${row * lineHeight}"/>`]
  })
  const mark =
    cursor === undefined
      ? ''
      : `<rect class="cursor" x="${places(cursor.column)}" y="${cursor.row * lineHeight + 2}" width="8" height="16"/>`
  return uses.join('') + mark
}

/** Whatever the font, a character stands where the terminal had it. */
function lineOf(pieces) {
  const spans = pieces.map(({ column, text, style }) => {
    const span = [...text].length
    const look = style === '' ? '' : ` class="${style}"`
    return `<tspan x="${places(column)}" textLength="${places(span)}"${look}>${escaped(text)}</tspan>`
  })
  return `<text y="14" xml:space="preserve">${spans.join('')}</text>`
}

function places(columns) {
  return Number((columns * characterWidth).toFixed(1))
}

function escaped(text) {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
