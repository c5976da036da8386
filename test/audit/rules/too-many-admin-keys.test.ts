import { expect, test } from 'vitest'
import { tooManyAdminKeys } from '../../../src/audit/rules/too-many-admin-keys.ts'
import { emptySurvey, surveyed } from '../survey-fixture.ts'
import { checked, daysAgo, rotating } from './checked.ts'

const admin = (id: string, fields = {}) => surveyed({ id, name: `Admin ${id}`, access: 'admin', ...fields })
const ownA = { ownKeyId: 'key_a' }

test('two admin keys are enough', () => {
  const keys = [admin('key_a'), admin('key_b'), admin('key_c', { status: 'revoked' }), surveyed()]
  expect(checked(tooManyAdminKeys, keys)).toEqual([])
})

test('three are a warning, which names them and revokes the one that is missed least', () => {
  const keys = [admin('key_a'), admin('key_b', { lastUsedAt: daysAgo(9) }), admin('key_c'), surveyed()]
  expect(checked(tooManyAdminKeys, keys, ownA)).toEqual([
    {
      rule: 'too-many-admin-keys',
      severity: 'warning',
      key: undefined,
      message: '3 active keys may manage keys, where 2 are enough',
      evidence: { adminKeys: ['Admin key_a (key_a)', 'Admin key_b (key_b)', 'Admin key_c (key_c)'] },
      mend: ['pictify-keys', 'revoke', 'key_b'],
    },
  ])
})

test('one that was never used is missed least of all', () => {
  const keys = [
    admin('key_a', { lastUsedAt: daysAgo(900) }),
    admin('key_b', { lastUsedAt: null }),
    admin('key_c'),
  ]
  expect(checked(tooManyAdminKeys, keys, ownA)[0]?.mend).toEqual(['pictify-keys', 'revoke', 'key_b'])
})

test('never the one in use is revoked, and none where that one is not known', () => {
  const keys = [
    admin('key_a', { lastUsedAt: null }),
    admin('key_b', { lastUsedAt: daysAgo(9) }),
    admin('key_c'),
  ]
  const line = (ownKeyId?: string) => checked(tooManyAdminKeys, keys, { ownKeyId })[0]?.mend
  expect(line('key_a')).toEqual(['pictify-keys', 'revoke', 'key_b'])
  expect(line('key_b')).toEqual(['pictify-keys', 'revoke', 'key_a'])
  expect(line()).toBeUndefined()
})

test('how many are enough can be set', () => {
  const keys = [admin('key_a'), admin('key_b'), admin('key_c')]
  expect(checked(tooManyAdminKeys, keys, {}, { warnAbove: 3 })).toEqual([])
  expect(checked(tooManyAdminKeys, keys.slice(1), {}, { warnAbove: 1 })).toHaveLength(1)
})

test('the successor of one that is being rotated does not count besides it', () => {
  const keys = [admin('key_abc123'), admin('key_b'), admin('key_new456')]
  expect(checked(tooManyAdminKeys, keys, rotating())).toEqual([])
})

test('keys of which the API does not say what they may do are counted as such, and none known is skipped', () => {
  const unsaid = surveyed({ id: 'key_d', access: undefined })
  const keys = [admin('key_a'), admin('key_b'), admin('key_c'), unsaid]
  expect(checked(tooManyAdminKeys, keys)[0]?.evidence).toMatchObject({ accessNotSaid: 1 })
  expect(tooManyAdminKeys.skip?.({ ...emptySurvey, keys: [unsaid] }, {})).toBe(
    'the API does not say what a key may do',
  )
  expect(tooManyAdminKeys.skip?.({ ...emptySurvey, keys }, {})).toBeUndefined()
})
