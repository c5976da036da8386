export const hourMs = 3_600_000

/** How many requests took how long: counts by bin, each bin a tenth wider than the one before. Sums exactly. */
type Latencies = Record<number, number>

/** The sums of some requests. */
export interface Tally {
  requests: number
  errors: number
  latencies: Latencies
  countries: Record<string, number>
}

const smallestMs = 0.1
const growth = 1.1

export const newTally = (): Tally => ({ requests: 0, errors: 0, latencies: {}, countries: {} })

export function addLatency({ latencies }: Tally, ms: number, count = 1): void {
  const bin = Math.max(0, Math.round(Math.log(ms / smallestMs) / Math.log(growth)))
  latencies[bin] = (latencies[bin] ?? 0) + count
}

export function addTally(to: Tally, tally: Tally): void {
  to.requests += tally.requests
  to.errors += tally.errors
  for (const bin in tally.latencies)
    to.latencies[bin] = (to.latencies[bin] ?? 0) + (tally.latencies[bin] ?? 0)
  for (const code in tally.countries)
    to.countries[code] = (to.countries[code] ?? 0) + (tally.countries[code] ?? 0)
}

/** The time in milliseconds that a share of the requests kept within, five percent more or less; 0 of none. */
export function percentile({ latencies }: Tally, share: number): number {
  const bins = Object.entries(latencies).map(([bin, count]) => [Number(bin), count] as const)
  const total = bins.reduce((sum, [, count]) => sum + count, 0)
  let seen = 0
  for (const [bin, count] of bins.sort(([a], [b]) => a - b)) {
    seen += count
    // a hair less, for counts that are shares and do not quite add up
    if (seen >= total * share - 1e-6) return Math.round(smallestMs * growth ** bin * 10) / 10
  }
  return 0
}
