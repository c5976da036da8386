import { fc } from '../property.ts'
import { describe, expect, it } from 'vitest'
import {
  answersTo,
  fingerprintOf,
  formatMark,
  leaseEnd,
  parseMark,
  plainName,
} from '../../src/rotation/marked-name.ts'
import { Secret } from '../../src/secret.ts'

const word = (unit: string, length: number) =>
  fc.string({ unit: fc.constantFrom(...unit), minLength: length, maxLength: length })
const hex6 = word('0123456789abcdef', 6)
const marks = fc.record({
  plain: fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 100, size: 'max' })
    .filter((text) => !/\p{Cc}/u.test(text)),
  oldId: word('abcdefgh0123456789', 12).map((text) => `key_${text}`),
  rotationId: hex6,
  fingerprint: fc.oneof(hex6, fc.constant('none')),
  leaseUntil: fc.integer({ min: 1_700_000_000, max: 2_100_000_000 }).map((seconds) => seconds * 1_000),
  holder: word('abcxyz019', 4),
})

describe('a marked name', () => {
  it('says all it is told, in at most 100 characters, whatever the plain name', () => {
    fc.assert(
      fc.property(marks, (mark) => {
        const name = formatMark(mark)
        expect(name.length).toBeLessThanOrEqual(100)
        expect(name).not.toMatch(/\p{Surrogate}/u)
        const { plain, ...rest } = parseMark(name) ?? {}
        expect(rest).toEqual({
          oldId: mark.oldId,
          rotationId: mark.rotationId,
          fingerprint: mark.fingerprint,
          leaseUntil: mark.leaseUntil,
          holder: mark.holder,
        })
        expect(plain === mark.plain || (plain ?? '').endsWith('…')).toBe(true)
        expect(answersTo(name, mark.plain)).toBe(true)
      }),
      { numRuns: 2_000 },
    )
  })

  it('looks like this in the dashboard', () => {
    const mark = {
      plain: 'Production Server',
      oldId: 'key_abc123',
      rotationId: '7f3a9c',
      fingerprint: '5d41c2',
    }
    const leaseUntil = parseInt('t8m2kq', 36) * 1_000
    expect(formatMark({ ...mark, leaseUntil, holder: 'x0yz' })).toBe(
      'Production Server (rotating key_abc123 #7f3a9c-5d41c2-t8m2kqx0yz)',
    )
    expect(formatMark({ ...mark, leaseUntil: 0, holder: '' })).toBe(
      'Production Server (rotating key_abc123 #7f3a9c-5d41c2-0)',
    )
    expect(parseMark('Production Server (rotating key_abc123 #7f3a9c-5d41c2-0)')).toMatchObject({
      plain: 'Production Server',
      leaseUntil: 0,
      holder: '',
    })
  })

  it.each([
    'Production Server',
    'Production Server (rotating)',
    'Production Server (rotating key_abc123 #7f3a9c)',
    'Production Server (rotating key_abc123 #7f3a9c-5d41c2-)',
    'Production Server (rotating key_abc123 #7F3A9C-5d41c2-t8m2kqx0yz)',
    'Production Server (rotating key_abc123 #7f3a9c-5d41c2-t8m2kqx0yz) old',
    '(rotating key_abc123 #7f3a9c-5d41c2-t8m2kqx0yz)',
  ])('is not %s', (name) => {
    expect(parseMark(name)).toBeUndefined()
    expect(plainName(name)).toBe(name)
    expect(answersTo(name, name)).toBe(false)
  })

  it('answers to no other name than its plain one', () => {
    const name = 'Web (rotating key_a #7f3a9c-none-0)'
    expect(answersTo(name, 'Web')).toBe(true)
    expect(answersTo(name, 'We')).toBe(false)
    expect(answersTo(name, 'Web 2')).toBe(false)
    const cut = formatMark({ ...(parseMark(name) ?? expect.fail()), plain: 'a'.repeat(90) })
    expect(answersTo(cut, 'a'.repeat(90))).toBe(true)
    expect(answersTo(cut, 'a'.repeat(10))).toBe(false)
  })

  it('is cut no shorter than it must be, and never through a character', () => {
    const mark = parseMark('Web (rotating key_a #7f3a9c-none-0)') ?? expect.fail()
    const suffix = ' (rotating key_a #7f3a9c-none-0)'
    const room = 100 - suffix.length
    expect(formatMark({ ...mark, plain: 'a'.repeat(room) })).toBe('a'.repeat(room) + suffix)
    expect(formatMark({ ...mark, plain: 'a'.repeat(room + 1) })).toBe(`${'a'.repeat(room - 1)}…${suffix}`)
    const emoji = `${'a'.repeat(room - 2)}\u{1f511}bc`
    expect(formatMark({ ...mark, plain: emoji })).toBe(`${'a'.repeat(room - 2)}…${suffix}`)
  })

  it('that was cut answers to nothing that is as long as it is, or shorter', () => {
    const cut = `${'a'.repeat(20)}… (rotating key_a #7f3a9c-none-0)`
    expect(answersTo(cut, 'a'.repeat(21))).toBe(false)
    expect(answersTo(cut, 'a'.repeat(22))).toBe(true)
    expect(answersTo(cut, `b${'a'.repeat(30)}`)).toBe(false)
    expect(answersTo(cut, `${'a'.repeat(19)}${'b'.repeat(9)}`)).toBe(false)
    expect(answersTo('aaaa (rotating key_a #7f3a9c-none-0)', 'aaaaaaaa')).toBe(false)
  })

  it('ends its lease on a full minute, never before it was asked to', () => {
    expect(leaseEnd(60_000, 60_000)).toBe(120_000)
    expect(leaseEnd(60_001, 60_000)).toBe(180_000)
  })

  it('fingerprints a secret under the rotation, in 24 bits', () => {
    const secret = new Secret('pk_live_0123456789')
    expect(fingerprintOf(secret, '7f3a9c')).toMatch(/^[0-9a-f]{6}$/)
    expect(fingerprintOf(secret, '7f3a9c')).toBe(fingerprintOf(new Secret('pk_live_0123456789'), '7f3a9c'))
    expect(fingerprintOf(secret, '7f3a9d')).not.toBe(fingerprintOf(secret, '7f3a9c'))
    expect(fingerprintOf(undefined, '7f3a9c')).toBe('none')
  })
})
