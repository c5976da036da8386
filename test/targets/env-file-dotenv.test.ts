import dotenv from 'dotenv'
import { describe, expect, test } from 'vitest'
import { KeysError } from '../../src/errors.ts'
import { Secret } from '../../src/secret.ts'
import { getVariable, putBackVariable, removeVariable, setVariable } from '../../src/targets/env-file.ts'
import { fc } from '../property.ts'

const name = 'PICTIFY_API_KEY'
const old = 'pk_live_OldOldOldOldOld1'

describe('against dotenv', () => {
  const piece = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.constantFrom(name, 'A', 'export ', '=', ' = ', ': ', old, `${name}=`, `${name}=${old}`),
    },
    {
      weight: 5,
      arbitrary: fc.constantFrom(
        '\n',
        '\r\n',
        '\r',
        ' ',
        '\t',
        '#',
        ' # ',
        '"',
        "'",
        '`',
        '\\',
        '\\n',
        '$',
        '\\"',
      ),
    },
    { weight: 1, arbitrary: fc.constantFrom('\ufeff', '\u2028', '\u00a0', 'é', '😀', 'x', '""', "''") },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 4 }) },
  )
  const garbage = fc.uint8Array({ maxLength: 3 }).map((array) => Buffer.from(array))
  const loose = fc
    .array(
      fc.oneof(
        { weight: 9, arbitrary: piece.map((text) => Buffer.from(text)) },
        { weight: 1, arbitrary: garbage },
      ),
    )
    .map((pieces) => Buffer.concat(pieces))

  const mark = fc.constantFrom('', '"', "'", '`')
  const line = fc.oneof(
    fc
      .tuple(mark, fc.constantFrom('x', old, 'a b', '', 'a\nb', 'é'))
      .map(([q, value]) => `A=${q}${value}${q}`),
    fc
      .tuple(
        fc.constantFrom('', 'export ', ' '),
        fc.constantFrom('=', ' = ', '='),
        mark,
        fc.constantFrom('', ' # c', '  '),
      )
      .map(([lead, equals, q, tail]) => `${lead}${name}${equals}${q}${old}${q}${tail}`),
    fc.constantFrom('# comment "', '', 'not an assignment', 'B=', `#${name}=x`),
  )
  const tidy = fc
    .tuple(fc.array(line, { maxLength: 6 }), fc.constantFrom('\n', '\r\n'), fc.boolean())
    .map(([lines, ending, final]) => Buffer.from(lines.join(ending) + (final ? ending : '')))
  const file = fc.oneof(loose, tidy)
  const secret = fc.oneof(
    fc.stringMatching(/^pk_(live|test)_[A-Za-z0-9_-]{1,40}$/),
    fc.string({ minLength: 1, maxLength: 12 }),
  )

  /** What the work gives, or undefined where it was refused. */
  function unlessRefused<T>(work: () => T): { value: T } | undefined {
    try {
      return { value: work() }
    } catch (error) {
      if (error instanceof KeysError && error.code === 'target-refused') return undefined
      throw error
    }
  }
  const others = (content: Buffer) => Object.entries(dotenv.parse(content)).filter(([key]) => key !== name)

  test('what is read is what dotenv reads', () => {
    let read = 0
    fc.assert(
      fc.property(file, (content) => {
        const held = unlessRefused(() => getVariable(content, name))
        if (!held) return
        read++
        expect(held.value?.value.reveal()).toBe(dotenv.parse(content)[name])
      }),
      { numRuns: 3000 },
    )
    expect(read).toBeGreaterThan(500)
  })

  test('what is written is what dotenv reads, all else reads as before, and the way back is byte for byte', () => {
    let written = 0
    fc.assert(
      fc.property(file, secret, (content, value) => {
        const edited = unlessRefused(() => setVariable(content, name, new Secret(value)))
        if (!edited) return
        written++
        expect(dotenv.parse(edited.value)[name]).toBe(value)
        expect(others(edited.value)).toEqual(others(content))
        const held = getVariable(content, name)
        const back = held ? putBackVariable(edited.value, name, held) : removeVariable(edited.value, name)
        expect(back.equals(content)).toBe(true)
      }),
      { numRuns: 3000 },
    )
    expect(written).toBeGreaterThan(500)
  })
})
