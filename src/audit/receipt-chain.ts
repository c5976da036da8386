// Rules of this file:
// - every line says its place (`sequence`, from 1) and the SHA-256 of the line before it;
// - an export ends with a head, which is a line like the others and says how many receipts there are: an end that was cut
//   off shows;
// - an export that goes on from another one has its numbers go on, and refers to that one's head.
import { digestOf, sealLine, type SigningKey } from './envelope.ts'

export const receiptType = 'application/vnd.pictify-keys.receipt+json'
export const headType = 'application/vnd.pictify-keys.receipts-head+json'

/** What is said of an export as a whole. Instants are ISO 8601. */
export interface Head {
  /** The digest of the head that it goes on from; null where it is the first. */
  after: string | null
  /** Which receipts were asked for: those that ended from `since` (null: from the beginning) until before `until`. */
  period: { since: string | null; until: string }
  /** Whose rotations were asked for: those at this API; null: at every one. Exports of old do not say. */
  apiUrl?: string | null
  /** Only those of keys that the account had. */
  account?: boolean
  /** The place of its first line; the head's own where there is no receipt. */
  first: number
  receipts: number
  /** Journals that could not be read, whose receipts are not in it. */
  unreadable: number
  exportedAt: string
}

/** Where a chain ends, and goes on. */
export interface ChainEnd {
  sequence: number
  /** The digest of its last line, a head. */
  digest: string
}

export type HeadFacts = Pick<Head, 'period' | 'apiUrl' | 'account' | 'unreadable' | 'exportedAt'>

/** The lines of an export, head and all, and where it ends. */
export function chainOf(
  receipts: readonly object[],
  facts: HeadFacts,
  key: SigningKey,
  after?: ChainEnd,
): { lines: string[]; end: ChainEnd } {
  let sequence = after?.sequence ?? 0
  let previous = after?.digest ?? null
  const lines: string[] = []
  const add = (type: string, body: object) => {
    sequence += 1
    const line = sealLine(type, { sequence, previous, ...body }, key)
    lines.push(line)
    previous = digestOf(line)
    return previous
  }

  const first = sequence + 1
  for (const receipt of receipts) add(receiptType, { receipt })
  const head: Head = { after: after?.digest ?? null, first, receipts: receipts.length, ...facts }
  const digest = add(headType, { head })
  return { lines, end: { sequence, digest } }
}
