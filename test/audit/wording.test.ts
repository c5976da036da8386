import { expect, test } from 'vitest'
import { nameOfAnother } from '../../src/audit/another-name.ts'
import { counted, listed, percent, sightingList, timesOf } from '../../src/audit/wording.ts'

test('figures are said with their nouns', () => {
  expect([counted(1, 'request'), counted(0, 'request'), counted(1_204.4, 'request')]).toEqual([
    '1 request',
    '0 requests',
    '1,204 requests',
  ])
  expect([percent(0.0421), percent(0.25), timesOf(3, 2), timesOf(3, 0)]).toEqual([
    '4.2 %',
    '25 %',
    '1.5 times',
    undefined,
  ])
})

test.each([
  [[], ''],
  [['a'], 'a'],
  [['a', 'b'], 'a and b'],
  [['a', 'b', 'c', 'd'], 'a, b, c and d'],
  [['a', 'b', 'c', 'd', 'e'], 'a, b, c and 2 more'],
])('%j is listed as %s', (values, text) => {
  expect(listed(values)).toBe(text)
})

test('an evidence has the first ten, and says how many more there are', () => {
  const sightings = Array.from({ length: 12 }, (_, index) => ({
    value: `v${index}`,
    requests: 2,
    firstAt: 0,
  }))
  const shown = sightingList(sightings)
  expect(shown).toHaveLength(11)
  expect([shown[0], shown.at(-1)]).toEqual(['v0: 2 requests, first 1970-01-01T00:00:00.000Z', 'and 2 more'])
})

test.each([
  ['Production Server', 'curl', 'Production Server (curl)'],
  ['Shop', 'pictify-node (linux; x64)', 'Shop (pictify-node)'],
  ['Shop', '$(rm -rf /)', 'Shop (another service)'],
  ['Shop', '', 'Shop (another service)'],
  ['--force', 'curl', 'force (curl)'],
  ['Shop', 'x'.repeat(200), `Shop (${'x'.repeat(40)})`],
])('another name for %s of %s', (name, purpose, another) => {
  expect(nameOfAnother(name, purpose)).toBe(another)
})

test('another name is no longer than a name may be, and cuts no letter in two', () => {
  const another = nameOfAnother('🔑'.repeat(100), 'development')
  expect([...another].length).toBeLessThanOrEqual(100)
  expect(Buffer.from(another).toString()).toBe(another)
})
