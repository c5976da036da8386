import { describe, expect, it } from 'vitest'
import { createKeyLog } from '../../src/audit/key-log.ts'
import type { Survey } from '../../src/audit/survey.ts'
import { createOutsideHours } from '../../src/audit/working-hours.ts'
import type { Fleet } from '../../src/fleet/fleet.ts'
import { surveyed, surveyedAt } from '../audit/survey-fixture.ts'
import {
  day,
  event,
  fleet,
  recentSince,
  usageOf,
  verdict,
  withLog,
  withUsage,
  workingHours,
} from './verdict-fixture.ts'

describe('places and hours', () => {
  it('a network that was not seen before', () => {
    const known = event(surveyedAt - 1_000, '8.8.8.9')
    expect(verdict({ kind: 'new-network' }, withLog(known))).toEqual({
      state: 'quiet',
      usedFrom: ['8.8.8.0/24'],
    })
    expect(
      verdict({ kind: 'new-network' }, withLog(known, event(surveyedAt - 1_000, '93.184.216.34'))),
    ).toMatchObject({
      state: 'firing',
      measured: {
        value: 1,
        message: '1 request from 1 network not seen in 5d before: 93.184.216.0/24',
        places: ['93.184.216.0/24'],
      },
    })
  })

  it('a key without a past is unknown, one that was not used is quiet', () => {
    const log = createKeyLog({ allowance: { left: 100 }, recentSince })
    log.add(event(surveyedAt - 1_000, '8.8.8.8'))
    const value = {
      since: 0,
      until: surveyedAt,
      recentSince,
      events: 1,
      keys: new Map([['key_abc123', log]]),
    }
    expect(verdict({ kind: 'new-network' }, { log: { known: true, value } })?.state).toBe('unknown')
    const other = surveyed({ id: 'key_other' })
    expect(verdict({ kind: 'new-network' }, { log: { known: true, value } }, other)).toEqual({
      state: 'quiet',
    })
  })

  it('that the file tells the audit to ignore is none', () => {
    const stranger = withLog(event(surveyedAt - 1_000, '93.184.216.34'))
    const told = (rules: Fleet['audit']['rules']): Partial<Survey> => ({
      ...stranger,
      fleet: { known: true, value: { ...fleet, audit: { ...fleet.audit, rules } } },
    })
    const state = (rules: Fleet['audit']['rules']) => verdict({ kind: 'new-network' }, told(rules))?.state
    expect(state({})).toBe('firing')
    expect(state({ 'new-network': { ignore: ['93.184.0.0/16'] } })).toBe('quiet')
    expect(state({ 'new-network': { minRequests: 2 } })).toBe('quiet')
  })

  it('requests outside of working hours, where there were none before', () => {
    // on the night to a Sunday, and on that at noon
    const nightly = Array.from({ length: 10 }, (_, index) =>
      event(recentSince + 12 * 3_600_000 + index, '8.8.8.8'),
    )
    expect(verdict({ kind: 'outside-hours' }, withLog(...nightly))).toMatchObject({
      state: 'firing',
      measured: {
        value: 10,
        message: '10 requests outside of working hours, from 8.8.8.0/24: 100 % of all, 0 % before',
        details: ['2026-03-01 00:00 UTC: 10 requests'],
        // of the night that began on Saturday
        places: ['2026-02-28'],
      },
    })
    expect(verdict({ kind: 'outside-hours' }, withLog())).toEqual({ state: 'quiet' })
    // what an audit makes nothing of is no alert
    expect(verdict({ kind: 'outside-hours' }, withLog(...nightly.slice(0, 2)))).toEqual({ state: 'quiet' })
  })

  it('hours are told by the clock that they are set by, and in UTC', () => {
    const isOutside = createOutsideHours({ ...workingHours, timeZone: 'Asia/Tokyo' })
    const log = createKeyLog({ allowance: { left: 100 }, recentSince, isOutside })
    // 10:00 of the days before in Tokyo
    for (let index = 0; index < 20; index++)
      log.add(event(surveyedAt - ((index % 4) + 3) * day - 11 * 3_600_000 + index, '8.8.8.8'))
    for (let index = 0; index < 5; index++) log.add(event(surveyedAt - 1_000 - index, '8.8.8.8'))
    const value = {
      since: 0,
      until: surveyedAt,
      recentSince,
      events: 25,
      keys: new Map([['key_abc123', log]]),
    }
    const tokyo = {
      ...fleet,
      audit: { ...fleet.audit, workingHours: { ...workingHours, timeZone: 'Asia/Tokyo' } },
    }
    const survey: Partial<Survey> = { log: { known: true, value }, fleet: { known: true, value: tokyo } }
    expect(verdict({ kind: 'outside-hours' }, survey)).toMatchObject({
      measured: { details: ['2026-03-01 20:00 Asia/Tokyo (11:00 UTC): 5 requests'] },
    })
  })

  it('a country that no earlier look had; as long as that is recent also after that', () => {
    const countries = { DE: 100, BR: 3 }
    const past = (...known: [string, number][]): Partial<Survey> => {
      const keys = new Map([
        ['key_abc123', { since: surveyedAt - 9 * day, until: surveyedAt, countries: new Map(known) }],
      ])
      return {
        past: { known: true, value: { since: surveyedAt - 9 * day, keys } },
        ...withUsage(usageOf({}, { countries })),
      }
    }
    const old: [string, number] = ['DE', surveyedAt - 9 * day]
    const fresh = verdict({ kind: 'new-country' }, past(old))
    expect(fresh).toMatchObject({
      state: 'firing',
      measured: { message: 'requests from a country not seen before: BR' },
    })
    expect(verdict({ kind: 'new-country' }, past(old, ['BR', surveyedAt - 3_600_000]))?.state).toBe('firing')
    expect(verdict({ kind: 'new-country' }, past(old, ['BR', surveyedAt - 8 * day]))?.state).toBe('quiet')
  })
})
