import type { Head } from '../audit/receipt-chain.ts'
import type { ExportCheck } from '../audit/receipt-check.ts'
import { shortInstant } from './audit/evidence.ts'
import type { Paint } from './paint.ts'
import { renderTable, type Column } from './table.ts'

/** What `rotations export` says of what it wrote. */
export interface ExportedReceipts {
  /** Null: stdout. */
  file: string | null
  receipts: number
  /** Rotations that are not over, and have no receipt yet. */
  open: number
  /** Journals that could not be read. */
  unreadable: number
  /** Of the period, at other APIs or of other accounts' keys: not in it. */
  others: number
  /** Null: every API. */
  apiUrl: string | null
  /** Of the account's keys alone. */
  account: boolean
  period: { since: string | null; until: string }
  /** The digest of the head, to be noted elsewhere. */
  head: string
  /** The head's place in the chain. */
  sequence: number
  /** The head that it goes on from. */
  after: string | null
  keyId: string
}

/** What `rotations verify` says. */
export interface Verification extends ExportCheck {
  /** Whether the head that was asked for is there; null where none was. */
  headFound: boolean | null
  /** With `--show`. */
  rotations?: readonly ProvedRotation[] | undefined
}

/** A rotation whose receipt is proved, as that says. Instants are ISO 8601; null: it does not say. */
export interface ProvedRotation {
  id: string
  state: string
  oldKey: { id: string; name: string }
  newKeyId: string | null
  compromised: boolean
  startedAt: string | null
  finishedAt: string | null
}

export function outcomeOf({ state, compromised }: Pick<ProvedRotation, 'state' | 'compromised'>): string {
  const outcome = state === 'aborted' ? 'undone' : state
  return compromised ? `${outcome}, as compromised` : outcome
}

export function exportSentence(exported: ExportedReceipts): string {
  const { file, receipts, open, unreadable, others, account, head, keyId, after } = exported
  const lines = [
    `${plural(receipts, 'receipt')} ${scopeOf(exported)}${file === null ? '' : ` in ${file}`}`,
    `  head      ${head}`,
    `  key       ${keyId}`,
  ]
  if (after !== null) lines.push(`  goes on   from ${after}`)
  if (open > 0) lines.push(`  not over  ${plural(open, 'rotation')}, without a receipt yet`)
  if (unreadable > 0) lines.push(`  missing   ${plural(unreadable, 'journal')} that cannot be read`)
  if (others > 0) {
    const whose = account ? 'of keys that the account does not have' : 'of other APIs'
    lines.push(`  left out  ${plural(others, 'receipt')} ${whose}: --all takes them in`)
  }
  lines.push('note the head elsewhere: by it you see whether the end was cut off')
  return lines.join('\n')
}

export function verificationText(verification: Verification, space: { paint: Paint; width: number }): string {
  const { valid, receipts, heads, continues, rotations = [] } = verification
  const { paint } = space
  const lines = rotations.length === 0 ? [] : [provedTable(rotations, space), '']
  lines.push(...problemLines(verification, paint))
  if (valid) {
    lines.push(
      `${paint.green('proved')}  ${plural(receipts, 'receipt')} in ${plural(heads.length, 'export')}: signed, whole and in order`,
    )
  }
  for (const head of heads) {
    const { unreadable } = head
    const missing = unreadable > 0 ? `, ${plural(unreadable, 'journal')} could not be read` : ''
    lines.push(
      `  head  ${head.digest}`,
      `        ${plural(head.receipts, 'receipt')} ${scopeOf(head)}${missing}`,
    )
  }
  if (continues !== null) lines.push(`  goes on from head ${continues}, which is not among these files`)
  return lines.join('\n')
}

/** What is the same of every line is said once. */
function problemLines({ problems, receipts, heads }: Verification, paint: Paint): string[] {
  const isKey = receipts === 0 && heads.length === 0 && problems.every(({ kind }) => kind === 'key')
  const shown = isKey ? problems.slice(0, 1) : problems
  const lines = shown.map(({ file, line, kind, rotation, message }) => {
    const whose = rotation === null || isKey ? '' : ` (rotation ${rotation})`
    const where = kind === 'no-export' ? file : `${file}, line ${line}`
    return `${paint.red('wrong')}  ${where}${whose}: ${message}`
  })
  const more = problems.length - shown.length
  return more === 0
    ? lines
    : [...lines, `       and so ${more === 1 ? 'is one more line' : `are ${more} more lines`}`]
}

function provedTable(rotations: readonly ProvedRotation[], space: { paint: Paint; width: number }): string {
  const when = (at: string | null) => (at === null ? '' : shortInstant(at))
  const columns: Column<ProvedRotation>[] = [
    { head: 'ROTATION', value: ({ id }) => id },
    { head: 'KEY', value: ({ oldKey }) => oldKey.name, flexible: true },
    { head: 'FROM', value: ({ oldKey }) => oldKey.id },
    { head: 'TO', value: ({ newKeyId }) => newKeyId ?? 'none' },
    { head: 'STARTED', value: ({ startedAt }) => when(startedAt), optional: true },
    { head: 'ENDED', value: ({ finishedAt }) => when(finishedAt) },
    { head: 'OUTCOME', value: outcomeOf },
  ]
  return renderTable(columns, rotations, space)
}

function scopeOf({ period, apiUrl, account }: Pick<Head, 'period' | 'apiUrl' | 'account'>): string {
  const { since, until } = period
  const when = since === null ? `until ${until}` : `from ${since} until ${until}`
  if (apiUrl === undefined) return when
  if (apiUrl === null) return `of every API, ${when}`
  return `of ${account ? 'the account at ' : ''}${apiUrl}, ${when}`
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
