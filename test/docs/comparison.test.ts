// A comparison that lets everything pass would be none.
import { describe, expect, test } from 'vitest'
import { readDocument } from './blocks.ts'
import { bind, isPrinted, isSameJson, noBindings, withRealIds } from './comparison.ts'
import { wordsOf } from './words.ts'

describe('what is printed', () => {
  test.each([
    ['revoked Server (key_4f8s2k1n9d0q)', 'revoked Server (key_x32nq3pn9iyg)'],
    ['at 2026-11-21T17:23:02.138Z, 3h ago', 'at 2027-01-01T00:00:00.000Z, 12m ago'],
    ['http://127.0.0.1:4020/x', 'http://127.0.0.1:38593/x'],
    ['ID                NAME', 'ID       NAME'],
    ['"requests": 5,', '"requests": 7,'],
    ['rate  … of 300 left', 'rate  293 of 300 left'],
    ['from pk_live_…NOKG', 'from pk_live_…w6Mp'],
  ])('is what is said, but for what is another each time: %s', (written, printed) => {
    expect(isPrinted([written], [printed], noBindings())).toBe(true)
  })

  test.each([
    ['revoked Server', 'revoked Servers'],
    ['3 keys', '4 keys'],
    ['pk_live_…', 'pk_test_…'],
    ['at 2026-11-21T17:23:02.138Z', 'at never'],
    ['old key  key_4f8s2k1n9d0q', 'old key  none'],
    ['exit code 6', 'exit code 7'],
  ])('is not: %s', (written, printed) => {
    expect(isPrinted([written], [printed], noBindings())).toBe(false)
  })

  test('an id stands for one id from its first mention on', () => {
    const bindings = noBindings()
    expect(isPrinted(['created key_aaaaaa'], ['created key_bbbbbb'], bindings)).toBe(true)
    expect(isPrinted(['revoked key_aaaaaa'], ['revoked key_cccccc'], bindings)).toBe(false)
    expect(isPrinted(['revoked key_dddddd'], ['revoked key_bbbbbb'], bindings)).toBe(false)
    expect(isPrinted(['revoked key_aaaaaa'], ['revoked key_bbbbbb'], bindings)).toBe(true)
    expect(withRealIds('show key_aaaaaa', bindings)).toBe('show key_bbbbbb')
  })

  test('a line may be broken where what follows stands in', () => {
    expect(isPrinted(['a b c d', 'e'], ['a b', '  c', '    d', 'e'], noBindings())).toBe(true)
    expect(isPrinted(['a b', 'e'], ['a', 'b', 'e'], noBindings())).toBe(false)
    expect(isPrinted(['a b', 'e'], ['a', '  b', '  c', 'e'], noBindings())).toBe(false)
    expect(isPrinted(['a b', '  e'], ['a', '  b', '  e'], noBindings())).toBe(true)
  })

  test('a line … is any number of lines; without it none may be missing', () => {
    for (const middle of [[], ['x'], ['x', 'y']]) {
      expect(isPrinted(['a', '…', 'b'], ['a', ...middle, 'b'], noBindings())).toBe(true)
      expect(isPrinted(['a', 'b'], ['a', ...middle, 'b'], noBindings())).toBe(middle.length === 0)
    }
    expect(isPrinted(['a', '…'], ['a'], noBindings())).toBe(true)
    expect(isPrinted(['a'], ['a', 'b'], noBindings())).toBe(false)
  })
})

test('JSON is the same where its fields, kinds and texts are', () => {
  const bindings = noBindings()
  bind(bindings, 'key_aaaaaa', 'key_bbbbbb')
  const written = { id: 'key_aaaaaa', uses: 3, list: [null, 'x'] }
  expect(isSameJson(written, { id: 'key_bbbbbb', uses: 4, list: [null, 'x'] }, bindings)).toBe(true)
  for (const other of [
    { id: 'key_cccccc', uses: 3, list: [null, 'x'] },
    { id: 'key_bbbbbb', uses: '3', list: [null, 'x'] },
    { id: 'key_bbbbbb', uses: 3, list: [null] },
    { id: 'key_bbbbbb', uses: 3, list: [null, 'x'], more: 1 },
    { id: 'key_bbbbbb', list: [null, 'x'] },
  ]) {
    expect(isSameJson(written, other, bindings)).toBe(false)
  }
})

describe('a document', () => {
  const text = [
    '## A', '', '<!-- session', 'hurry', '-->', '', '<!-- exit 3 -->', '', '```console', '$ a \\', '  b', 'out', '$ c', '```',
    '', '<!-- not run: no cloud here -->', '', '```sh', 'd', '```',
  ].join('\n') // prettier-ignore

  test('is read: sessions, directives, commands', () => {
    const [session] = readDocument('x.md', text)
    expect(session).toMatchObject({ title: 'x.md: A', stage: ['hurry'] })
    expect(session?.blocks).toMatchObject([
      { line: 9, language: 'console', exit: 3, notRun: undefined },
      { line: 18, language: 'sh', exit: 0, notRun: 'no cloud here' },
    ])
  })

  test('a comment that is no directive, or a block without an end, is an error', () => {
    expect(() => readDocument('x.md', '<!-- exti 3 -->')).toThrow('x.md:1: no directive: exti 3')
    expect(() => readDocument('x.md', '```sh\na')).toThrow('x.md:1: a block without an end')
  })
})

test('the words of a command line end at a pipe or a redirection', () => {
  expect(wordsOf(`rotate "a b" --to 'env:.env#X' --json > x`)).toEqual([
    'rotate',
    'a b',
    '--to',
    'env:.env#X',
    '--json',
  ])
})
