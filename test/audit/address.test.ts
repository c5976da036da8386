import { describe, expect, test } from 'vitest'
import { liesWithin, readAddress, siteOf } from '../../src/audit/address.ts'
import { isLocal } from '../../src/audit/novelty.ts'

describe('an address', () => {
  test.each([
    ['192.0.2.17', undefined],
    ['8.8.8.8', { network: '8.8.8.0/24', kind: 'public' }],
    ['10.1.2.3', { network: '10.1.2.0/24', kind: 'private' }],
    ['127.0.0.1', { network: '127.0.0.0/24', kind: 'loopback' }],
    ['::1', { network: '::1/128', kind: 'loopback' }],
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
    else expect(readAddress(text)).toMatchObject(expected)
  })
})

test.each([
  ['8.8.8.0/24', '8.8.0.0/16'],
  ['2a00:1450:4001::/48', '2a00:1450::/32'],
  ['a proxy', 'a proxy'],
])('around %s lies %s', (network, site) => {
  expect(siteOf(network)).toBe(site)
  const own = readAddress(network.split('/')[0] ?? '').site
  expect(own).toBe(site === 'a proxy' ? undefined : site)
})

test.each([
  ['10.1.2.3', '10.0.0.0/8', true],
  ['10.1.2.0/24', '10.0.0.0/8', true],
  ['10.1.2.0/24', '10.1.2.0/24', true],
  ['10.1.2.0/24', '10.1.2.128/25', false],
  ['11.1.2.3', '10.0.0.0/8', false],
  ['2a00::1', '10.0.0.0/8', false],
  ['2a00:1450::1', '2a00:1450::/32', true],
  ['curl', '10.0.0.0/8', false],
  ['10.1.2.3', '10.1.2.*', undefined],
  ['10.1.2.3', '10.1.2.3', undefined],
])('that %s lies within %s is %s', (place, network, within) => {
  expect(liesWithin(place, network)).toBe(within)
})

test.each([
  ['127.0.0.0/24', true],
  ['::1/128', true],
  ['10.1.2.0/24', true],
  ['fe80::/48', true],
  ['8.8.8.0/24', false],
  ['', false],
])('that the network %s is local is %s', (network, local) => {
  expect(isLocal(network)).toBe(local)
})
