import { describe, expect, test } from 'vitest'
import type { Key } from '../../../src/api/contract.ts'
import { missingKey } from '../../../src/audit/rules/missing-key.ts'
import type { FleetKey } from '../../../src/fleet/fleet.ts'
import type { OpenRotation } from '../../../src/audit/survey.ts'
import { surveyed, surveyedAt } from '../survey-fixture.ts'
import { checked, rotating } from './checked.ts'
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

test('one that the file has by its name and by its id is said, where no other key has the name', () => {
  const byId = entry('key_live', { line: 3 })
  const byName = entry('Server', { line: 9 })
  // of the two of that name the other one is meant
  expect(found(byId, byName)).toEqual([])
  expect(found(byId, byName, entry('key_test', { line: 12 }))).toMatchObject([
    {
      severity: 'warning',
      key: { id: 'key_live' },
      message: 'is in the file twice: what line 3 says of its id counts, and not this; leave one of them',
      place: { line: 9 },
    },
  ])
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

test('one of no type is a live one, as far as anybody knows', () => {
  expect(found(entry('Nowhere'))[0]?.mend).toEqual(['pictify-keys', 'create', 'Nowhere', '--type', 'live'])
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

test('one that was revoked by its id, where another has its name, is not created once more', () => {
  const again = surveyed({ id: 'key_next', name: 'Worker' })
  const findings = checked(missingKey, [revoked, again], fleetOf(entry('key_old')))
  expect(findings).toMatchObject([
    {
      message:
        'is in the file, and was revoked; key_next has its name now: is that the one to be named there?',
      mend: undefined,
    },
  ])
})

describe('one that its rotation took away', () => {
  const old = surveyed({ status: 'revoked' })
  const successor = surveyed({ id: 'key_new456', name: 'Production Server (rotating key_abc123 #…)' })
  const left = { here: false, leaseUntil: surveyedAt - 1 }
  const known = entry('Production Server', { to: ['env:.env#KEY'], verify: './smoke' })
  const held = (keys: Key[], rotation: Partial<OpenRotation>, more = {}) =>
    checked(missingKey, keys, { ...fleetOf(known), ...rotating(rotation), ...more })

  test('is there as its successor, which the line that goes on leads to', () => {
    expect(held([old, successor], left)).toEqual([
      {
        rule: 'missing-key',
        severity: 'warning',
        key: old,
        message: 'was revoked, and nobody goes on with its rotation: key_new456 has not got its name yet',
        evidence: { wanted: 'Production Server', rotation: '7f3a9c', successor: 'key_new456' },
        mend: [...['pictify-keys', 'rotate', 'key_new456', '--to', 'env:.env#KEY', '--verify', './smoke']],
        place: { file: 'pictify-keys.yaml', line: 3 },
      },
    ])
  })

  test('and deleted too', () => {
    expect(held([successor], left)).toMatchObject([
      {
        key: { id: 'key_new456' },
        message:
          '"Production Server" is gone, and nobody goes on with its rotation: key_new456 has not got its name yet',
        mend: expect.arrayContaining(['rotate', 'key_new456']) as string[],
      },
    ])
  })

  test('and that begun here is gone on with by its journal, even before there is a successor', () => {
    const line = ['pictify-keys', 'rotate', '7f3a9c', '--resume']
    const here = { leaseUntil: undefined }
    expect(held([old, successor], here)).toMatchObject([{ severity: 'warning', mend: line }])
    expect(held([old], { ...here, newKeyId: undefined })).toMatchObject([
      {
        severity: 'error',
        message: 'was revoked, and nobody goes on with its rotation: there is no successor yet',
        mend: line,
      },
    ])
  })

  test('is in order while a run is at it', () => {
    expect(held([old, successor], { here: false })).toEqual([])
  })

  test('is missing where the successor is gone as well', () => {
    const gone = { ...successor, status: 'revoked' as const }
    expect(held([old, gone], left)).toMatchObject([{ message: 'is in the file, and was revoked' }])
  })
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
