import { expect, test } from 'vitest'
import { duplicateName } from '../../../src/audit/rules/duplicate-name.ts'
import { surveyed } from '../survey-fixture.ts'
import { checked, daysAgo, rotating } from './checked.ts'

const named = (id: string, name: string, days = 1) => surveyed({ id, name, createdAt: daysAgo(days) })

test('several active keys of one name are one warning, about the newest', () => {
  const keys = [
    named('key_b', 'CI', 5),
    named('key_c', 'CI', 2),
    named('key_a', 'CI', 9),
    named('key_d', 'Shop'),
  ]
  expect(checked(duplicateName, keys)).toEqual([
    {
      rule: 'duplicate-name',
      severity: 'warning',
      key: keys[1],
      message: 'has the name of 2 other active keys',
      evidence: { others: ['key_b', 'key_a'] },
      mend: ['pictify-keys', 'rename', 'key_c'],
    },
  ])
})

test.each([
  ['case', 'Production Server', 'production server'],
  ['punctuation', 'prod-api', 'prod api'],
  ['spaces', 'Shop ', 'Shop'],
  ['camel case', 'prodApi', 'prod_api'],
  ['how a letter is written', 'Caf\u00e9', 'Cafe\u0301'],
])('names that are alike but for %s are a note', (_, one, other) => {
  expect(checked(duplicateName, [named('key_a', one, 1), named('key_b', other, 2)])).toMatchObject([
    {
      severity: 'note',
      key: { id: 'key_a' },
      message: 'has a name that is easily taken for that of another active key',
      evidence: { others: [`${other} (key_b)`] },
    },
  ])
})

test.each([
  ['a revoked key', [named('key_a', 'CI'), { ...named('key_b', 'CI'), status: 'revoked' as const }]],
  ['another name', [named('key_a', 'CI 1'), named('key_b', 'CI 2')]],
  ['other signs without a letter', [named('key_a', '🔑'), named('key_b', '🚀')]],
])('%s is no duplicate', (_, keys) => {
  expect(checked(duplicateName, keys)).toEqual([])
})

test('nor is the successor of an open rotation, though its name be alike', () => {
  const marked = named('key_new456', 'CI (rotating key_abc123 #7f3a9c-5d41c2-t8m2kq0001)')
  expect(checked(duplicateName, [named('key_abc123', 'CI'), marked], rotating())).toEqual([])
  const renamed = named('key_new456', 'CI')
  expect(checked(duplicateName, [named('key_abc123', 'CI'), renamed], rotating())).toEqual([])
})
