// Rules of this file:
// - a rule looks at a survey and nothing else: it asks no API, reads no file, knows no clock;
// - a rule whose source is not to be had is skipped and said to be, never passed.
import type { RuleSettings, SettingKinds, Severity } from '../fleet/fleet.ts'
import type { Finding } from './finding.ts'
import type { Survey } from './survey.ts'

/** What a rule needs besides the keys. */
export type Source = 'usage' | 'log' | 'rotations' | 'fleet' | 'tree' | 'past'

export interface Rule {
  /** Kebab-case; it never changes its meaning. */
  id: string
  /** The severest that it finds, unless the file says otherwise. */
  severity: Severity
  /** What is wrong, in a few words: `a key is older than it may be`. */
  summary: string
  /** Why that matters and how it is told, for people: a sentence or two. */
  help: string
  needs: readonly Source[]
  /** What it goes by besides, where that is to be had: without it, it tells less. */
  goesBy?: readonly Source[]
  /** What of its settings it goes by, besides the severity, and how each is written; the file is refused with any other. */
  settings?: Partial<SettingKinds>
  /** It asks which key the audit is made with: of that one it says something else. */
  goesByOwnKey?: boolean
  /** Why it cannot be held against this survey although its sources are there (lower case, no full stop); undefined where it can. */
  skip?(survey: Survey, settings: RuleSettings): string | undefined
  /** Keys that nothing can be said of, by why (lower case, no full stop): they neither pass nor fail. Not asked of a skipped rule. */
  leftOut?(survey: Survey, settings: RuleSettings): readonly { keys: number; why: string }[]
  /** Findings without regard to `settings.severity`, which the report puts in force. */
  check(survey: Survey, settings: RuleSettings): Iterable<Finding>
}
