import { expect, test } from 'vitest'
import { orphan } from '../../../src/audit/rules/orphan.ts'
import type { Survey } from '../../../src/audit/survey.ts'
import { surveyed, surveyedAt } from '../survey-fixture.ts'
import { checked, daysAgo, rotating } from './checked.ts'

const hourMs = 3_600_000
const old = surveyed()
const successor = surveyed({ id: 'key_new456', createdAt: daysAgo(0, hourMs), lastUsedAt: null })
const left = { here: false, leaseUntil: surveyedAt - hourMs, startedAt: surveyedAt - 2 * hourMs }

test('a successor whose run is gone, and which no journal here knows, is a warning', () => {
  expect(checked(orphan, [old, successor], rotating(left))).toEqual([
    {
      rule: 'orphan',
      severity: 'warning',
      key: successor,
      message:
        'was left by a rotation of key_abc123 that nobody goes on with: run its own line again, or revoke it if no application holds it',
      evidence: {
        rotation: '7f3a9c',
        oldKeyStatus: 'active',
        createdAt: successor.createdAt,
        leaseEndedAt: new Date(surveyedAt - hourMs).toISOString(),
        lastUsedAt: null,
      },
      mend: ['pictify-keys', 'revoke', 'key_new456'],
    },
  ])
})

test.each([
  ['has a journal here', { ...left, here: true }, [old, successor]],
  ['has a lease that is not over', { ...left, leaseUntil: surveyedAt + 1 }, [old, successor]],
  ['is gone', left, [old]],
  ['is revoked', left, [old, { ...successor, status: 'revoked' as const }]],
  ['was not minted', { ...left, newKeyId: undefined }, [old]],
])('one that %s is none', (_, fields, keys) => {
  expect(checked(orphan, keys, rotating(fields))).toEqual([])
})

test.each([
  [24 * hourMs, 'note'],
  [24 * hourMs + 1, 'warning'],
])('one that its run gave up %d ms ago is a %s', (ageMs, severity) => {
  const waiting = { ...left, leaseUntil: undefined, startedAt: surveyedAt - ageMs }
  expect(checked(orphan, [old, successor], rotating(waiting)).map((each) => each.severity)).toEqual([
    severity,
  ])
})

test('goes on to the places that the keys file names', () => {
  const key = {
    key: 'Production Server',
    line: 3,
    type: undefined,
    maxAgeMs: undefined,
    overlapMs: 90_000,
    verify: './smoke test.sh',
  }
  const fleet = {
    known: true,
    value: { path: '/x/pictify-keys.yaml', keys: [{ ...key, to: ['env:.env#K', 'file:k'] }] },
  }
  const survey = { ...rotating(left), fleet } as unknown as Partial<Survey>
  expect(checked(orphan, [old, successor], survey)[0]?.mend).toEqual([
    ...['pictify-keys', 'rotate', 'key_abc123', '--to', 'env:.env#K', '--to', 'file:k'],
    ...['--verify', './smoke test.sh', '--overlap', '90s'],
  ])
})

test('is not to be revoked where the audit is made with it, or may be', () => {
  const admin = { ...successor, access: 'admin' as const }
  const line = (ownKeyId?: string) => checked(orphan, [old, admin], { ...rotating(left), ownKeyId })[0]?.mend
  expect(line('key_new456')).toBeUndefined()
  expect(line()).toBeUndefined()
  expect(line('key_abc123')).toEqual(['pictify-keys', 'revoke', 'key_new456'])
})

test('is not to be revoked where it may be the only key that works: its rotation goes on', () => {
  const gone = checked(orphan, [successor], rotating(left))
  const revoked = checked(orphan, [{ ...old, status: 'revoked' }, successor], rotating(left))
  const goOn = ['pictify-keys', 'rotate', 'key_new456']
  expect([...gone, ...revoked].map(({ mend, evidence }) => [mend, evidence['oldKeyStatus']])).toEqual([
    [goOn, 'deleted'],
    [goOn, 'revoked'],
  ])
})
