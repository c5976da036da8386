import type { RuleSettings } from '../fleet/fleet.ts'
import type { KeyPast } from './survey.ts'

/** Countries that a key is used from and was not before, most requests first. */
export function newCountriesOf(
  countries: Readonly<Record<string, number>>,
  known: KeyPast,
  recentSince: number,
  { minRequests = 1, ignore = [] }: Pick<RuleSettings, 'minRequests' | 'ignore'>,
): [code: string, requests: number][] {
  return Object.entries(countries)
    .filter(([code, requests]) => {
      const isMeant = ignore.includes(code) || requests < Math.max(1, minRequests)
      return !isMeant && isNewCountry(code, known, recentSince)
    })
    .sort(([, a], [, b]) => b - a)
}

/** A country that was there at the first look is none, however lately that was. */
export function isNewCountry(code: string, { since, countries }: KeyPast, recentSince: number): boolean {
  const firstAt = countries.get(code)
  return firstAt === undefined || (firstAt > since && firstAt >= recentSince)
}
