import { EventEmitter } from 'node:events'
import { Terminal } from '@xterm/headless'
import { afterEach, describe, expect, it } from 'vitest'
import { openRegion, type Region } from '../../src/ui/live.ts'

// The region alone, in a terminal that keeps lines as they are when it gets narrower and in one that breaks them anew.

let region: Region | undefined
afterEach(() => region?.end())

function open(columns: number, rows: number, reflows = true) {
  const terminal = new Terminal({
    cols: columns,
    rows,
    allowProposedApi: true,
    convertEol: true,
    // what such a terminal does not do is told by its age
    ...(reflows ? {} : { windowsPty: { backend: 'conpty', buildNumber: 19_000 } }),
  })
  let written = ''
  const stream = Object.assign(new EventEmitter(), {
    columns,
    rows,
    isTTY: true,
    write(text: string) {
      written += text
      terminal.write(text)
      return true
    },
  })
  let lines: string[] = []
  stream.write('above\n')
  region = openRegion({ stream: stream as unknown as NodeJS.WriteStream, lines: () => lines, reflows })
  const opened = region
  return {
    region: opened,
    written: () => written,
    show: (...next: string[]) => {
      lines = next
      opened.draw()
    },
    resize: async (toColumns: number, toRows: number) => {
      await shown()
      terminal.resize(toColumns, toRows)
      Object.assign(stream, { columns: toColumns, rows: toRows })
      stream.emit('resize')
    },
    shown,
  }

  async function shown(): Promise<string[]> {
    await new Promise<void>((resolve) => terminal.write('', resolve))
    const { active } = terminal.buffer
    const all = Array.from(
      { length: active.length },
      (_, row) => active.getLine(row)?.translateToString(true, 0, terminal.cols).trimEnd() ?? '',
    )
    return all.join('\n').trimEnd().split('\n')
  }
}

describe('the region', () => {
  it.each([
    ['grows', ['a', 'b'], ['a', 'b', 'c', 'd']],
    ['shrinks', ['a', 'b', 'c', 'd'], ['a', 'd']],
    ['loses a line in its middle', ['a', 'b', 'c', 'd'], ['a', 'c2', 'd']],
    ['changes its first line', ['a', 'b', 'c'], ['x', 'b', 'c']],
    ['changes all but its first', ['a', 'b', 'c'], ['a', 'y', 'z']],
    ['stays as it is', ['a', 'b'], ['a', 'b']],
    ['goes', ['a', 'b'], []],
    ['comes', [], ['a', 'b']],
  ])('%s', async (_name, before, after) => {
    const { show, shown } = open(40, 12)
    show(...before)
    show(...after)
    expect(await shown()).toEqual(['above', ...(after.length > 0 ? ['', ...after] : [])])
  })

  it('has what is said meanwhile stand above it, and goes with the cursor shown again', async () => {
    const { region, show, shown, written } = open(40, 12)
    show('a', 'b')
    region.write('said\n')
    expect(await shown()).toEqual(['above', 'said', '', 'a', 'b'])
    region.end()
    region.end()
    region.draw()
    expect(await shown()).toEqual(['above', 'said'])
    expect(written().split('\x1b[?25l')).toHaveLength(2)
    expect(written().split('\x1b[?25h')).toHaveLength(2)
  })

  it('leaves the cursor alone while there is nothing to draw', () => {
    const { region, written } = open(40, 12)
    region.write('said\n')
    region.end()
    expect(written()).not.toContain('\x1b[?25')
  })

  it('gives no row away in a terminal of few', async () => {
    const { show, shown } = open(40, 6)
    show('a', 'b')
    expect(await shown()).toEqual(['above', 'a', 'b'])
  })
})

const long = (letter: string) => letter.repeat(35)

describe.each([
  ['breaks lines anew', true],
  ['keeps them as they are', false],
])('a terminal that %s', (_name, reflows) => {
  it('is left without remains when it gets narrower, and with what stood above', async () => {
    const { resize, show, shown } = open(40, 20, reflows)
    show(long('a'), 'b', long('c'))
    await resize(20, 20)
    show('a', 'b', 'c')
    expect(await shown()).toEqual(['above', '', 'a', 'b', 'c'])
    await resize(60, 20)
    show(long('a'), 'b')
    expect(await shown()).toEqual(['above', '', long('a'), 'b'])
  })
})
