import { fc } from '../property.ts'
import * as v from 'valibot'
import { expect, it } from 'vitest'
import { isPlainKey, keySchema } from '../../src/api/schemas.ts'

const instants = fc
  .oneof(
    {
      arbitrary: fc
        .date({ noInvalidDate: true, min: new Date('1970-01-01'), max: new Date('2100-01-01') })
        .map((at) => at.toISOString()),
      weight: 6,
    },
    {
      arbitrary: fc.constantFrom(
        '2026-13-01T00:00:00Z',
        '2026-01-01',
        'yesterday',
        '2026-01-01T00:00:00Z',
        '',
      ),
      weight: 1,
    },
  )
  .filter((text) => text !== 'never')
/** What is usual, and now and then what is not: enough keys must be plain throughout. */
const mostly = <T, U>(usual: fc.Arbitrary<T>, odd: fc.Arbitrary<U>) =>
  fc.oneof({ arbitrary: usual, weight: 6 }, { arbitrary: odd, weight: 1 })
const maybe = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: null, freq: 3 })
const keys = fc.record(
  {
    id: mostly(fc.constant('key_a'), fc.oneof(fc.string(), fc.integer())),
    name: mostly(fc.string({ unit: 'grapheme' }), fc.constant(7)),
    type: mostly(fc.constantFrom('live', 'test'), fc.constantFrom('Live', 'other')),
    status: mostly(fc.constantFrom('active', 'revoked'), fc.constantFrom('Active', '')),
    access: mostly(
      fc.constantFrom('full', 'read-only', 'admin'),
      fc.constantFrom('Read only', 'root', undefined),
    ),
    createdAt: instants,
    lastUsedAt: maybe(instants),
    revokedAt: fc.option(maybe(instants), { nil: undefined }),
    secret: fc.constant('pk_live_0123456789abcdef'),
  },
  { requiredKeys: ['id', 'name', 'type', 'status', 'createdAt', 'lastUsedAt'] },
)

it('what is taken as it is, the schema gives back as it is', () => {
  let taken = 0
  fc.assert(
    fc.property(keys, (key) => {
      if (!isPlainKey(key)) return
      taken += 1
      expect(v.parse(keySchema, key)).toEqual(key)
      expect(key).not.toHaveProperty('secret')
    }),
    { numRuns: 20_000 },
  )
  expect(taken).toBeGreaterThan(500)
})

it.each([null, 'key', [], {}, { id: 'key_a' }])('%j is not', (value) => {
  expect(isPlainKey(value)).toBe(false)
})
