import { createPrivateKey, createPublicKey } from 'node:crypto'
import type { SigningKey } from '../../src/audit/envelope.ts'
import { chainOf, type ChainEnd, type HeadFacts } from '../../src/audit/receipt-chain.ts'
import { type ExportLine, checkExports } from '../../src/audit/receipt-check.ts'
import { createSigningKey } from '../../src/audit/signing-key.ts'

export interface Pair {
  id: string
  signs: SigningKey
  checks: SigningKey
  publicPem: string
}

export function createPair(): Pair {
  const { id, privatePem, publicPem } = createSigningKey()
  return {
    id,
    publicPem,
    signs: { id, key: createPrivateKey(privatePem) },
    checks: { id, key: createPublicKey(publicPem) },
  }
}

export const facts: HeadFacts = {
  period: { since: null, until: '2026-04-01T00:00:00.000Z' },
  unreadable: 0,
  exportedAt: '2026-04-01T00:00:01.000Z',
}

const idOf = (number: number) => number.toString(16).padStart(6, '0')
export const receiptsOf = (count: number, first = 1) =>
  Array.from({ length: count }, (_, index) => ({
    id: idOf(first + index),
    state: 'done',
    oldKey: { id: `key_${first + index}`, name: 'Prüfung „Ost“' },
  }))

/** Exports of so many receipts each, each going on from the one before, as their files' contents. */
export function exported(counts: readonly number[], { signs }: Pair): string[] {
  let after: ChainEnd | undefined
  let first = 1
  return counts.map((count) => {
    const { lines, end } = chainOf(receiptsOf(count, first), facts, signs, after)
    after = end
    first += count
    return lines.map((line) => `${line}\n`).join('')
  })
}

/** The lines of a file, as whoever reads it hands them over. */
export function linesOf(text: string): ExportLine[] {
  const parts = text.split('\n')
  const last = parts.pop() ?? ''
  return [
    ...parts.map((part) => ({ text: part, isWhole: true })),
    ...(last === '' ? [] : [{ text: last, isWhole: false }]),
  ]
}

export function check(files: readonly string[], ...pairs: Pair[]) {
  return checkExports(
    files.map((text, index) => ({ name: `${index + 1}.ndjson`, lines: linesOf(text) })),
    pairs.map(({ checks }) => checks),
  )
}
