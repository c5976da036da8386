import { describe, expect, test } from 'vitest'
import { newCountry } from '../../../src/audit/rules/new-country.ts'
import { dayMs, figures, found, known, used } from '../account-fixture.ts'
import { surveyedAt } from '../survey-fixture.ts'

/** A survey after audits that saw countries so many days ago; the first look at the key was 40 days ago. */
const survey = (
  countries: Record<string, number>,
  seen: Record<string, number> | undefined,
  fields = {},
) => ({
  ...used(figures({}, {}, { countries }), fields),
  past: known({
    since: surveyedAt - 40 * dayMs,
    keys: new Map(
      seen && [
        [
          'key_abc123',
          {
            since: surveyedAt - 40 * dayMs,
            until: surveyedAt - dayMs,
            countries: new Map(Object.entries(seen).map(([code, days]) => [code, surveyedAt - days * dayMs])),
          },
        ],
      ],
    ),
  }),
})

describe('new-country', () => {
  test('says which are new, and which were known', () => {
    expect(found(newCountry, survey({ DE: 700, BR: 12, ID: 30 }, { DE: 40, FR: 40 }))).toMatchObject([
      {
        severity: 'warning',
        message: '42 requests from 2 countries never seen before: ID and BR',
        evidence: {
          countries: [
            'ID: 30 requests, not there on 2026-02-28T12:00:00.000Z',
            'BR: 12 requests, not there on 2026-02-28T12:00:00.000Z',
          ],
          knownCountries: ['DE', 'FR'],
        },
        mend: ['pictify-keys', 'incident', 'key_abc123'],
      },
    ])
  })

  test('goes on saying so while that is recent, and then no more', () => {
    const [finding] = found(newCountry, survey({ DE: 700, ID: 30 }, { DE: 40, ID: 6 }))
    expect(finding).toMatchObject({
      message: '30 requests from a country never seen before: ID',
      evidence: {
        countries: ['ID: 30 requests, first seen on 2026-02-23T12:00:00.000Z'],
        knownCountries: ['DE'],
      },
    })
    expect(found(newCountry, survey({ DE: 700, ID: 30 }, { DE: 40, ID: 8 }))).toEqual([])
  })

  test.each([
    ['a known one', survey({ DE: 700 }, { DE: 40 }), {}],
    ['one that is no more', survey({ DE: 700 }, { DE: 40, FR: 40 }), {}],
    ['a count of none', survey({ DE: 700, ID: 0 }, { DE: 40 }), {}],
    ['what the file ignores', survey({ DE: 700, ID: 9 }, { DE: 40 }), { ignore: ['ID'] }],
    ['what the file calls little', survey({ DE: 700, ID: 9 }, { DE: 40 }), { minRequests: 10 }],
    ['the first look at a key', survey({ ID: 9 }, undefined), {}],
    ['a key that is revoked', survey({ ID: 9 }, { DE: 40 }, { status: 'revoked' }), {}],
  ])('%s is no finding', (_, given, settings) => {
    expect(found(newCountry, given, settings)).toEqual([])
  })

  test('is skipped at the first look at an account', () => {
    expect(newCountry.skip?.(survey({ ID: 9 }, undefined), {})).toBe(
      'there is nothing to compare with yet: this is the first look from here',
    )
    expect(newCountry.skip?.(survey({ ID: 9 }, { DE: 40 }), {})).toBeUndefined()
  })

  test('is skipped where the API gives no countries, at every look', () => {
    const without = { ...survey({}, undefined), usage: used(figures({}, {})).usage }
    expect(newCountry.skip?.(without, {})).toBe('the API gives no countries')
    expect(newCountry.skip?.(survey({}, { DE: 40 }), {})).toBe('the API gives no countries')
  })
})
