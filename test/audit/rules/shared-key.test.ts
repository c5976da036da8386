import { describe, expect, test } from 'vitest'
import { sharedKey } from '../../../src/audit/rules/shared-key.ts'
import { found, known, logged, logOf, usual } from '../account-fixture.ts'

const worker = { ip: '52.20.7.9', userAgent: 'python-requests/2.31' }

describe('shared-key', () => {
  test('two programs side by side from networks of their own are a warning', () => {
    expect(found(sharedKey, logged([usual, { ...worker, everyHours: 12 }]))).toEqual([
      {
        rule: 'shared-key',
        severity: 'warning',
        key: expect.objectContaining({ id: 'key_abc123' }) as unknown,
        message:
          'used side by side by 2 programs from networks of their own: pictify-node and python-requests',
        evidence: {
          programs: [
            'pictify-node: 28 requests from 18.66.10.0/24',
            'python-requests: 14 requests from 52.20.7.0/24',
          ],
          daysTogether: 7,
        },
        mend: [
          'pictify-keys',
          'create',
          'Production Server (python-requests)',
          '--type',
          'live',
          '--access',
          'full',
        ],
      },
    ])
  })

  test('from one network they are a note', () => {
    const survey = logged([usual, { ...worker, ip: '18.66.10.200' }])
    expect(found(sharedKey, survey)).toMatchObject([{ severity: 'note' }])
  })

  test.each([
    ['one program from several networks', [usual, { ...usual, ip: '52.20.7.9' }]],
    ['an upgrade', [usual, { ...usual, userAgent: 'pictify-node/2.0.0' }]],
    [
      'a deploy that moved',
      [
        { ...usual, to: 3 },
        { ...worker, from: 3.5 },
      ],
    ],
    ['a deploy that was taken back', [usual, { ...worker, from: 4, to: 2.5 }]],
    ['two programs that were, but are no more', [usual, { ...worker, to: 8 }]],
    [
      'somebody who tried something',
      [
        { ...usual, everyHours: 0.5 },
        { ...worker, everyHours: 48, from: 7 },
      ],
    ],
    ['a test runner', [usual, { ...worker, userAgent: 'jest/29' }]],
    [
      'pictify-keys',
      [usual, { ...worker, userAgent: 'pictify-keys/0.1.0', endpoint: '/templates', method: 'GET' }],
    ],
    ['requests without a user agent', [usual, { ...worker, userAgent: '' }]],
  ])('%s is no finding', (_, traffic) => {
    expect(found(sharedKey, logged(traffic))).toEqual([])
  })

  test('a revoked key is none, nor is what the file ignores', () => {
    expect(found(sharedKey, logged([usual, worker], { status: 'revoked' }))).toEqual([])
    expect(found(sharedKey, logged([usual, worker]), { ignore: ['python-*'] })).toEqual([])
    expect(found(sharedKey, logged([usual, worker]), { ignore: ['52.0.0.0/8'] })).toEqual([])
    expect(found(sharedKey, logged([usual, worker]), { minRequests: 100 })).toEqual([])
  })

  test('needs days that a deploy could be over in', () => {
    const survey = { ...logged([usual]), log: known(logOf([usual], { recentDays: 2 })) }
    expect(sharedKey.skip?.(survey, {})).toBe('it needs a recent stretch of 3 days or more')
    expect(sharedKey.skip?.(logged([usual]), {})).toBeUndefined()
  })

  test('a name that is long stays within what a name may be', () => {
    const [finding] = found(sharedKey, logged([usual, worker], { name: 'n'.repeat(100) }))
    expect(finding?.mend?.[2]).toHaveLength(100)
    expect(finding?.mend?.[2]).toMatch(/ \(python-requests\)$/)
  })

  const elsewhere = { ...usual, ip: '185.60.112.9', endpoint: '/pdf' }

  test('one program from two places side by side, for different work, is a warning', () => {
    expect(found(sharedKey, logged([usual, { ...elsewhere, everyHours: 12 }]))).toMatchObject([
      {
        severity: 'warning',
        message:
          'used side by side from 2 places for different work: 18.66.0.0/16 (POST /image) and 185.60.0.0/16 (POST /pdf)',
        evidence: {
          places: [expect.stringMatching(/^18\.66/), expect.stringMatching(/^185\.60/)],
          daysTogether: 7,
        },
        mend: ['pictify-keys', 'create', 'Production Server (pdf)', '--type', 'live', '--access', 'full'],
      },
    ])
  })

  const reading = { endpoint: '/templates/tpl_abc123def4', method: 'GET' }
  test.each([
    ['the same work', [usual, { ...elsewhere, endpoint: '/image' }]],
    ['for as much of the same', [usual, elsewhere, { ...elsewhere, endpoint: '/image' }]],
    ['one place', [usual, { ...elsewhere, ip: '18.66.200.1' }]],
    [
      'a move from one to the other',
      [
        { ...usual, to: 3 },
        { ...elsewhere, from: 3.5 },
      ],
    ],
    ['a laptop', [usual, { ...elsewhere, userAgent: 'curl/8.5.0' }]],
    [
      'what is seldom',
      [
        { ...usual, everyHours: 0.2 },
        { ...elsewhere, everyHours: 24 },
      ],
    ],
  ])('one program from two places is none of %s', (_, traffic) => {
    expect(found(sharedKey, logged(traffic))).toEqual([])
  })

  test('what both of them read does not make their work the same', () => {
    const both = [usual, elsewhere, { ...usual, ...reading }, { ...elsewhere, ...reading }]
    expect(found(sharedKey, logged(both))).toHaveLength(1)
    expect(found(sharedKey, logged(both), { ignore: ['185.60.0.0/16'] })).toEqual([])
  })
})
