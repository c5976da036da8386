import type { Key } from '../api/contract.ts'
import type { Survey } from './survey.ts'

/** When a key was last used by others than this program, which asks with a secret whether it works. */
export interface LastUse {
  /** Unix ms; null: never. */
  at: number | null
  /** It was then at the latest: what was before the log is not known. */
  isAtLatest: boolean
  /** How many of our own probes came later. */
  probes: number
}

/** Longer than what the log and the list of keys say of one request differ by. */
const resolutionMs = 60_000

/** As the API shows it; where the log was read, and has of the key nothing but our own probes, without those. */
export function lastUseOf({ log }: Pick<Survey, 'log'>, key: Key): LastUse {
  const at = key.lastUsedAt === null ? null : Date.parse(key.lastUsedAt)
  const own = log.known ? log.value.keys.get(key.id) : undefined
  const lastAt = own?.lastAt
  if (!log.known || own === undefined || at === null || lastAt === undefined || own.requests > own.probes)
    return { at, isAtLatest: false, probes: 0 }
  // used otherwise, which the log does not show yet
  if (!(at <= lastAt + resolutionMs)) return { at, isAtLatest: false, probes: 0 }
  const { since } = log.value
  const isYounger = Date.parse(key.createdAt) >= since
  return { at: isYounger ? null : since, isAtLatest: !isYounger, probes: own.probes }
}

/** What a finding adds to its sentence. */
export function butByProbes({ probes }: LastUse): string {
  return probes > 0 ? ', but by probes of pictify-keys' : ''
}
