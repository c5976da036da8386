import { liesWithin, readAddress } from './address.ts'

/**
 * Whether a user agent or a network is one that is meant to be there: a network (`10.0.0.0/8`), an address, which stands for
 * the network it lies in, or a text in which `*` stands for anything. A user agent has slashes and brackets of its own, so that there is no more to a pattern.
 */
export function createIgnored(patterns: readonly string[] = []): (value: string) => boolean {
  const tests = patterns.map((pattern) => {
    const text = new RegExp(`^${pattern.split('*').map(escaped).join('.*')}$`, 'is')
    const network = readAddress(pattern).network ?? pattern
    return (value: string) => liesWithin(value, network) ?? text.test(value)
  })
  return (value) => tests.some((isMeant) => isMeant(value))
}

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`)
}
