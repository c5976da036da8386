// Rules of this file:
// - every item of the API's own security checklist is here in its words, with the rules that cover it, or with why none can;
// - an item is in order only where each of its rules was held and found nothing: what was not looked at is not known.
import type { ReportedFinding, SkippedRule } from './report.ts'
import type { Rule } from './rule.ts'

interface Item {
  item: string
  /** By id; an item without any cannot be checked. */
  rules: readonly string[]
  /** What of it no rule can see, and why; null where its rules see all of it. */
  unseen: string | null
}

/** "Security Checklist" of the API's page on key security. */
export const checklist: readonly Item[] = [
  {
    item: 'API keys stored in environment variables or secrets manager',
    rules: ['secret-in-tree'],
    unseen: 'where else a secret was copied to is not seen: only this working tree is searched',
  },
  { item: '.env files excluded from version control', rules: ['secret-in-tree'], unseen: null },
  {
    item: 'Separate keys for production and development',
    rules: ['live-key-in-development', 'shared-key'],
    unseen: null,
  },
  {
    item: 'Keys rotated regularly (at least annually)',
    rules: ['key-age', 'orphan', 'rotation-open'],
    unseen: null,
  },
  { item: 'Unused keys revoked', rules: ['never-used', 'unused'], unseen: null },
  {
    item: 'API usage monitored for anomalies',
    rules: [
      'error-rate',
      'latency',
      'new-country',
      'new-network',
      'new-user-agent',
      'outside-hours',
      'request-spike',
    ],
    unseen:
      'whether somebody is told between two audits is not seen: pictify-keys alerts check, run by cron, does that',
  },
  {
    item: 'Access to key creation restricted',
    rules: ['admin-key-does-work', 'too-many-admin-keys'],
    unseen: 'who of the team may create keys in the dashboard is not told by the API',
  },
  {
    item: 'Incident response plan documented',
    rules: [],
    unseen: 'a plan is a document, which no API and no file of a fixed name tells of',
  },
]

/** How it stands with an item. */
export interface CheckedItem extends Item {
  /** `unknown`: some of its rules were not held, and the others found nothing. */
  state: 'in-order' | 'findings' | 'unknown' | 'not-checkable'
  findings: number
  /** Its rules that were not held: skipped, off, or not asked for. */
  notHeld: readonly string[]
}

export function holdChecklist(
  findings: readonly Pick<ReportedFinding, 'rule'>[],
  skipped: readonly Pick<SkippedRule, 'rule'>[],
  inForce: readonly Pick<Rule, 'id'>[],
): CheckedItem[] {
  return checklist.map((item) => {
    const found = findings.filter(({ rule }) => item.rules.includes(rule)).length
    const notHeld = item.rules.filter(
      (id) => !inForce.some((rule) => rule.id === id) || skipped.some(({ rule }) => rule === id),
    )
    const state =
      item.rules.length === 0
        ? 'not-checkable'
        : found > 0
          ? 'findings'
          : notHeld.length > 0
            ? 'unknown'
            : 'in-order'
    return { ...item, state, findings: found, notHeld }
  })
}
