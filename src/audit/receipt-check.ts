// Rules of this file:
// - nothing that a line says is believed before its signature was found right; what is said of a spoilt line is what it
//   says itself;
// - one thing that is wrong is told once: what follows from it is passed over;
// - a line is kept no longer than it is looked at.
import { digestOf, type Envelope, isSignedBy, openLine, type SigningKey } from './envelope.ts'
import { type ChainEnd, type Head, headType, receiptType } from './receipt-chain.ts'

/** A line of a file, without its end; `isWhole` where it had one. */
export interface ExportLine {
  text: string
  isWhole: boolean
}

export interface ExportFile {
  name: string
  lines: AsyncIterable<ExportLine> | Iterable<ExportLine>
}

/**
 * `no-export`: a file that is something else; `altered`: bytes; `key`: signed with none of the keys; `signature`: it is another
 * one's; `missing`, `order`: lines; `end`: of a file; `head`: what it says.
 */
export type ProblemKind = 'no-export' | 'altered' | 'key' | 'signature' | 'missing' | 'order' | 'end' | 'head'

export interface ExportProblem {
  file: string
  /** From 1. */
  line: number
  /** The rotation whose receipt it is, as the line says; null where it says none. */
  rotation: string | null
  kind: ProblemKind
  message: string
}

/** What is proved of the files, taken as one chain. */
export interface ExportCheck {
  valid: boolean
  receipts: number
  /** Every head, with its digest: whoever noted one sees whether it is still there. */
  heads: (Head & { digest: string; sequence: number })[]
  /** The digest of an earlier head that the first file goes on from, and that was not looked at. */
  continues: string | null
  problems: ExportProblem[]
}

/** Told of each receipt whose line is right. */
export type OnReceipt = (receipt: Record<string, unknown>) => void

/** What is wrong so often is not read on. */
export const mostProblems = 100

/** Checks exports in the order they were made, each going on from the one before. */
export async function checkExports(
  files: readonly ExportFile[],
  keys: readonly SigningKey[],
  onReceipt: OnReceipt = () => {},
): Promise<ExportCheck & { end: ChainEnd | undefined }> {
  const check: ExportCheck = { valid: true, receipts: 0, heads: [], continues: null, problems: [] }
  const chain = createChainCheck(check, keys, onReceipt)
  const isEnough = () => check.problems.length >= mostProblems
  for (const { name, lines } of files) {
    chain.begin(name)
    for await (const line of lines) {
      chain.take(line)
      if (isEnough()) break
    }
    chain.end()
    if (isEnough()) break
  }
  return { ...check, valid: check.problems.length === 0, end: chain.reached() }
}

/** What a line that is signed by one of the keys says. */
interface Said {
  sequence: number
  previous: string | null
  receipt?: Record<string, unknown>
  head?: Head
}

