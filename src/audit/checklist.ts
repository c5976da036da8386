// Rules of this file:
// - every item of the API's own security checklist is here in its words, with the rules that cover it, or with why none can;
// - an item is in order only where each of its rules was held, had something to look at, and found nothing: what was not
//   looked at is not known.
import { isEnvironmentFile } from './environment-file.ts'
import { callerOf, ownProgram } from './key-log.ts'
import { maybeInUse } from './own-key.ts'
import { passedOverIn } from './passed-over.ts'
import type { ReportedFinding } from './report.ts'
import type { Survey } from './survey.ts'

type Found = Pick<ReportedFinding, 'rule' | 'severity' | 'place'>

interface Item extends Said {
  /** Why its rules had nothing to look at, or not all of it (lower case, no full stop); undefined where they had. */
  nothingIn?: (survey: Survey) => string | undefined
  /** What else of it is not seen in a survey. */
  passedOver?: (survey: Survey) => readonly string[]
  /** Whether what its rules found is against it; all of that is, without this. */
  counts?: (finding: Found, survey: Survey) => boolean
}

interface Said {
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
    nothingIn: noTree,
    passedOver: ({ tree }) => (tree.known ? passedOverIn(tree.value) : []),
    // an environment file that only its owner reads is what is asked for
    counts: ({ severity }, survey) => hasRepository(survey) || severity !== 'note',
  },
  {
    item: '.env files excluded from version control',
    rules: ['secret-in-tree'],
    unseen: 'one without a secret of this API is not seen',
    nothingIn: noTree,
    counts: ({ place }, survey) => hasRepository(survey) && isEnvironmentFile(place?.file ?? ''),
  },
  {
    item: 'Separate keys for production and development',
    rules: ['live-key-in-development', 'shared-key'],
    unseen: null,
    nothingIn: noUse,
  },
  {
    item: 'Keys rotated regularly (at least annually)',
    rules: ['key-age', 'orphan', 'rotation-open'],
    unseen: null,
    nothingIn: ({ keys }) =>
      keys.some(({ status }) => status === 'active') ? undefined : 'the account has no active key',
  },
  { item: 'Unused keys revoked', rules: ['never-used', 'unused'], unseen: null, nothingIn: noOtherKey },
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
      'woke-up',
    ],
    unseen:
      'whether somebody is told between two audits is not seen: pictify-keys alerts check, run by cron, does that',
    nothingIn: noUse,
  },
  {
    item: 'Access to key creation restricted',
    rules: ['admin-key-does-work', 'too-many-admin-keys'],
    unseen: 'who of the team may create keys in the dashboard is not told by the API',
    nothingIn: ({ log }) => (log.known && log.value.events === 0 ? 'the audit log is empty' : undefined),
  },
  {
    item: 'Incident response plan documented',
    rules: [],
    unseen: 'a plan is a document, which no API and no file of a fixed name tells of',
  },
]

function hasRepository({ tree }: Survey): boolean {
  return tree.known && tree.value.hasRepository
}

function noTree({ tree }: Survey): string | undefined {
  if (!tree.known) return tree.why
  const { hasRepository: isIn, files, unread } = tree.value
  if (!isIn) return 'the working directory is in no repository: only its environment files were looked at'
  if (files === 0) return 'git tracks no file here'
  return unread > 0 ? 'not every file could be read' : undefined
}

/** The key in use is there for this audit at least. */
function noOtherKey(survey: Survey): string | undefined {
  const inUse = maybeInUse(survey)
  const isThere = survey.keys.some(({ id, status }) => status === 'active' && !inUse.has(id))
  return isThere ? undefined : 'the account has no active key besides those for key management'
}

/** What this program itself asked tells nothing of how keys are used. */
function noUse({ keys, log }: Survey): string | undefined {
  const isThere = keys.some(({ id, status }) => {
    const own = log.known && status === 'active' ? log.value.keys.get(id) : undefined
    return own?.callers.list().some((each) => callerOf(each).program !== ownProgram)
  })
  return isThere ? undefined : 'the audit log has no request of an active key'
}

/** How it stands with an item. */
export interface CheckedItem extends Said {
  /** `unknown`: some of its rules were not held or had nothing to look at, and the others found nothing. */
  state: 'in-order' | 'findings' | 'unknown' | 'not-checkable'
  findings: number
  /** Its rules that were not held: skipped, off, or not asked for. */
  notHeld: readonly string[]
  /** Why its rules, where they were held, had nothing to look at; null where they had. */
  nothingIn: string | null
}

export function holdChecklist(
  survey: Survey,
  findings: readonly Found[],
  isNotHeld: (rule: string) => boolean,
): CheckedItem[] {
  return checklist.map(({ item, rules, nothingIn, passedOver, counts = () => true, ...own }) => {
    const found = findings.filter((finding) => rules.includes(finding.rule) && counts(finding, survey)).length
    const notHeld = rules.filter(isNotHeld)
    // what was found, or why they were not held, says it already
    const isSaid = found > 0 || notHeld.length === rules.length
    const why = isSaid ? null : (nothingIn?.(survey) ?? null)
    const unseen = [...(passedOver?.(survey) ?? []), ...(own.unseen === null ? [] : [own.unseen])]
    return {
      item,
      rules,
      unseen: unseen.length > 0 ? unseen.join('; ') : null,
      state: stateOf(rules, found, notHeld, why),
      findings: found,
      notHeld,
      nothingIn: why,
    }
  })
}

function stateOf(
  rules: readonly string[],
  found: number,
  notHeld: readonly string[],
  nothingIn: string | null,
): CheckedItem['state'] {
  if (rules.length === 0) return 'not-checkable'
  if (found > 0) return 'findings'
  return notHeld.length > 0 || nothingIn !== null ? 'unknown' : 'in-order'
}
