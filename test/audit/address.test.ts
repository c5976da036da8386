import { describe, expect, test } from 'vitest'
import { readAddress } from '../../src/audit/address.ts'

describe('an address', () => {
  test.each([
    ['192.0.2.17', undefined],
    ['8.8.8.8', { network: '8.8.8.0/24', kind: 'public' }],
    ['10.1.2.3', { network: '10.1.2.0/24', kind: 'private' }],
    ['127.0.0.1', { network: '127.0.0.0/24', kind: 'loopback' }],
    ['::1', { network: '::/48', kind: 'loopback' }],
    ['::ffff:10.1.2.3', { network: '10.1.2.0/24', kind: 'private' }],
    ['2a00:1450:4001:81b::200e', { network: '2a00:1450:4001::/48', kind: 'public' }],
    ['fe80::1', { network: 'fe80::/48', kind: 'private' }],
    ['', { network: undefined, kind: 'unknown' }],
    ['a proxy', { network: undefined, kind: 'unknown' }],
    ['fe80::1%eth0', { network: 'fe80::/48', kind: 'private' }],
    ['8.8.8.8:443', { network: undefined, kind: 'unknown' }],
    ['100.64.0.1', { network: '100.64.0.0/24', kind: 'private' }],
    ['0.0.0.0', { network: '0.0.0.0/24', kind: 'unknown' }],
  ])('%s', (text, expected) => {
    if (expected === undefined) expect(readAddress(text).network).toBe('192.0.2.0/24')
    else expect(readAddress(text)).toEqual(expected)
  })
})
