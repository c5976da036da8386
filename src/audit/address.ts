import ipaddr from 'ipaddr.js'

/** What an address tells of where it is. */
export interface Address {
  /** Its network: /24 of IPv4, /48 of IPv6 (but `::1/128`); undefined where it is no address. */
  network: string | undefined
  /** What lies around that, as `siteOf` has it. */
  site: string | undefined
  kind: 'public' | 'private' | 'loopback' | 'unknown'
}

const nowhere: Address = { network: undefined, site: undefined, kind: 'unknown' }
const prefixes = { ipv4: 24, ipv6: 48 } as const

/** Reads an address as an audit log writes it. IPv4 in IPv6 counts as IPv4. */
export function readAddress(text: string): Address {
  if (!ipaddr.isValid(text)) return nowhere
  const address = ipaddr.process(text)
  const kind = kindOf(address.range())
  const family = address.kind()
  // the network around it begins with the address of nowhere
  if (kind === 'loopback' && family === 'ipv6') return { network: '::1/128', site: '::1/128', kind }
  const network = networkOf(address.toString(), family, prefixes[family])
  return { network, site: siteOf(network), kind }
}

function networkOf(address: string, family: 'ipv4' | 'ipv6', bits: number): string {
  const cidr = `${address}/${bits}`
  const base =
    family === 'ipv4' ? ipaddr.IPv4.networkAddressFromCIDR(cidr) : ipaddr.IPv6.networkAddressFromCIDR(cidr)
  return `${base.toString()}/${bits}`
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

const sitePrefixes = { ipv4: 16, ipv6: 32 } as const

/** What lies around a network: one provider's, mostly. */
export function siteOf(network: string): string {
  const [base = ''] = network.split('/')
  if (!ipaddr.isValid(base)) return network
  const kind = ipaddr.parse(base).kind()
  return networkOf(base, kind, sitePrefixes[kind])
}

/** Whether an address or a network lies within a network (`10.0.0.0/8`); undefined where that is none. */
export function liesWithin(place: string, network: string): boolean | undefined {
  if (!ipaddr.isValidCIDR(network)) return undefined
  const [base = '', bits] = place.split('/')
  if (!ipaddr.isValid(base)) return false
  const address = ipaddr.parse(base)
  const [around, length] = ipaddr.parseCIDR(network)
  if (address.kind() !== around.kind() || (bits !== undefined && Number(bits) < length)) return false
  return address.match(around, length)
}
