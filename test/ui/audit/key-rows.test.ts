import { expect, test } from 'vitest'
import { keyRows } from '../../../src/ui/audit/key-rows.ts'
import { figures, known } from '../../audit/account-fixture.ts'
import { emptySurvey, surveyed } from '../../audit/survey-fixture.ts'
import { subject } from './subject-fixture.ts'

test('a key of which the API gives no figures is not known; one that nobody used did nothing', () => {
  const keys = [
    surveyed({ id: 'key_a' }),
    surveyed({ id: 'key_unknown' }),
    surveyed({ id: 'key_idle', lastUsedAt: '2026-01-01T00:00:00Z' }),
  ]
  const usage = known(new Map([['key_a', figures({}, { requests: 7 })]]))
  const rows = keyRows({ ...subject(), survey: { ...emptySurvey, keys, usage } })
  const uses = Object.fromEntries(rows.map(({ key, use }) => [key.id, use?.requests]))
  expect(uses).toEqual({ key_a: 7, key_unknown: undefined, key_idle: 0 })
})
