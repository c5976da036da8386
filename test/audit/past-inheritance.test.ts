import { describe, expect, it } from 'vitest'
import { newCountriesOf } from '../../src/audit/new-countries.ts'
import { withPredecessors } from '../../src/audit/past-inheritance.ts'
import type { KeyPast, Past } from '../../src/audit/survey.ts'

const past = (keys: Record<string, KeyPast>): Past => ({ since: 10, keys: new Map(Object.entries(keys)) })
const key = (since: number, countries: Record<string, number>): KeyPast => ({
  since,
  until: since + 1,
  countries: new Map(Object.entries(countries)),
})
/** Of `key_new`, of which all is recent from 50 on. */
function newOf(given: Past, ...countries: string[]): string[] {
  const known = given.keys.get('key_new')
  if (known === undefined) return ['no past']
  const used = Object.fromEntries(countries.map((code) => [code, 1]))
  return newCountriesOf(used, known, 50, {}).map(([code]) => code)
}

describe('the past of a key that took the place of another', () => {
  const rotated = [{ oldKeyId: 'key_old', newKeyId: 'key_new' }]
  const seen = past({ key_old: key(20, { US: 20, KP: 60 }), key_new: key(70, { XX: 70 }) })

  it('has what the other was used from, and the probes of its rotation are none of it', () => {
    expect(newOf(seen, 'US', 'XX')).toEqual(['US'])
    expect(newOf(withPredecessors(seen, rotated), 'US', 'XX')).toEqual([])
  })

  it('hides nothing that is new of it, nor what was new of the other', () => {
    expect(newOf(withPredecessors(seen, rotated), 'US', 'DE')).toEqual(['DE'])
    expect(newOf(withPredecessors(seen, rotated), 'KP')).toEqual(['KP'])
  })

  it('goes back as far as keys took the place of keys, and in no circle', () => {
    const all = [{ oldKeyId: 'key_first', newKeyId: 'key_old' }, ...rotated]
    const more = past({ ...Object.fromEntries(seen.keys), key_first: key(15, { FR: 15 }) })
    expect(newOf(withPredecessors(more, all), 'FR', 'US', 'XX')).toEqual([])
    const circle = [{ oldKeyId: 'key_new', newKeyId: 'key_first' }, ...all]
    expect(newOf(withPredecessors(more, circle), 'FR')).toEqual([])
  })

  it('is none before the first look at it', () => {
    const before = past({ key_old: key(20, { US: 20 }) })
    expect(newOf(withPredecessors(before, rotated), 'US')).toEqual(['no past'])
  })
})
