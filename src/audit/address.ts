import ipaddr from 'ipaddr.js'

/** What an address tells of where it is. */
export interface Address {
  /** Its network: /24 of IPv4, /48 of IPv6; undefined where it is no address. */
  network: string | undefined
  kind: 'public' | 'private' | 'loopback' | 'unknown'
}

const nowhere: Address = { network: undefined, kind: 'unknown' }
const prefixes = { ipv4: 24, ipv6: 48 } as const

/** Reads an address as an audit log writes it. IPv4 in IPv6 counts as IPv4. */
export function readAddress(text: string): Address {
  if (!ipaddr.isValid(text)) return nowhere
  const address = ipaddr.process(text)
  const kind = kindOf(address.range())
  const bits = prefixes[address.kind()]
  const parsed: [ipaddr.IPv4 | ipaddr.IPv6, number] = [address, bits]
  const base =
    address.kind() === 'ipv4'
      ? ipaddr.IPv4.networkAddressFromCIDR(parsed.join('/'))
      : ipaddr.IPv6.networkAddressFromCIDR(parsed.join('/'))
  return { network: `${base.toString()}/${bits}`, kind }
}

function kindOf(range: string): Address['kind'] {
  switch (range) {
    case 'loopback':
      return 'loopback'
    case 'unicast':
      return 'public'
    case 'private':
    case 'linkLocal':
    case 'uniqueLocal':
    case 'carrierGradeNat':
      return 'private'
    default:
      return 'unknown'
  }
}
