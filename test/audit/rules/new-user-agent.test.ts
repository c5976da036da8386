import { describe, expect, test } from 'vitest'
import { newUserAgent } from '../../../src/audit/rules/new-user-agent.ts'
import { found, logged, usual } from '../account-fixture.ts'

const other = { userAgent: 'python-requests/2.31', from: 2 }

describe('new-user-agent', () => {
  test('from a network that is new too is a warning', () => {
    expect(found(newUserAgent, logged([usual, { ...other, ip: '103.97.126.14' }]))).toMatchObject([
      {
        severity: 'warning',
        message: '8 requests by 1 program never seen before: python-requests',
        evidence: {
          programs: ['python-requests: 8 requests, first 2026-02-27T17:59:59.999Z'],
          networks: ['103.97.126.0/24'],
          knownPrograms: 1,
        },
        mend: ['pictify-keys', 'incident', 'key_abc123'],
      },
    ])
  })

  test('from known networks is a note, as a deploy shows so', () => {
    const [finding] = found(newUserAgent, logged([usual, other]))
    expect(finding).toMatchObject({ severity: 'note' })
    expect(finding?.message).toContain('from known networks: python-requests')
  })

  test('as there often are of them is a note', () => {
    const daily = Array.from({ length: 30 }, (_, day) => ({
      userAgent: `agent-${'abcdefghijklmnopqrstuvwxyz1234'[day]}`,
      ip: `34.${day + 10}.1.1`,
      from: day + 1,
      to: day,
    }))
    expect(found(newUserAgent, logged(daily))).toMatchObject([{ severity: 'note' }])
  })

  test.each([
    ['an upgrade', logged([usual, { userAgent: 'pictify-node/2.0.0', from: 2 }]), {}],
    ['who always was', logged([usual, { ...other, from: 30 }]), {}],
    ['pictify-keys', logged([usual, { userAgent: 'pictify-keys/0.1.0', from: 2 }]), {}],
    ['a key without a baseline', logged([{ ...usual, from: 8 }, other]), {}],
    ['a key that is revoked', logged([usual, other], { status: 'revoked' }), {}],
    ['what the file ignores', logged([usual, other]), { ignore: ['*requests'] }],
    ['no user agent', logged([usual, { ...other, userAgent: '' }]), {}],
  ])('%s is no finding', (_, survey, settings) => {
    expect(found(newUserAgent, survey, settings)).toEqual([])
  })
})
