import { liesWithin } from './address.ts'

/**
 * Whether a user agent, a network or an address is one that is meant to be there: a network (`10.0.0.0/8`), or a text in which
 * `*` stands for anything. A user agent has slashes and brackets of its own, so that there is no more to a pattern.
 */
export function createIgnored(patterns: readonly string[] = []): (value: string) => boolean {
  const tests = patterns.map((pattern) => {
    const text = new RegExp(`^${pattern.split('*').map(escaped).join('.*')}$`, 'is')
    return (value: string) => liesWithin(value, pattern) ?? text.test(value)
  })
  return (value) => tests.some((isMeant) => isMeant(value))
}

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`)
}
