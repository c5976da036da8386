import { describe, expect, test } from 'vitest'
import { keyAge } from '../../../src/audit/rules/key-age.ts'
import { surveyed } from '../survey-fixture.ts'
import { checked, daysAgo } from './checked.ts'
import { entry, fleetOf } from './fleet-survey.ts'

const dayMs = 86_400_000
const aged = (createdAt: string) => surveyed({ createdAt })

describe('a key of no file', () => {
  test.each([
    ['90 days', daysAgo(90), []],
    ['a moment more than 90 days', daysAgo(90, 1), ['warning']],
    ['365 days', daysAgo(365), ['warning']],
    ['a moment more than 365 days', daysAgo(365, 1), ['error']],
    ['created in a time to come', daysAgo(-3), []],
    ['of an instant that is none', 'some day', []],
  ])('%s old', (_, createdAt, found) => {
    expect(checked(keyAge, [aged(createdAt)]).map(({ severity }) => severity)).toEqual(found)
  })

  test('goes by the settings; what warns later than a year is no error before', () => {
    const severities = (days: number, settings: object) =>
      checked(keyAge, [aged(daysAgo(days))], {}, settings).map(({ severity }) => severity)
    expect(severities(31, { warnAfterMs: 30 * dayMs })).toEqual(['warning'])
    expect(severities(61, { errorAfterMs: 60 * dayMs })).toEqual(['error'])
    expect(severities(399, { warnAfterMs: 400 * dayMs })).toEqual([])
    expect(severities(401, { warnAfterMs: 400 * dayMs })).toEqual(['error'])
  })

  test('says how old it is, and is rotated by its id', () => {
    expect(checked(keyAge, [aged(daysAgo(100))])).toMatchObject([
      {
        message: 'is 100 days old, where 90 days are a warning',
        evidence: { createdAt: daysAgo(100), ageDays: 100, limit: '90d' },
        mend: ['pictify-keys', 'rotate', 'key_abc123'],
        place: undefined,
      },
    ])
  })

  test('is rotated with itself where the audit is made with it; an admin key has no line where that is not known', () => {
    const admins = ['key_a', 'key_b'].map((id) => surveyed({ id, access: 'admin', createdAt: daysAgo(100) }))
    const found = (ownKeyId?: string) => checked(keyAge, [...admins, aged(daysAgo(100))], { ownKeyId })
    const lines = (ownKeyId?: string) => found(ownKeyId).map(({ mend }) => mend?.slice(1))
    expect(lines('key_b')).toEqual([
      ['rotate', 'key_a'],
      ['rotate', 'key_b', '--self'],
      ['rotate', 'key_abc123'],
    ])
    expect(lines()).toEqual([undefined, undefined, ['rotate', 'key_abc123']])
    expect(found().map(({ message }) => message.split('; ')[1])).toEqual([
      'rotate it with --self if it is the admin key in use',
      'rotate it with --self if it is the admin key in use',
      undefined,
    ])
  })

  test('is none where it is revoked', () => {
    expect(checked(keyAge, [surveyed({ createdAt: daysAgo(500), status: 'revoked' })])).toEqual([])
  })
})

describe('a key with a maxAge', () => {
  const known = entry('Production Server', { maxAgeMs: 30 * dayMs, line: 7 })
  test.each([
    ['27 days', daysAgo(27), []],
    ['a moment more than 27 days', daysAgo(27, 1), ['warning']],
    ['30 days', daysAgo(30), ['warning']],
    ['a moment more', daysAgo(30, 1), ['error']],
  ])('%s old, of 30 days', (_, createdAt, found) => {
    const survey = fleetOf(known)
    expect(checked(keyAge, [aged(createdAt)], survey).map(({ severity }) => severity)).toEqual(found)
  })

  test('may be older than others', () => {
    const patient = fleetOf(entry('key_abc123', { maxAgeMs: 730 * dayMs }))
    expect(checked(keyAge, [aged(daysAgo(500))], patient)).toEqual([])
  })

  test('is found by its id before its name', () => {
    const both = fleetOf(
      entry('Production Server', { maxAgeMs: dayMs }),
      entry('key_abc123', { maxAgeMs: 730 * dayMs }),
    )
    expect(checked(keyAge, [aged(daysAgo(20))], both)).toEqual([])
  })

  test('is rotated by the whole line of the file, and found at its place', () => {
    const whole = {
      ...known,
      to: ['env:.env#KEY', 'manual:the wiki'],
      verify: './smoke test.sh',
      overlapMs: 36 * 3_600_000,
    }
    const [finding] = checked(keyAge, [aged(daysAgo(31))], fleetOf(whole))
    expect(finding).toMatchObject({
      message: 'is 31 days old, more than its maxAge of 30d',
      place: { file: 'pictify-keys.yaml', line: 7 },
    })
    expect(finding?.mend).toEqual([
      ...['pictify-keys', 'rotate', 'key_abc123', '--to', 'env:.env#KEY', '--to', 'manual:the wiki'],
      ...['--verify', './smoke test.sh', '--overlap', '36h'],
    ])
  })
})
