import type { KeyType } from '../api/contract.ts'
import type { Severity } from '../fleet/fleet.ts'

/** What was measured: counts, instants (ISO 8601), names. Durations say their unit in their name. */
export type Evidence = Readonly<Record<string, string | number | boolean | null | readonly string[]>>

/** One thing that is not in order. */
export interface Finding {
  rule: string
  severity: Severity
  /** Undefined where it is about the account, the file or the working tree. */
  key: Pick<FoundKey, 'id' | 'name' | 'type'> | undefined
  /** One sentence: lower case, no full stop, never a secret. */
  message: string
  evidence: Evidence
  /**
   * The command line that mends it, word by word (`['pictify-keys', 'delete', id]`): the report quotes them, and says whose
   * keys are meant. Undefined where no command can.
   */
  mend: readonly string[] | undefined
  /** A command line that has to come before `mend`, without which that would not last. */
  mendFirst?: readonly string[] | undefined
  /** Where in a file; the path from the working directory, the line from 1. */
  place?: { file: string; line: number } | undefined
}

interface FoundKey {
  id: string
  name: string
  type: KeyType
}
