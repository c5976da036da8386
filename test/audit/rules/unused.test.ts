import { expect, test } from 'vitest'
import { unused } from '../../../src/audit/rules/unused.ts'
import { surveyed } from '../survey-fixture.ts'
import { checked, daysAgo } from './checked.ts'

const dayMs = 86_400_000
const severities = (lastUsedAt: string | null, settings = {}) =>
  checked(unused, [surveyed({ lastUsedAt })], {}, settings).map(({ severity }) => severity)

test.each([
  ['30 days ago', daysAgo(30), []],
  ['a moment more than 30 days ago', daysAgo(30, 1), ['warning']],
  ['90 days ago', daysAgo(90), ['warning']],
  ['a moment more than 90 days ago', daysAgo(90, 1), ['error']],
  ['never', null, []],
  ['at an instant that is none', 'some day', []],
])('a key that was last used %s', (_, lastUsedAt, found) => {
  expect(severities(lastUsedAt)).toEqual(found)
})

test('says for how long, and how to revoke it', () => {
  const lastUsedAt = daysAgo(45)
  expect(checked(unused, [surveyed({ lastUsedAt })])).toMatchObject([
    {
      message: 'has not been used for 45 days',
      evidence: { lastUsedAt },
      mend: ['pictify-keys', 'revoke', 'key_abc123'],
    },
  ])
})

test('goes by its settings; what warns later than 90 days is no error before', () => {
  expect(severities(daysAgo(45), { warnAfterMs: 60 * dayMs })).toEqual([])
  expect(severities(daysAgo(100), { warnAfterMs: 120 * dayMs })).toEqual([])
  expect(severities(daysAgo(45), { errorAfterMs: 40 * dayMs })).toEqual(['error'])
})

test('a revoked key is used no more, and that is no finding', () => {
  expect(checked(unused, [surveyed({ status: 'revoked', lastUsedAt: daysAgo(400) })])).toEqual([])
})

test('spares the key that the audit is made with, or all admin keys where that is not known', () => {
  const admin = surveyed({ access: 'admin', lastUsedAt: daysAgo(100) })
  const usedJustNow = surveyed({ id: 'key_other', access: 'admin', lastUsedAt: daysAgo(0, 60_000) })
  const found = (ownKeyId?: string) =>
    checked(unused, [admin, usedJustNow], { ownKeyId }).map(({ key }) => key?.id)
  expect(found('key_abc123')).toEqual([])
  expect(found('key_other')).toEqual(['key_abc123'])
  expect(found()).toEqual([])
})
