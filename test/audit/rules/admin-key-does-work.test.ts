import { describe, expect, test } from 'vitest'
import { adminKeyDoesWork } from '../../../src/audit/rules/admin-key-does-work.ts'
import { found, logged, usual } from '../account-fixture.ts'

const managing = { ...usual, endpoint: '/api-keys', method: 'GET' }
const admin = { name: 'Team admin', access: 'admin' } as const
const own = { userAgent: 'pictify-keys/0.1.0', endpoint: '/templates?limit=1', method: 'GET' }

describe('admin-key-does-work', () => {
  test('says what work, and how much of all it is', () => {
    expect(found(adminKeyDoesWork, logged([usual, managing, { ...own, from: 1 }], admin))).toMatchObject([
      {
        severity: 'warning',
        message: 'an admin key that does other work: 120 requests to POST /image',
        evidence: { requests: 120, ofRequests: 244, programs: ['pictify-node', 'pictify-keys'] },
        mend: ['pictify-keys', 'create', 'Team admin (application)', '--type', 'live', '--access', 'full'],
      },
    ])
  })

  test('what looks like a probe and is none is work', () => {
    const survey = logged([managing, own, { ...own, userAgent: 'curl/8.5.0', from: 1 }], admin)
    expect(found(adminKeyDoesWork, survey)).toMatchObject([{ evidence: { requests: 4 } }])
  })

  test.each([
    ['a key that does not manage keys', logged([usual])],
    [
      'managing keys',
      logged([managing, { ...managing, endpoint: '/api-keys/key_abc123def4/revoke', method: 'POST' }], admin),
    ],
    ['reading the audit log', logged([{ ...managing, endpoint: '/v1/audit-logs?page=2' }], admin)],
    ['our own probes', logged([managing, own], admin)],
    ['a revoked key', logged([usual], { ...admin, status: 'revoked' })],
  ])('%s is no finding', (_, survey) => {
    expect(found(adminKeyDoesWork, survey)).toEqual([])
  })

  test('a key is not taken for managing by a name alone', () => {
    const survey = logged([{ ...usual, endpoint: '/my-api-keys-page' }], admin)
    expect(found(adminKeyDoesWork, survey)).toHaveLength(1)
    expect(found(adminKeyDoesWork, survey, { minRequests: 121 })).toEqual([])
  })

  test('tells nothing of keys of which the API does not say what they may do', () => {
    const { keys, ...rest } = logged([usual], admin)
    const unsaid = { ...keys[0]!, id: 'key_b', name: 'B', access: undefined }
    const why = 'the API does not say what a key may do'
    expect(adminKeyDoesWork.skip?.({ ...rest, keys: [unsaid] }, {})).toBe(why)
    expect(adminKeyDoesWork.skip?.({ ...rest, keys: [...keys, unsaid] }, {})).toBeUndefined()
    expect(adminKeyDoesWork.leftOut?.({ ...rest, keys: [...keys, unsaid] }, {})).toEqual([
      { keys: 1, why: `${why}: B` },
    ])
  })

  test('tells nothing of a key that was used, and that the log does not show', () => {
    const survey = logged([], admin)
    expect(adminKeyDoesWork.skip?.(survey, {})).toBe('the audit log has nothing of keys that were used')
    expect(
      adminKeyDoesWork.skip?.(logged([], { ...admin, lastUsedAt: '2026-01-01T00:00:00Z' }), {}),
    ).toBeUndefined()
    expect(adminKeyDoesWork.skip?.(logged([], { ...admin, lastUsedAt: null }), {})).toBeUndefined()
  })
})
