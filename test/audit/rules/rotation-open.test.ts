import { expect, test } from 'vitest'
import { rotationOpen } from '../../../src/audit/rules/rotation-open.ts'
import { surveyed, surveyedAt } from '../survey-fixture.ts'
import { checked, rotating } from './checked.ts'

const hourMs = 3_600_000
const keys = [surveyed(), surveyed({ id: 'key_new456' })]
const found = (fields: Parameters<typeof rotating>[0], settings = {}) =>
  checked(rotationOpen, keys, rotating(fields), settings)

test.each([
  ['is under way', {}, 0],
  ['waits since 24 hours', { leaseUntil: undefined, startedAt: surveyedAt - 24 * hourMs }, 0],
  ['waits for longer', { leaseUntil: undefined, startedAt: surveyedAt - 24 * hourMs - 1 }, 1],
  ['is under way since two days', { startedAt: surveyedAt - 48 * hourMs }, 1],
  ['has lost its run a moment ago', { leaseUntil: surveyedAt }, 1],
  ['is of another machine, and under way', { here: false }, 0],
  [
    'is of another machine, under way since two days',
    { here: false, startedAt: surveyedAt - 48 * hourMs },
    1,
  ],
  ['is of another machine, without a run', { here: false, leaseUntil: surveyedAt }, 0],
  ['began nobody knows when', { leaseUntil: undefined, startedAt: undefined }, 0],
])('a rotation that %s', (_, fields, count) => {
  expect(found(fields)).toHaveLength(count)
})

test('says since when, and how to go on', () => {
  expect(found({ leaseUntil: undefined, startedAt: surveyedAt - 50 * hourMs })).toMatchObject([
    {
      severity: 'warning',
      key: { id: 'key_abc123' },
      message: 'has a rotation that was begun 2d 2h ago and is not over',
      evidence: { rotation: '7f3a9c', successor: 'key_new456', leaseUntilAt: null, onThisMachine: true },
      mend: ['pictify-keys', 'rotate', '7f3a9c', '--resume'],
    },
  ])
  expect(found({ leaseUntil: surveyedAt - hourMs, startedAt: surveyedAt - 2 * hourMs })[0]?.message).toBe(
    'has a rotation that was begun 2h ago and whose run is gone',
  )
})

test('is about the successor where the old key is gone, and about the account where both are', () => {
  const over = rotating({ leaseUntil: surveyedAt - 1 })
  expect(checked(rotationOpen, keys.slice(1), over)[0]?.key?.id).toBe('key_new456')
  expect(checked(rotationOpen, [], over).map(({ key }) => key)).toEqual([undefined])
})

test('waits as long as the settings say', () => {
  const waiting = { leaseUntil: undefined, startedAt: surveyedAt - 50 * hourMs }
  expect(found(waiting, { warnAfterMs: 72 * hourMs })).toEqual([])
})
