import { KeysError } from '../errors.ts'
import type { SettingKinds } from '../fleet/fleet.ts'
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

/** Throws `keys-file` for what nothing can ever fit that a rule is told to ignore; of files others know. */
export function checkIgnored(kind: Exclude<SettingKinds['ignore'], 'files'>, pattern: string): void {
  const refuse = (what: string, hint: string) => {
    throw new KeysError('keys-file', `"${pattern}" is no ${what}`, { hint })
  }
  if (kind === 'countries') {
    const meant = countryMeant(pattern)
    if (meant === pattern) return
    refuse('country', meant === undefined ? 'write its two letters, as DE' : `did you mean ${meant}?`)
  }
  if (kind === 'programs' && !looksLikeNetwork.test(pattern)) return
  if (!isNetwork(pattern))
    refuse('network', 'write one as 203.0.113.0/24 or 2001:db8::/32, an address, or a glob (203.0.*)')
}

/** A user agent has letters in it. */
const looksLikeNetwork = /^(?:[\d.]+(?:\/\d*)?|[\da-f]*:[\da-f:.]*(?:\/\d*)?)$/i

function isNetwork(pattern: string): boolean {
  if (pattern.includes('*')) return /^[\da-f.:/*]+$/i.test(pattern)
  // what the library takes besides: 10 for 0.0.0.10
  if (!/^\d+(?:\.\d+){3}(?:\/\d+)?$|:/.test(pattern)) return false
  return liesWithin('0.0.0.0', pattern) !== undefined || readAddress(pattern).network !== undefined
}

/** `DE` of `DE`, `de` and `Germany`, `GB` of `UK`: as ISO 3166 has it, in which the API names countries. */
function countryMeant(written: string): string | undefined {
  const names = new Intl.DisplayNames('en', { type: 'region', fallback: 'none' })
  const code = written.toUpperCase()
  // of what comes through Tor there is no country
  if (code === 'T1') return code
  if (/^[A-Z]{2}$/.test(code) && names.of(code) !== undefined) return codeInUse(code)
  const letters = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ']
  const codes = letters.flatMap((first) => letters.map((second) => first + second))
  const named = codes.find((each) => names.of(each)?.toUpperCase() === code)
  return named === undefined ? undefined : codeInUse(named)
}

function codeInUse(code: string): string {
  const [locale = ''] = Intl.getCanonicalLocales(`und-${code}`)
  return locale.slice('und-'.length)
}
