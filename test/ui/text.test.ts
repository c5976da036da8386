import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatAge } from '../../src/ages.ts'
import { plain, wantsColour } from '../../src/ui/paint.ts'
import { colours } from '../../src/ui/colours.ts'
import { renderTable } from '../../src/ui/table.ts'
import { Secret } from '../../src/secret.ts'
import { cleaned, lines, oneLine, toJson, toJsonParts } from '../../src/ui/text.ts'

const hostile = 'a\u001b]0;title\u0007b\u202ec\u200bd\u009be\u0000f\u2028g\ufeffh\u00adi\u2066j\u007f'

describe('text from outside', () => {
  test('loses what a terminal acts on', () => {
    expect(oneLine(hostile)).toBe('a]0;titlebcdefghij')
    expect(oneLine('two\r\nlines\tand a tab')).toBe('two lines and a tab')
    expect(lines('two\r\nlines\u001b[2J')).toBe('two\nlines[2J')
  })

  test('keeps what people write', () => {
    for (const text of ['Größe – naïve', '日本語', 'emoji 👍🏽', 'a\u0301']) expect(oneLine(text)).toBe(text)
  })

  test('is cleaned in every depth, and in the names of fields', () => {
    const secret: object = new Secret('x')
    const data = { list: [{ name: 'a\u0007' }], ['k\u001b']: null, count: 1, secret }
    expect(cleaned(data)).toEqual({ list: [{ name: 'a' }], k: null, count: 1, secret })
    expect(cleaned(data).secret).toBe(secret)
  })

  test('survives JSON unchanged, as escape sequences', () => {
    const json = toJson({ hostile })
    expect(json).not.toMatch(/[^\u0020-\u007e]/)
    expect(JSON.parse(json)).toEqual({ hostile })
  })
})

describe('ages', () => {
  const now = Date.parse('2026-06-15T12:00:00Z')
  test.each([
    ['2026-06-15T11:59:30Z', 'just now'],
    ['2026-06-15T11:59:10Z', '1m ago'],
    ['2026-06-15T11:30:00Z', '30m ago'],
    ['2026-06-15T09:00:00Z', '3h ago'],
    ['2026-06-12T12:00:00Z', '3d ago'],
    ['2026-04-01T12:00:00Z', '2mo ago'],
    ['2024-06-01T12:00:00Z', '2y ago'],
    ['2026-06-15T12:10:00Z', 'in 10m'],
    ['not an instant', 'not an instant'],
    [null, 'never'],
  ])('%s is %s', (instant, age) => {
    expect(formatAge(instant, now)).toBe(age)
  })
})

describe('colour', () => {
  const terminal = { isTTY: true }
  test.each([
    [terminal, {}, false, true],
    [{}, {}, false, false],
    [terminal, { NO_COLOR: '1' }, false, false],
    [terminal, { NO_COLOR: '' }, false, true],
    [terminal, { TERM: 'dumb' }, false, false],
    [{}, { FORCE_COLOR: '1' }, false, true],
    [{}, { FORCE_COLOR: '1', TERM: 'dumb' }, false, true],
    [terminal, { FORCE_COLOR: '0' }, false, false],
    [terminal, { FORCE_COLOR: '1', NO_COLOR: '1' }, false, false],
    [terminal, {}, true, false],
  ])('%j %j %j: %j', (stream, env, noColor, wanted) => {
    expect(wantsColour(stream, env, noColor)).toBe(wanted)
  })
})

