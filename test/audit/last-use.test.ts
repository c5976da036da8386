import { describe, expect, test } from 'vitest'
import type { Key } from '../../src/api/contract.ts'
import { createKeyLog, type KeyLog } from '../../src/audit/key-log.ts'
import { lastUseOf } from '../../src/audit/last-use.ts'
import { neverUsed } from '../../src/audit/rules/never-used.ts'
import { unused } from '../../src/audit/rules/unused.ts'
import type { Survey } from '../../src/audit/survey.ts'
import { checked, daysAgo } from './rules/checked.ts'
import { emptySurvey, surveyed, surveyedAt } from './survey-fixture.ts'

const since = surveyedAt - 30 * 86_400_000
const probe = { userAgent: 'pictify-keys/1.0.0', method: 'GET', endpoint: '/templates' }
const render = { userAgent: 'axios/1.7.0', method: 'POST', endpoint: '/image' }

/** A log of 30 days, in which a key did this two days ago. */
function logged(...requests: (typeof probe)[]): Survey['log'] {
  const log: KeyLog = createKeyLog({ allowance: { left: 100 } })
  for (const request of requests)
    log.add({
      timestamp: daysAgo(2),
      action: 'api.request',
      keyId: 'key_abc123',
      status: 200,
      ip: '',
      ...request,
    })
  const keys = new Map(requests.length > 0 ? [['key_abc123', log]] : [])
  const { recentSince } = emptySurvey
  return { known: true, value: { since, until: surveyedAt, recentSince, events: requests.length, keys } }
}

const used = (fields: Partial<Key> = {}) =>
  surveyed({ createdAt: daysAgo(8), lastUsedAt: daysAgo(2), ...fields })
const asShown = { at: Date.parse(daysAgo(2)), isAtLatest: false, probes: 0 }

describe('the last use of a key', () => {
  test.each<[string, Survey['log'], Key, ReturnType<typeof lastUseOf>]>([
    ['is as the API shows it without a log', emptySurvey.log, used(), asShown],
    ['and where the log has others', logged(probe, render), used(), asShown],
    ['and where the log has nothing of it', logged(), used(), asShown],
    [
      'and where it is later than the log has it',
      logged(probe),
      used({ lastUsedAt: daysAgo(1) }),
      {
        ...asShown,
        at: Date.parse(daysAgo(1)),
      },
    ],
    [
      'is none where all of the log are our probes',
      logged(probe, probe),
      used(),
      {
        at: null,
        isAtLatest: false,
        probes: 2,
      },
    ],
    [
      'is before the log of a key that is older',
      logged(probe),
      used({ createdAt: daysAgo(90) }),
      {
        at: since,
        isAtLatest: true,
        probes: 1,
      },
    ],
    ['is none where there was none', logged(), used({ lastUsedAt: null }), { ...asShown, at: null }],
  ])('%s', (_, log, key, lastUse) => {
    expect(lastUseOf({ log }, key)).toEqual(lastUse)
  })
})

test('a key that only our probes used was never used', () => {
  expect(checked(neverUsed, [used()], { log: logged(probe) })).toMatchObject([
    {
      message: 'was never used in the 8 days since it was created, but by probes of pictify-keys',
      evidence: { lastUsedAt: daysAgo(2), probes: 1 },
    },
  ])
  expect(checked(unused, [used()], { log: logged(probe) })).toEqual([])
  expect(checked(neverUsed, [used()], { log: logged(probe, render) })).toEqual([])
})

test('one that is older than the log is unused for as long as that goes back', () => {
  const key = used({ createdAt: daysAgo(90) })
  expect(checked(unused, [key], { log: logged(probe) })).toMatchObject([
    {
      severity: 'warning',
      message: 'has not been used for 30 days or more, but by probes of pictify-keys',
      evidence: { lastUsedAt: daysAgo(2), probes: 1 },
    },
  ])
  expect(checked(neverUsed, [key], { log: logged(probe) })).toEqual([])
  expect(checked(unused, [key], { log: logged(probe) }, { warnAfterMs: 31 * 86_400_000 })).toEqual([])
})
