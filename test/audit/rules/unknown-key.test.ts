import { expect, test } from 'vitest'
import { unknownKey } from '../../../src/audit/rules/unknown-key.ts'
import { judge } from '../../../src/audit/report.ts'
import { emptySurvey, surveyed } from '../survey-fixture.ts'
import { checked } from './checked.ts'
import { entry, fleetOf } from './fleet-survey.ts'

const keys = [
  surveyed({ id: 'key_named', name: 'Production Server' }),
  surveyed({ id: 'key_by_id', name: 'Whatever' }),
  surveyed({ id: 'key_stray', name: 'production server' }),
  surveyed({ id: 'key_gone', name: 'Gone', status: 'revoked' }),
]
const file = fleetOf(entry('Production Server'), entry('key_by_id'))

test('finds what is active and not in the file, by its exact name or its id', () => {
  expect(checked(unknownKey, keys, file)).toMatchObject([
    {
      key: { id: 'key_stray' },
      severity: 'warning',
      message: 'is not in pictify-keys.yaml: name it there under keys, or revoke it',
      place: { file: 'pictify-keys.yaml', line: 1 },
    },
  ])
})

test('a key that is in use is not to be revoked on the word of a file; one that never was may be', () => {
  const unused = surveyed({ id: 'key_stray', name: 'Stray', lastUsedAt: null })
  expect(checked(unknownKey, [keys[2] ?? unused], file)[0]?.mend).toEqual([
    ...['pictify-keys', 'incident', 'key_stray'],
  ])
  expect(checked(unknownKey, [unused], file)[0]?.mend).toEqual(['pictify-keys', 'revoke', 'key_stray'])
})

test('the key that the audit is made with, or may be, is not to be revoked', () => {
  const admin = surveyed({ id: 'key_stray', name: 'Stray', lastUsedAt: null, access: 'admin' })
  const line = (ownKeyId?: string) => checked(unknownKey, [admin], { ...file, ownKeyId })[0]?.mend
  expect(line('key_stray')).toBeUndefined()
  expect(line()).toBeUndefined()
  expect(line('key_other')).toEqual(['pictify-keys', 'revoke', 'key_stray'])
})

test('a successor counts as its old key', () => {
  const successor = surveyed({
    id: 'key_next',
    name: 'Production Server (rotating key_named #7f3a9c-none-0)',
  })
  const open = {
    ...{ id: '7f3a9c', oldKeyId: 'key_named', newKeyId: 'key_next' },
    ...{ replaces: () => true, startedAt: undefined, leaseUntil: undefined, here: false },
  }
  const survey = { ...file, rotations: { known: true as const, value: [open] } }
  expect(checked(unknownKey, [successor], survey)).toEqual([])
  expect(checked(unknownKey, [successor], file)).toHaveLength(1)
})

test('is skipped without a file, and with one that names no keys', () => {
  const settings = { rules: {}, workingHours: undefined, accept: [] }
  const skipped = (survey: object) =>
    judge({ ...emptySurvey, keys, ...survey }, [unknownKey], settings, (words) => words.join(' ')).skipped
  expect(skipped({})).toEqual([
    { rule: 'unknown-key', source: 'fleet', why: 'there is no pictify-keys.yaml' },
  ])
  expect(skipped(fleetOf())).toEqual([
    { rule: 'unknown-key', source: null, why: 'pictify-keys.yaml names no keys' },
  ])
})