function createChainCheck(check: ExportCheck, keys: readonly SigningKey[], onReceipt: OnReceipt) {
  let file = ''
  let line = 0
  /** The place that the next line has; undefined before the first. */
  let expected: number | undefined
  /** The digest of the line before; undefined where that was not right, so that nothing can refer to it. */
  let previous: string | null | undefined = null
  /** What the first line of the present export says of what was before it. */
  let begun: { sequence: number; previous: string | null } | undefined
  let receipts = 0
  let end: ChainEnd | undefined
  let endsWithHead = false
  let isSpoilt = false
  /** Something in the present file is, or was, a line of an export; and how much was wrong before it. */
  let isExport = false
  let wrongBefore = 0

  const tell = (kind: ProblemKind, message: string, rotation: string | null = null) => {
    isSpoilt = true
    if (check.problems.length < mostProblems) check.problems.push({ file, line, rotation, kind, message })
  }

  function place({ sequence, previous: said }: Said, rotation: string | null): void {
    if (expected === undefined) return
    if (sequence > expected) {
      const count = sequence - expected
      const lines = count === 1 ? `line ${expected} of the chain is` : `${count} lines of the chain are`
      tell('missing', `${lines} missing before it: it is line ${sequence}`, rotation)
    } else if (sequence < expected) {
      tell('order', `it is line ${sequence} of the chain, where line ${expected} belongs`, rotation)
    } else if (previous !== undefined && said !== previous) {
      tell('order', 'it does not go on from the line before it, but from another', rotation)
    }
  }

  function takeHead(head: Head, { sequence }: Said, digest: string): void {
    const from = begun
    begun = undefined
    const count = receipts
    receipts = 0
    // what is missing or spoilt has been told, and makes the count another one
    if (!isSpoilt) {
      const before = from === undefined ? 0 : from.sequence - head.first
      if (before > 0) {
        const lines = before === 1 ? 'a line is' : `${before} lines are`
        tell('missing', `${lines} missing at the beginning of the export that ends here`)
      } else if (from && (before < 0 || from.previous !== head.after)) {
        tell('order', 'the export that ends here does not go on from the one that its head names')
      } else if (head.receipts !== count) {
        tell('head', `the head counts ${head.receipts} receipts, and there are ${count}`)
      }
    }
    if (check.heads.length === 0) check.continues = head.after
    check.heads.push({ ...head, digest, sequence })
    end = { sequence, digest }
  }

  return {
    begin(name: string) {
      file = name
      line = 0
      endsWithHead = false
      isExport = false
      wrongBefore = check.problems.length
    },

    take({ text, isWhole }: ExportLine) {
      line += 1
      endsWithHead = false
      const envelope = openLine(text)
      isExport ||= envelope !== undefined || isTextOf(text)
      const said = envelope && read(envelope, keys)
      if (said === undefined || 'wrong' in said) {
        if (envelope === undefined) tell('altered', whatIsOf(text))
        else if (said) tell(said.kind, said.wrong, rotationOf(envelope))
        expected = expected === undefined ? undefined : expected + 1
        previous = undefined
        return
      }
      const rotation = typeof said.receipt?.['id'] === 'string' ? said.receipt['id'] : null
      place(said, rotation)
      begun ??= said
      expected = said.sequence + 1
      previous = digestOf(text)
      if (said.head !== undefined) {
        endsWithHead = true
        takeHead(said.head, said, previous)
      } else {
        receipts += 1
        check.receipts += 1
        onReceipt(said.receipt ?? {})
      }
      if (!isWhole) tell('end', 'its end is cut off', rotation)
    },

    end() {
      if (line === 0) {
        line = 1
        tell('end', 'there is nothing in it')
      } else if (!isExport) {
        check.problems.splice(wrongBefore)
        line = 1
        tell('no-export', 'it is no export of receipts')
      } else if (!endsWithHead && check.problems.at(-1)?.line !== line) {
        tell('end', 'it does not end with a head: what came after this line is cut off')
      }
    },

    reached: () => (isSpoilt ? undefined : end),
  }
}

interface Unbelieved {
  kind: 'key' | 'signature'
  wrong: string
}

/** What is signed, or why it is not to be believed. */
function read(envelope: Envelope, keys: readonly SigningKey[]): Said | Unbelieved {
  const key = keys.find(({ id }) => id === envelope.keyId)
  if (key === undefined) {
    return { kind: 'key', wrong: `it is signed with another key, ${envelope.keyId.slice(0, 64)}` }
  }
  if (!isSignedBy(envelope, key)) return { kind: 'signature', wrong: 'it is not as it was signed' }
  const said = payloadOf(envelope) as Partial<Said> | undefined
  const isPlaced =
    Number.isSafeInteger(said?.sequence) && (said?.previous === null || typeof said?.previous === 'string')
  const isReceipt = envelope.payloadType === receiptType && isObject(said?.receipt)
  const isHead = envelope.payloadType === headType && isHeadOf(said?.head)
  return isPlaced && (isReceipt || isHead)
    ? (said as Said)
    : { kind: 'signature', wrong: 'it is signed, and is neither a receipt nor a head' }
}

function isHeadOf(value: unknown): value is Head {
  const { period, first, receipts, unreadable, exportedAt, after } = (value ?? {}) as Partial<Head>
  return (
    (after === null || typeof after === 'string') &&
    typeof period?.until === 'string' &&
    (period.since === null || typeof period.since === 'string') &&
    [first, receipts, unreadable].every((count) => Number.isSafeInteger(count)) &&
    typeof exportedAt === 'string'
  )
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function payloadOf({ payload }: Envelope): unknown {
  try {
    return JSON.parse(payload.toString())
  } catch {
    return undefined
  }
}

function rotationOf(envelope: Envelope): string | null {
  const id = (payloadOf(envelope) as Partial<Said> | undefined)?.receipt?.['id']
  return typeof id === 'string' && /^[0-9a-f]{6}$/.test(id) ? id : null
}

/** One that was changed by hand or on its way still begins as it was written. */
function isTextOf(text: string): boolean {
  return text.startsWith('{"payload":"')
}

function whatIsOf(text: string): string {
  if (text === '') return 'it is empty'
  if (text.endsWith('\r')) return 'its end is another (CRLF): something took the file for text and changed it'
  return 'it is not an envelope as it was written: bytes of it were changed'
}
