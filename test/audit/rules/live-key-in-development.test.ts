import { describe, expect, test } from 'vitest'
import { liveKeyInDevelopment } from '../../../src/audit/rules/live-key-in-development.ts'
import { found, logged, usual } from '../account-fixture.ts'

describe('live-key-in-development', () => {
  test('says what it is told by, how often and since when', () => {
    const survey = logged([
      usual,
      { ip: '127.0.0.1', userAgent: 'pictify-node/1.4.2 jest/29.7.0', from: 5, to: 3 },
      { ip: '20.55.14.31', userAgent: 'PostmanRuntime/7.36', from: 3, to: 2 },
    ])
    expect(found(liveKeyInDevelopment, survey)).toMatchObject([
      {
        severity: 'warning',
        message: 'a live key, used from development: jest, loopback and Postman (12 requests)',
        evidence: {
          signs: ['jest', 'loopback', 'Postman'],
          requests: 12,
          ofRequests: 132,
          uses: [
            'pictify-node jest from 127.0.0.0/24: 8 requests, first 2026-02-24T17:59:59.999Z',
            'PostmanRuntime from 20.55.14.0/24: 4 requests, first 2026-02-26T17:59:59.999Z',
          ],
        },
        mend: ['pictify-keys', 'create', 'Production Server (development)', '--type', 'test'],
      },
    ])
  })

  test.each([
    ['loopback', { ip: '::1' }],
    ['a private network', { ip: '192.168.1.7' }],
    ['IPv4 in IPv6', { ip: '::ffff:10.0.0.1' }],
    ['GitHub Actions', { userAgent: 'pictify-node/1.4.2 (GitHub Actions)' }],
    ['GitLab', { userAgent: 'gitlab-runner 16.1.0 linux/amd64' }],
    ['Jenkins', { userAgent: 'Jenkins/2.440' }],
    ['CircleCI', { userAgent: 'circleci-cli/0.1' }],
    ['a job that says so', { userAgent: 'deploy (CI)' }],
    ['Insomnia', { userAgent: 'insomnia/8.6.0' }],
    ['curl beside another program', { userAgent: 'curl/8.5.0' }],
    [
      'PowerShell',
      { userAgent: 'Mozilla/5.0 (Windows NT; Windows NT 10.0; en-US) WindowsPowerShell/5.1.22621.963' },
    ],
  ])('%s is a warning', (_, traffic) => {
    const survey = logged([usual, { ...traffic, from: 2, to: 1 }])
    expect(found(liveKeyInDevelopment, survey)).toMatchObject([
      { severity: 'warning', evidence: { requests: 4 } },
    ])
  })

  test.each([
    ['what is weeks ago', [usual, { ip: '127.0.0.1', from: 20, to: 19 }], ', last on 2026-02-10'],
    ['curl alone, which may be a script', [{ ...usual, userAgent: 'curl/8.5.0' }], ''],
  ])('%s is a note', (_, traffic, said) => {
    const [finding] = found(liveKeyInDevelopment, logged(traffic))
    expect(finding?.severity).toBe('note')
    expect(finding?.message).toContain(said)
  })

  test('curl alone from loopback is no script of production', () => {
    const survey = logged([{ ip: '127.0.0.1', userAgent: 'curl/8.5.0' }])
    expect(found(liveKeyInDevelopment, survey)).toMatchObject([{ severity: 'warning' }])
  })

  const local = [usual, { ip: '10.0.7.9', userAgent: 'curl/8.5.0' }]
  test.each([
    ['a test key', logged(local, { type: 'test' }), {}],
    ['a revoked key', logged(local, { status: 'revoked' }), {}],
    ['what the file ignores by network', logged(local), { ignore: ['10.0.0.0/8'] }],
    ['what the file ignores by program', logged(local), { ignore: ['CURL*'] }],
    ['a service of production', logged([usual]), {}],
    ['pictify-keys', logged([{ ip: '127.0.0.1', userAgent: 'pictify-keys/0.1.0' }]), {}],
    ['what only sounds so', logged([{ ...usual, userAgent: 'majestic-cist/1.0 (suggester; curler)' }]), {}],
    ['an address that is none', logged([{ ...usual, ip: 'a proxy' }]), {}],
  ])('%s is no finding', (_, survey, settings) => {
    expect(found(liveKeyInDevelopment, survey, settings)).toEqual([])
  })
})
