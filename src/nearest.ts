import leven from 'leven'

/** More changes than this are no slip of the fingers. */
const mostChanges = 3
/** So much of the longer text is the same at least. */
const leastSame = 0.3
/** A part shorter than this is in too many names. */
const leastPart = 3

/**
 * The candidates a person most likely meant by what was typed, best first: those a few slips away, then those that
 * contain it. Case does not count.
 */
export function nearest(typed: string, candidates: Iterable<string>, most = 3): string[] {
  const wanted = typed.trim().toLowerCase()
  const scored: { candidate: string; score: number }[] = []
  for (const candidate of new Set(candidates)) {
    const score = distance(wanted, candidate.trim().toLowerCase())
    if (score !== undefined) scored.push({ candidate, score })
  }
  return scored
    .sort((a, b) => a.score - b.score)
    .slice(0, most)
    .map(({ candidate }) => candidate)
}

/** Lower is nearer; undefined is not near. */
function distance(wanted: string, candidate: string): number | undefined {
  if (wanted === '') return undefined
  const longest = Math.max(wanted.length, candidate.length)
  const changes = leven(wanted, candidate, { maxDistance: mostChanges + 1 })
  if (changes <= mostChanges && (longest - changes) / longest > leastSame) return changes
  const isPart = wanted.length >= leastPart && candidate.includes(wanted)
  return isPart ? mostChanges + candidate.length - wanted.length : undefined
}
