import type { Head } from '../audit/receipt-chain.ts'
import type { ExportCheck } from '../audit/receipt-check.ts'
import type { Paint } from './paint.ts'

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

export function verificationText(verification: Verification, { paint }: { paint: Paint }): string {
  const { valid, receipts, heads, continues, problems } = verification
  const lines = problems.map(({ file, line, rotation, message }) => {
    const whose = rotation === null ? '' : ` (rotation ${rotation})`
    return `${paint.red('wrong')}  ${file}, line ${line}${whose}: ${message}`
  })
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
