import { describe, expect, it } from 'vitest'
import type { Key } from '../../src/api/contract.ts'
import { advance, type AlertIncident } from '../../src/alerts/incident.ts'
import type { Judgement } from '../../src/alerts/verdict.ts'
import { surveyed, surveyedAt } from '../audit/survey-fixture.ts'
import { counter, firing, judgementOf, measuredOf, quiet, ruleOf } from './fixture.ts'

const minute = 60_000
const key = surveyed()
const newId = counter()

/** What a row of checks leaves, `at` minutes after the first. */
function after(...checks: { at: number; judgements: Judgement[]; keys?: Key[] }[]): AlertIncident[] {
  return checks.reduce<AlertIncident[]>(
    (incidents, { at, judgements, keys = [key] }) =>
      advance({ incidents, judgements, keys, at: surveyedAt + at * minute, newId }),
    [],
  )
}
const fires = (value?: number, rule = ruleOf()) => [judgementOf({ [key.id]: firing(value) }, rule)]
const isQuiet = (rule = ruleOf()) => [judgementOf({ [key.id]: quiet }, rule)]

describe('an incident', () => {
  it('is one for as long as its rule holds, whatever the figures do, and knows since when', () => {
    const [first] = after({ at: 0, judgements: fires(1_240) })
    const all = after({ at: 0, judgements: fires(1_240) }, { at: 5, judgements: fires(2_000) })
    expect(first).toMatchObject({ state: 'firing', since: '2026-03-01T12:00:00.000Z' })
    expect(all).toHaveLength(1)
    expect(all[0]).toMatchObject({
      state: 'firing',
      since: '2026-03-01T12:00:00.000Z',
      firedAt: '2026-03-01T12:00:00.000Z',
      seenAt: '2026-03-01T12:05:00.000Z',
      measured: { value: 2_000 },
    })
  })

  it('is over when a check sees it so, and what fires after that is another one', () => {
    const recovered = after({ at: 0, judgements: fires() }, { at: 5, judgements: isQuiet() })
    expect(recovered).toMatchObject([
      { state: 'recovered', recoveredAt: '2026-03-01T12:05:00.000Z', recovery: 'quiet' },
    ])
    const again = after(
      { at: 0, judgements: fires() },
      { at: 5, judgements: isQuiet() },
      { at: 10, judgements: fires() },
    )
    expect(again.map(({ state }) => state)).toEqual(['recovered', 'firing'])
    expect(new Set(again.map(({ id }) => id)).size).toBe(2)
  })

  it('from another place is another one, in place of the first; from fewer it is the same', () => {
    const from = (...places: string[]): Judgement[] => {
      const measured = { ...measuredOf(places.length), unit: 'networks' as const, places }
      return [judgementOf({ [key.id]: { state: 'firing', measured } })]
    }
    const incidents = after(
      { at: 0, judgements: from('8.8.8.0/24', '9.9.9.0/24') },
      { at: 1, judgements: from('8.8.8.0/24') },
      { at: 2, judgements: from('8.8.8.0/24', '7.7.7.0/24') },
    )
    expect(incidents).toMatchObject([
      { state: 'firing', firedAt: '2026-03-01T12:02:00.000Z', deliveries: [] },
    ])
    const same = after(
      { at: 0, judgements: from('8.8.8.0/24', '9.9.9.0/24') },
      { at: 1, judgements: from('8.8.8.0/24') },
    )
    expect(same).toMatchObject([{ state: 'firing', firedAt: '2026-03-01T12:00:00.000Z' }])
  })

  it('of a place that was told of and comes back is the same; one that is added is named', () => {
    const from = (...places: string[]): Judgement[] => {
      const measured = { ...measuredOf(places.length), unit: 'countries' as const, places }
      return [judgementOf({ [key.id]: { state: 'firing', measured } })]
    }
    const row = [
      { at: 0, judgements: from('US') },
      { at: 1, judgements: from('US', 'KP') },
      { at: 2, judgements: from('KP') },
      { at: 3, judgements: from('KP', 'US') },
    ]
    const firedAt = '2026-03-01T12:01:00.000Z'
    for (const checks of [row.slice(0, 2), row]) {
      expect(after(...checks)).toMatchObject([
        { state: 'firing', firedAt, added: ['KP'], measured: { places: ['US', 'KP'] } },
      ])
    }
  })

  it('is over otherwise where the place is still used, and only no longer new', () => {
    const measured = { ...measuredOf(1), unit: 'countries' as const, places: ['KP'] }
    const begun = { at: 0, judgements: [judgementOf({ [key.id]: { state: 'firing', measured } })] }
    const end = (...usedFrom: string[]) =>
      after(begun, { at: 1, judgements: [judgementOf({ [key.id]: { state: 'quiet', usedFrom } })] })
    expect(end('DE', 'KP')).toMatchObject([{ state: 'recovered', recovery: 'no-longer-new' }])
    expect(end('DE')).toMatchObject([{ state: 'recovered', recovery: 'quiet' }])
  })

  it('is one for each rule and each key', () => {
    const other = surveyed({ id: 'key_other' })
    const slow = ruleOf({ name: 'slow' })
    const judgements = [
      judgementOf({ [key.id]: firing(), [other.id]: firing() }),
      judgementOf({ [key.id]: firing() }, slow),
    ]
    const all = after({ at: 0, judgements, keys: [key, other] })
    expect(all.map((each) => [each.rule, each.key.id])).toEqual([
      ['busy', 'key_abc123'],
      ['busy', 'key_other'],
      ['slow', 'key_abc123'],
    ])
  })

  it.each([
    ['a rule that was skipped', [{ ...judgementOf({}, ruleOf()), skipped: 'the API gives no usage' }]],
    [
      'a key that is unknown',
      [judgementOf({ [key.id]: { state: 'unknown', why: 'the API gives no usage' } })],
    ],
  ])('stays as it was by %s', (_, judgements) => {
    const all = after({ at: 0, judgements: fires() }, { at: 5, judgements })
    expect(all).toMatchObject([
      { state: 'firing', seenAt: '2026-03-01T12:00:00.000Z', unknown: 'the API gives no usage' },
    ])
    // and is known again when it is seen again
    const seen = after({ at: 0, judgements: fires() }, { at: 5, judgements }, { at: 10, judgements: fires() })
    expect(seen).toMatchObject([{ state: 'firing', unknown: null, id: expect.any(String) as string }])
  })

  it.each([
    ['key-revoked', fires, [surveyed({ status: 'revoked' })]],
    ['key-gone', fires, []],
    ['key-not-covered', fires, [key]],
  ])('is over where nothing judges it any more: %s', (recovery, _, keys) => {
    const all = after({ at: 0, judgements: fires() }, { at: 5, judgements: [judgementOf({})], keys })
    expect(all).toMatchObject([{ state: 'recovered', recovery }])
  })

  it('of a rule that is not in the file any more is over', () => {
    const all = after({ at: 0, judgements: fires() }, { at: 5, judgements: [] })
    expect(all).toMatchObject([{ state: 'recovered', recovery: 'rule-gone' }])
  })

  it('of a revoked key is over though its rule was skipped', () => {
    const skipped = [{ ...judgementOf({}, ruleOf()), skipped: 'the API gives no usage' }]
    const keys = [surveyed({ status: 'revoked' })]
    expect(after({ at: 0, judgements: fires() }, { at: 5, judgements: skipped, keys })).toMatchObject([
      { state: 'recovered', recovery: 'key-revoked' },
    ])
  })

  it('goes by the name that its key has now', () => {
    const all = after(
      { at: 0, judgements: fires() },
      { at: 5, judgements: fires(), keys: [surveyed({ name: 'Web' })] },
    )
    expect(all).toMatchObject([{ key: { name: 'Web' } }])
  })
})

