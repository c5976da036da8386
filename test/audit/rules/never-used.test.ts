import { expect, test } from 'vitest'
import { neverUsed } from '../../../src/audit/rules/never-used.ts'
import { surveyed } from '../survey-fixture.ts'
import { checked, daysAgo, rotating } from './checked.ts'

const idle = { lastUsedAt: null, createdAt: daysAgo(8) }

test('a key that was made and never used is a warning, and revoking it mends that', () => {
  expect(checked(neverUsed, [surveyed(idle)])).toEqual([
    {
      rule: 'never-used',
      severity: 'warning',
      key: surveyed(idle),
      message: 'was never used in the 8 days since it was created',
      evidence: { createdAt: daysAgo(8), lastUsedAt: null },
      mend: ['pictify-keys', 'revoke', 'key_abc123'],
    },
  ])
})

test.each([
  ['is a week old', { ...idle, createdAt: daysAgo(7) }, 0],
  ['is a moment older than a week', { ...idle, createdAt: daysAgo(7, 1) }, 1],
  ['was used, however long ago', { ...idle, lastUsedAt: daysAgo(8) }, 0],
  ['is revoked', { ...idle, status: 'revoked' as const }, 0],
  ['was created at an instant that is none', { ...idle, createdAt: 'some day' }, 0],
])('a key that %s', (_, fields, found) => {
  expect(checked(neverUsed, [surveyed(fields)])).toHaveLength(found)
})

test('waits as long as the settings say', () => {
  const settings = { warnAfterMs: 9 * 86_400_000 }
  expect(checked(neverUsed, [surveyed(idle)], {}, settings)).toEqual([])
})

test('leaves the successor of an open rotation alone as long as its old key works', () => {
  const successor = surveyed({ ...idle, id: 'key_new456' })
  const old = surveyed({})
  expect(checked(neverUsed, [successor, old], rotating())).toEqual([])
  const revoked = surveyed({ status: 'revoked' })
  expect(checked(neverUsed, [successor, revoked], rotating()).map(({ key }) => key?.id)).toEqual([
    'key_new456',
  ])
})

test('spares the key that the audit is made with, or all admin keys where that is not known', () => {
  const admin = surveyed({ ...idle, access: 'admin' })
  const usedJustNow = surveyed({ id: 'key_other', access: 'admin', lastUsedAt: daysAgo(0, 60_000) })
  const found = (ownKeyId?: string) =>
    checked(neverUsed, [admin, usedJustNow, surveyed({ ...idle, id: 'key_c' })], { ownKeyId }).map(
      ({ key }) => key?.id,
    )
  expect(found('key_abc123')).toEqual(['key_c'])
  expect(found('key_other')).toEqual(['key_abc123', 'key_c'])
  expect(found()).toEqual(['key_c'])
})
