import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { DOMParser, type Document, type Element } from '@xmldom/xmldom'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { renderSvg } from '../../scripts/recording-svg.js'
import { openGuide, openProject, shortWay, walk } from './guided.ts'
import type { Rotating } from './rotating.ts'

// The picture of the guide: what is drawn of a recording, and that the one in docs/ is of today's guide.

const picture = fileURLToPath(new URL('../../docs/guide.svg', import.meta.url))
const options = { columns: 20, rows: 3, title: 'a <title>', description: 'one & two' }
const frames = [
  {
    at: 0,
    rows: [[{ column: 0, text: '$ echo "<a> & b"', style: '' }], [], []],
    cursor: { row: 0, column: 16 },
  },
  {
    at: 500,
    rows: [
      [{ column: 0, text: '$ echo "<a> & b"', style: '' }],
      [
        { column: 0, text: '✓', style: 'c2' },
        { column: 2, text: 'done', style: 'b d' },
      ],
      [],
    ],
    cursor: undefined,
  },
  { at: 60_500, rows: [[], [], [{ column: 0, text: '$', style: '' }]], cursor: { row: 2, column: 2 } },
]

/** Throws where it is not well-formed XML. */
function parsed(svg: string): Document {
  const problems: string[] = []
  const document = new DOMParser({ onError: (_level, message) => problems.push(message) }).parseFromString(
    svg,
    'image/svg+xml',
  )
  expect(problems).toEqual([])
  return document
}
const all = (of: Document | Element, name: string) => [...of.getElementsByTagName(name)]
/** The lines of a frame as text, and where they stand. */
function linesOf(document: Document, frame: Element): string[] {
  const lines = new Map(
    all(document, 'g').map((group) => [`#${group.getAttribute('id')}`, group.textContent]),
  )
  return all(frame, 'use').map(
    (use) => `${use.getAttribute('y')} ${lines.get(use.getAttribute('href') ?? '')}`,
  )
}
const stripOf = (document: Document) => {
  const strip = all(document, 'g').find((group) => group.getAttribute('class') === 'strip')
  return all(strip ?? document, 'g')
}

describe('a recording', () => {
  it('is drawn frame by frame, in their order', () => {
    const document = parsed(renderSvg(frames, options))
    const strip = stripOf(document)
    expect(strip.map((frame) => frame.getAttribute('transform'))).toEqual(
      [0, 196, 392].map((x) => `translate(${x})`),
    )
    expect(strip.map((frame) => linesOf(document, frame))).toEqual([
      ['0 $ echo "<a> & b"'],
      ['0 $ echo "<a> & b"', '19 ✓done'],
      ['38 $'],
    ])
    expect(strip.map((frame) => all(frame, 'rect').length)).toEqual([1, 0, 1])
    expect(document.documentElement?.getAttribute('viewBox')).toBe('0 0 196 85')
  })

  it('moves from frame to frame at their times, with long waits cut', () => {
    const css = all(parsed(renderSvg(frames, options)), 'style')[0]?.textContent ?? ''
    const steps = [...css.matchAll(/([\d.]+)%\{transform:translateX\((-?\d+)px\)\}/g)]
    // 500 ms, 2.5 s of the minute, and the last frame's 6 s
    expect(css).toContain('animation:play 9.00s step-end infinite')
    expect(steps.map(([, share, x]) => [Number(share), Math.abs(Number(x))])).toEqual([
      [0, 0],
      [5.556, 196],
      [33.333, 392],
    ])
  })

  it('puts a line that comes again there once, and each piece where the terminal had it', () => {
    const document = parsed(renderSvg(frames, options))
    const lines = all(all(document, 'defs')[0] ?? document, 'text')
    expect(lines).toHaveLength(3)
    const pieces = all(lines[1] ?? document, 'tspan')
    expect(pieces.map((piece) => [piece.getAttribute('x'), piece.getAttribute('class')])).toEqual([
      ['0', 'c2'],
      ['16.8', 'b d'],
    ])
  })

  it('is nothing without frames', () => {
    expect(() => renderSvg([], options)).toThrow('nothing to show')
  })
})

describe('docs/guide.svg', () => {
  let project: Rotating
  beforeEach(async () => {
    project = await openProject()
  })
  afterEach(() => project.end())

  it('is one file that moves by CSS alone, and stands still for who wants that', async () => {
    const svg = await readFile(picture, 'utf8')
    const document = parsed(svg)
    expect(document.documentElement?.tagName).toBe('svg')
    const allowed = ['svg', 'title', 'desc', 'style', 'defs', 'g', 'rect', 'text', 'tspan', 'use', 'clipPath']
    expect(all(document, '*').filter(({ tagName }) => !allowed.includes(tagName))).toEqual([])
    for (const element of all(document, '*')) {
      for (const { name, value } of element.attributes) {
        expect(name).not.toMatch(/^on/)
        if (name.endsWith('href')) expect(value).toMatch(/^#/)
      }
    }
    expect(svg).not.toMatch(/url\((?!#)|@import|https?:\/\/(?!www\.w3\.org\/2000\/svg|example\.com)/)
    expect(svg).toContain('prefers-color-scheme:dark')
    expect(svg).toContain('prefers-reduced-motion:reduce')
    expect(svg.length).toBeLessThan(200 * 1_024)
    expect(svg).not.toMatch(/pk_(live|test)_\w/)
  })

  it("was made by today's guide: npm run recording makes it anew", async () => {
    const document = parsed(await readFile(picture, 'utf8'))
    const strip = stripOf(document)
    const lines = strip.map((frame) => linesOf(document, frame).map((line) => line.replace(/^\d+ /, '')))
    const text = lines.map((each) => each.join('\n')).join('\n')
    const screen = openGuide(project, { columns: 92 })
    await walk(screen, shortWay, shortWay.length)
    expect((await screen.ended).exit, screen.scrollback()).toBe(0)
    // without blanks: in the picture they are places, and no characters
    const bare = (line: string) => line.replaceAll(/key_\w+|\s/g, '')
    const drawn = bare(text)
    const questions = screen
      .scrollback()
      .split('\n')
      .filter((line) => line.startsWith('✔'))
    expect(questions).toHaveLength(shortWay.length)
    for (const question of questions) expect(drawn).toContain(bare(question))
    const plan = screen
      .scrollback()
      .split('\n')
      .filter((line) => /^ \d\. /.test(line))
    expect(plan).toHaveLength(8)
    for (const each of plan) expect(drawn).toContain(bare(each).slice(0, 30))
    for (const step of ['plan', 'mint', 'accept', 'deliver', 'verify', 'overlap', 'retire', 'finish'])
      expect(drawn).toContain(`✓${step}`)
    // the frames are in the order in which it was seen
    const firstAt = (shown: string) => lines.findIndex((each) => bare(each.join('')).includes(shown))
    const seen = [
      'Whichkeyistoberotated?',
      'Wheredoestheapplicationfindit?',
      'Thisiswhatwillhappen',
      '✓plan',
      '✓finish',
    ]
    expect(seen.map(firstAt)).toEqual(seen.map(firstAt).toSorted((one, other) => one - other))
    expect(firstAt('Whichkeyistoberotated?')).toBeGreaterThan(0)
  })
})
