import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bashInsertion, bashWords, fishText, type Word } from '../../src/commands/complete-shells.ts'

/** What a key may be called, with more than its share of what a shell acts on. */
const name = fc
  .array(
    fc.oneof(
      fc.constantFrom(...`"'\\$\`!#~*?[]{}()<>|&;=:% \t^@,.-/`.replace('\t', ' ')),
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 3 }),
    ),
    { minLength: 1, maxLength: 12 },
  )
  .map((parts) => parts.join(''))
  .filter((text) => !/[\p{Cc}\p{Cs}]/u.test(text))

const quotes = ['', '"', "'"] as const

test('what is inserted is that name to bash, in every kind of quotes, and to whoever reads the line again', () => {
  const names = fc.sample(name, { numRuns: 500, seed: 7 })
  for (const quote of quotes) {
    const typed: Word = { text: '', raw: quote, quote }
    const inserted = names.map((each) => `${bashInsertion(each, typed)}${quote}`)
    const script = `printf '%s\\0' ${inserted.join(' ')}`
    const out = execFileSync('bash', ['--norc', '-c', script], { encoding: 'utf8' })
    expect(out.split('\0').slice(0, -1)).toEqual(names)
    for (const [index, text] of inserted.entries()) {
      const words = bashWords(`pictify-keys show ${text}`)
      expect(words.map((word) => word.text)).toEqual(['pictify-keys', 'show', names[index]])
    }
  }
})

test('what was typed of a name stays as it was typed', () => {
  fc.assert(
    fc.property(name, fc.nat(), fc.constantFrom(...quotes), (whole, at, quote) => {
      const begun = whole.slice(0, at % whole.length)
      const raw = bashInsertion(begun, { text: '', raw: quote, quote })
      const typed = bashWords(`pictify-keys show ${raw}`).at(-1)
      fc.pre(typed !== undefined && typed.text === begun)
      const inserted = bashInsertion(whole, typed)
      expect(inserted?.startsWith(raw ?? '')).toBe(true)
      expect(bashWords(`x ${inserted}`).at(-1)?.text).toBe(whole)
    }),
    { numRuns: 300 },
  )
})

test('a candidate that does not begin like what was typed is none', () => {
  expect(bashInsertion('Web', { text: 'App', raw: 'App', quote: '' })).toBeUndefined()
})

test.each([
  ['pictify-keys ', ['pictify-keys', '']],
  ['pictify-keys show a\\ b', ['pictify-keys', 'show', 'a b']],
  ['pictify-keys show "a $(b)', ['pictify-keys', 'show', 'a $(b)']],
  ['pictify-keys show \'a\'"b"c', ['pictify-keys', 'show', 'abc']],
  ['cd /x && FOO=1 pictify-keys sh', ['FOO=1', 'pictify-keys', 'sh']],
  ['echo x | pictify-keys sh', ['pictify-keys', 'sh']],
  ['', ['']],
])('%j is the words %j', (line, words) => {
  expect(bashWords(line).map(({ text }) => text)).toEqual(words)
})

test.each([
  ['"Prod', 'Prod'],
  ["'Prod Ser", 'Prod Ser'],
  ['Prod\\ Ser', 'Prod Ser'],
  ['env:.e', 'env:.e'],
])('fish hands over %s for %s', (raw, text) => {
  expect(fishText(raw)).toBe(text)
})
