import type { Key } from '../api/contract.ts'
import type { Incident } from './incident.ts'

/** How a secret was found to be of its key. */
export type MatchedBy = 'audit-log' | 'last-use' | 'rotation'

/** What to do next, in this order. */
export interface NextStep {
  /** Lower case, no full stop. */
  what: string
  /** A whole line for a shell. */
  command: string
}

/** What `incident` says, without how it looks. */
export interface IncidentReport {
  incident: Incident
  /** Null where the key was named. */
  matchedBy: MatchedBy | null
  /**
   * Of an admin key, which can create others that outlive it: keys that were created since, newest first. Null where it is
   * none, and where its access is not known.
   */
  keysSince: Pick<Key, 'id' | 'name' | 'type' | 'status' | 'createdAt'>[] | null
  keysSinceLeftOut: number
  next: NextStep[]
}