describe('for', () => {
  const rule = ruleOf({ forMs: 10 * minute })

  it('fires when it has been so for that long, and not before', () => {
    const pending = after({ at: 0, judgements: fires(1, rule) }, { at: 9, judgements: fires(1, rule) })
    expect(pending).toMatchObject([{ state: 'pending', firedAt: null }])
    const fired = after({ at: 0, judgements: fires(1, rule) }, { at: 10, judgements: fires(1, rule) })
    expect(fired).toMatchObject([{ state: 'firing', since: '2026-03-01T12:00:00.000Z' }])
    expect(fired[0]?.firedAt).toBe('2026-03-01T12:10:00.000Z')
  })

  it('begins anew where a check sees it quiet in between, and nobody hears of it', () => {
    const quieted = after({ at: 0, judgements: fires(1, rule) }, { at: 5, judgements: isQuiet(rule) })
    expect(quieted).toEqual([])
    const again = after(
      { at: 0, judgements: fires(1, rule) },
      { at: 5, judgements: isQuiet(rule) },
      { at: 10, judgements: fires(1, rule) },
    )
    expect(again).toMatchObject([{ state: 'pending' }])
  })
})

describe('keepFiringFor', () => {
  const rule = ruleOf({ keepFiringForMs: 10 * minute })

  it('is over only when it has been quiet for that long; what flaps is one incident', () => {
    const flapping = after(
      { at: 0, judgements: fires(1, rule) },
      { at: 5, judgements: isQuiet(rule) },
      { at: 10, judgements: fires(1, rule) },
      { at: 16, judgements: isQuiet(rule) },
    )
    expect(flapping).toMatchObject([{ state: 'firing', quietSince: '2026-03-01T12:16:00.000Z' }])
    const over = after(
      { at: 0, judgements: fires(1, rule) },
      { at: 5, judgements: isQuiet(rule) },
      { at: 15, judgements: isQuiet(rule) },
    )
    expect(over).toMatchObject([{ state: 'recovered', recoveredAt: '2026-03-01T12:15:00.000Z' }])
  })
})
