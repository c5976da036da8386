import { expect, test } from 'vitest'
import { missingKey } from '../../../src/audit/rules/missing-key.ts'
import type { FleetKey } from '../../../src/fleet/fleet.ts'
import { surveyed } from '../survey-fixture.ts'
import { checked } from './checked.ts'
import { entry, fleetOf } from './fleet-survey.ts'

const live = surveyed({ id: 'key_live', name: 'Server' })
const test_ = surveyed({ id: 'key_test', name: 'Server', type: 'test' })
const revoked = surveyed({
  id: 'key_old',
  name: 'Worker',
  status: 'revoked',
  revokedAt: '2026-02-03T00:00:00Z',
})
const found = (...keys: FleetKey[]) => checked(missingKey, [live, test_, revoked], fleetOf(...keys))

test.each([
  ['is there by name', entry('Server')],
  ['is there by id', entry('key_live')],
  ['is there with its type, among others of its name', entry('Server', { type: 'test' })],
])('a key that %s', (_, known) => {
  expect(found(known)).toEqual([])
})

test('one that is not in the account is created with the type and the places of the file', () => {
  expect(found(entry('Nowhere', { type: 'test', to: ['env:.env#KEY'], line: 9 }))).toEqual([
    {
      rule: 'missing-key',
      severity: 'error',
      key: undefined,
      message: '"Nowhere" is not in the account',
      evidence: { wanted: 'Nowhere', type: 'test' },
      mend: ['pictify-keys', 'create', 'Nowhere', '--type', 'test', '--to', 'env:.env#KEY'],
      place: { file: 'pictify-keys.yaml', line: 9 },
    },
  ])
})

test.each(['key_nowhere', '--help'])('%s cannot be created by that name', (name) => {
  expect(found(entry(name))).toMatchObject([{ message: `"${name}" is not in the account`, mend: undefined }])
})

test('one that was revoked', () => {
  expect(found(entry('Worker'))).toMatchObject([
    {
      key: { id: 'key_old', name: 'Worker' },
      message: 'is in the file, and was revoked',
      evidence: { revokedAt: '2026-02-03T00:00:00Z' },
      mend: ['pictify-keys', 'create', 'Worker', '--type', 'live'],
    },
  ])
})

test('one of another type', () => {
  expect(found(entry('key_live', { type: 'test' }))).toMatchObject([
    {
      key: { id: 'key_live' },
      message: 'is a live key, where the file has a test one',
      evidence: { wanted: 'key_live', type: 'test', found: 'live' },
      mend: ['pictify-keys', 'create', 'Server', '--type', 'test'],
    },
  ])
})
