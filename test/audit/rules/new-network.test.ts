import { describe, expect, test } from 'vitest'
import { newNetwork } from '../../../src/audit/rules/new-network.ts'
import { found, logged, usual } from '../account-fixture.ts'

const thief = { ip: '103.97.126.14', userAgent: 'pictify-node/1.4.2', from: 2 }

describe('new-network', () => {
  test('says from where, since when, and what was known', () => {
    expect(found(newNetwork, logged([usual, thief]))).toMatchObject([
      {
        rule: 'new-network',
        severity: 'warning',
        message: '8 requests from 1 network never seen before: 103.97.126.0/24',
        evidence: {
          networks: ['103.97.126.0/24: 8 requests, first 2026-02-27T17:59:59.999Z'],
          programs: ['pictify-node'],
          requests: 8,
          firstAt: '2026-02-27T17:59:59.999Z',
          knownNetworks: 1,
          recentSince: '2026-02-22T12:00:00.000Z',
        },
        mend: ['pictify-keys', 'incident', 'key_abc123'],
      },
    ])
  })

  /** A new network each day, as functions in a cloud have it. */
  const daily = Array.from({ length: 30 }, (_, day) => ({
    ...usual,
    ip: `34.${day + 10}.1.1`,
    from: day + 1,
    to: day,
  }))
  const probing = { ...thief, userAgent: 'pictify-keys/0.1.0', endpoint: '/templates', method: 'GET' }

  test.each([
    [
      'one beside a known one',
      [usual, { ...usual, ip: '18.66.200.4', from: 2 }],
      {},
      ', all of them beside known ones',
    ],
    ['what is new each day', daily, {}, ', as often before'],
    ['a probe of ours', [usual, probing], {}, ', by pictify-keys alone'],
  ])('%s is a note', (_, traffic, key, said) => {
    const [finding] = found(newNetwork, logged(traffic, key))
    expect([finding?.severity, finding?.message.includes(said)]).toEqual(['note', true])
  })

  test('a probe of ours with an admin key is a warning', () => {
    expect(found(newNetwork, logged([usual, probing], { access: 'admin' }))).toMatchObject([
      { severity: 'warning' },
    ])
  })

  test('one of several that lies beside a known one does not make less of the others', () => {
    const survey = logged([usual, thief, { ...usual, ip: '18.66.200.4', from: 2 }])
    expect(found(newNetwork, survey)).toMatchObject([{ severity: 'warning', evidence: { requests: 16 } }])
  })

  test('IPv6 is told by its /48', () => {
    const six = { ...usual, ip: '2600:1f18:1:2::a' }
    expect(found(newNetwork, logged([six, { ...six, ip: '2600:1f18:1:ffff::b', from: 1 }]))).toEqual([])
    expect(found(newNetwork, logged([six, { ...six, ip: '2a02:8109::1', from: 1 }]))).toMatchObject([
      { severity: 'warning', evidence: { networks: [expect.stringContaining('2a02:8109::/48')] } },
    ])
  })

  test.each([
    ['where it always was', logged([usual, { ...thief, from: 30 }]), {}],
    ['another address of its network', logged([usual, { ...usual, ip: '18.66.10.99', from: 2 }]), {}],
    ['a key that is younger than the baseline', logged([{ ...usual, from: 6 }, thief]), {}],
    ['a key of two days before', logged([{ ...usual, from: 9 }, thief]), {}],
    ['a key of few requests before', logged([{ ...usual, everyHours: 72 }, thief]), {}],
    ['a key that is revoked', logged([usual, thief], { status: 'revoked' }), {}],
    ['loopback', logged([usual, { ...thief, ip: '127.0.0.1' }]), {}],
    ['what the file ignores', logged([usual, thief]), { ignore: ['103.97.126.*'] }],
    ['what the file calls little', logged([usual, thief]), { minRequests: 9 }],
  ])('%s is no finding', (_, survey, settings) => {
    expect(found(newNetwork, survey, settings)).toEqual([])
  })

  test('is skipped where no key has a baseline, and says so', () => {
    expect(newNetwork.skip?.(logged([{ ...usual, from: 5 }]), {})).toBe(
      'the audit log does not reach back far enough to tell what is new',
    )
    expect(newNetwork.skip?.(logged([usual]), {})).toBeUndefined()
    expect(newNetwork.skip?.(logged([]), {})).toBe('the audit log has nothing of keys that were used')
    expect(newNetwork.skip?.(logged([], { lastUsedAt: null }), {})).toBeUndefined()
  })
})