describe('a table', () => {
  const rows = [
    { id: 'a', name: 'short' },
    { id: 'bcd', name: `a name that is far too long for eighty columns ${'x'.repeat(60)}` },
  ]
  const columns = [
    { head: 'ID', value: ({ id }: (typeof rows)[number]) => id, align: 'right' as const },
    { head: 'NAME', value: ({ name }: (typeof rows)[number]) => name, flexible: true },
  ]

  test('fits its width by the flexible column', () => {
    const [head, first, second] = renderTable(columns, rows, { width: 40, paint: plain }).split('\n')
    expect(head).toBe(' ID  NAME')
    expect(first).toBe('  a  short')
    expect(second).toMatch(/^bcd {2}a name that .*…$/)
    expect(second?.length).toBeLessThanOrEqual(40)
  })

  test('is whole where there is room', () => {
    expect(renderTable(columns, rows, { width: 200, paint: plain })).toContain('x'.repeat(60))
  })

  test('is without the optional columns where the flexible one cannot give way enough, the first one first', () => {
    const few = columns.slice(0, 2)
    const more = [
      { head: 'AGE', value: () => 'a week', optional: true },
      ...few,
      { head: 'USE', value: () => 'never', optional: true },
    ]
    const heads = [40, 27, 20].map((width) => renderTable(more, rows, { width, paint: plain }).split('\n')[0])
    expect(heads.map((head) => head?.trim().split(/ +/))).toEqual([
      ['AGE', 'ID', 'NAME', 'USE'],
      ['ID', 'NAME', 'USE'],
      ['ID', 'NAME'],
    ])
  })

  test('lets several columns give way together, the widest first', () => {
    const two = [
      columns[1] as (typeof columns)[number],
      { head: 'WHY', value: () => 'y'.repeat(30), flexible: true },
    ]
    const [, , second] = renderTable(two, rows, { width: 50, paint: plain }).split('\n')
    expect(second?.split('  ').map((cell) => cell.length)).toEqual([24, 24])
  })

  test('has an optional column in brief before it goes', () => {
    const more = [
      ...columns,
      { head: 'DAYS', value: () => '1234567890', brief: () => '7890', optional: 'first' as const },
    ]
    const ends = [80, 26, 20].map((width) => renderTable(more, rows, { width, paint: plain }).split('\n')[1])
    expect(ends.map((line) => line?.trim().split(/ +/).at(-1))).toEqual(['1234567890', '7890', 'short'])
  })

  test('is a block a row where it cannot be narrow enough', () => {
    const more = [
      { head: '', value: () => '*' },
      ...columns,
      { head: 'NOTE', value: ({ id }: { id: string }) => (id === 'a' ? '' : 'x') },
    ]
    expect(renderTable(more, rows.slice(0, 2), { width: 16, paint: plain }).split('\n')).toEqual([
      'ID    a',
      'NAME  short',
      '',
      'ID    bcd',
      expect.stringMatching(/^NAME {2}a name that .*x$/),
      'NOTE  x',
    ])
  })

  test('measures wide characters as a terminal shows them', () => {
    const wide = [
      { id: 'a', name: '日本語' },
      { id: 'b', name: 'abcdef' },
    ]
    const withEnd = [...columns, { head: 'END', value: () => '|' }]
    expect(renderTable(withEnd, wide, { width: 80, paint: plain }).split('\n').slice(1)).toEqual([
      ' a  日本語  |',
      ' b  abcdef  |',
    ])
  })

  test('is coloured without moving', () => {
    const painted = columns.map((column) => ({ ...column, paint: (text: string) => colours.red(text) }))
    const table = renderTable(painted, rows, { width: 40, paint: colours })
    expect(table).toContain('\u001b[31m')
    const bare = table.replace(/\u001b\[\d+m/g, '').replace(/ +$/gm, '')
    expect(bare).toBe(renderTable(columns, rows, { width: 40, paint: plain }))
  })
})

test('JSON holds no command of a CI, and says the same', () => {
  for (const text of [
    '##vso[task.setvariable variable=x]y',
    'a ##[add-mask]b',
    '###[x]',
    '##VSO[x]',
    '# #[',
  ]) {
    const json = toJson({ text })
    expect(json).not.toMatch(/##(?:vso)?\[/i)
    expect(JSON.parse(json)).toEqual({ text })
  }
})

describe('a document in parts', () => {
  const texts = fc.string({ unit: 'binary' })
  const item = fc.oneof(fc.jsonValue(), fc.record({ name: texts, at: fc.option(texts, { nil: undefined }) }))
  const list = fc.array(item, { minLength: 0, maxLength: 350, size: 'max' })

  test('is the document', () => {
    fc.assert(
      fc.property(fc.dictionary(texts, fc.oneof(item, list, fc.constant(undefined))), (document) => {
        expect([...toJsonParts(document)].join('')).toBe(toJson(document))
      }),
      { numRuns: 60 },
    )
    for (const document of [[], {}, null, 'text', Array.from({ length: 300 }, (_, n) => n)]) {
      expect([...toJsonParts(document)].join('')).toBe(toJson(document))
    }
  })

  test('has no long list in one part', () => {
    const usage = Array.from({ length: 10_000 }, (_, index) => ({ keyId: `key_${index}` }))
    const longest = Math.max(...[...toJsonParts({ usage, totals: {} })].map(({ length }) => length))
    expect(longest).toBeLessThan(3_000)
  })
})
