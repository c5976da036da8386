import { expect, test } from 'vitest'
import { revokedNotDeleted } from '../../../src/audit/rules/revoked-not-deleted.ts'
import { surveyed } from '../survey-fixture.ts'
import { checked, daysAgo } from './checked.ts'

const revoked = (revokedAt: string | null | undefined) => surveyed({ status: 'revoked', revokedAt })

test.each([
  ['30 days ago', daysAgo(30), []],
  ['a moment more than 30 days ago', daysAgo(30, 1), ['was revoked 30 days ago and is not deleted']],
  ['a year ago', daysAgo(365), ['was revoked 365 days ago and is not deleted']],
  ['nobody knows when', null, ['is revoked and not deleted; since when, the API does not say']],
  [
    'as an older API leaves it out',
    undefined,
    ['is revoked and not deleted; since when, the API does not say'],
  ],
])('a key that was revoked %s', (_, revokedAt, messages) => {
  expect(checked(revokedNotDeleted, [revoked(revokedAt)]).map(({ message }) => message)).toEqual(messages)
})

test('is a note, and deleting it mends that', () => {
  expect(checked(revokedNotDeleted, [revoked(daysAgo(40))])).toMatchObject([
    {
      severity: 'note',
      evidence: { revokedAt: daysAgo(40) },
      mend: ['pictify-keys', 'delete', 'key_abc123'],
    },
  ])
})

test('waits as long as the settings say, and is about no key that works', () => {
  const settings = { warnAfterMs: 50 * 86_400_000 }
  expect(checked(revokedNotDeleted, [revoked(daysAgo(40))], {}, settings)).toEqual([])
  expect(checked(revokedNotDeleted, [surveyed({ revokedAt: daysAgo(40) })])).toEqual([])
})
