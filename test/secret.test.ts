import { describe, expect, test } from 'vitest'
import { redact, Secret } from '../src/secret.ts'
import { fc } from './property.ts'

const body = 'aB3dE6gH9jK2mN5pQ8sT1vW4yZ7cF0x9'
const secret = new Secret(`pk_live_${body}`)
const masked = (text: string) => redact(text, [secret])
const base64 = (text: string) => Buffer.from(text).toString('base64')

describe('redact takes out', () => {
  test.each([
    ['the secret', secret.reveal(), '[secret]'],
    ['what is shaped like one', 'a pk_test_Other-Key_1 b', 'a [secret] b'],
    ['a part of it', `<${body.slice(5, 13)}>`, '<[secret]>'],
    ['a part with its prefix', `<pk_live_${body.slice(0, 9)}…>`, '<[secret]…>'],
    ['both halves of one that was cut', `${body.slice(0, 16)} ${body.slice(16)}`, '[secret] [secret]'],
    ['one in capitals', body.toUpperCase(), '[secret]'],
    ['its hex', Buffer.from(body).toString('hex'), '[secret]'],
    ['its base64, but for what is half of something else', base64(body), '[secret]k='],
  ])('%s', (_, text, clean) => expect(masked(text)).toBe(clean))

  test('nothing else', () => {
    for (const text of [
      '',
      'short',
      secret.hint,
      body.slice(-4),
      'a whole line of other text, 0123456789abcdef',
    ]) {
      expect(masked(text)).toBe(text)
    }
    expect(redact('no secrets known')).toBe('no secrets known')
    expect(redact('x', [new Secret('')])).toBe('x')
  })

  test('a secret too short to have parts, as a whole', () => {
    expect(redact('abc: def', [new Secret('abc')])).toBe('[secret]: def')
  })
})

/** Any eight characters in a row of any form of a secret, whatever their case. */
function partsIn(text: string, forms: readonly string[]): string[] {
  const lower = text.toLowerCase()
  return forms.flatMap((form) =>
    Array.from({ length: Math.max(0, form.length - 7) }, (_, at) =>
      form.slice(at, at + 8).toLowerCase(),
    ).filter((part) => lower.includes(part)),
  )
}

test('wherever a secret of any kind stands in any encoding, no part of it is left', () => {
  const printable = fc.string({
    unit: fc.constantFrom(...Array.from({ length: 94 }, (_, code) => String.fromCharCode(0x21 + code))),
    minLength: 16,
    maxLength: 48,
  })
  const around = fc.string({ unit: 'grapheme', maxLength: 20 })
  const encodings: ((text: string) => string)[] = [
    String,
    encodeURIComponent,
    (text) => JSON.stringify(text),
    (text) => Buffer.from(text).toString('hex'),
    (text) => Buffer.from(text).toString('base64'),
    (text) => Buffer.from(text).toString('base64url'),
    (text) => text.toUpperCase(),
  ]
  fc.assert(
    fc.property(
      printable,
      around,
      around,
      fc.constantFrom('', 'pk_live_'),
      fc.constantFrom(...encodings),
      (random, before, after, prefix, encode) => {
        const text = `${before}${encode(`${before}${prefix}${random}${after}`)}${after}`
        const clean = redact(text, [new Secret(prefix + random)])
        // The ends of a base64 form are half of what stands beside them.
        const forms = [random, encodeURIComponent(random), JSON.stringify(random).slice(1, -1)].concat([
          Buffer.from(random).toString('hex'),
        ])
        const outside = partsIn(before + after + encode(before) + encode(after), forms)
        expect(partsIn(clean, forms).filter((part) => !outside.includes(part))).toEqual([])
        for (const shift of [0, 1, 2]) {
          const encoded = base64('x'.repeat(shift) + random).slice(4, -4)
          expect(
            partsIn(clean, [encoded]).filter((part) => !partsIn(before + after, [encoded]).includes(part)),
          ).toEqual([])
        }
      },
    ),
    { numRuns: 500 },
  )
})
