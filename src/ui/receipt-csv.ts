import { csvRow } from './csv.ts'
import { outcomeOf, type ProvedRotation } from './receipts.ts'
import { oneLine } from './text.ts'

const columns = ['rotation', 'keyName', 'oldKeyId', 'newKeyId', 'startedAt', 'finishedAt', 'outcome'] as const

/** A row for each rotation that is proved. */
export function provedCsv(rotations: readonly ProvedRotation[]): string[] {
  const rows = rotations.map((rotation) => {
    const { id, oldKey, newKeyId, startedAt, finishedAt } = rotation
    return [id, oldKey.name, oldKey.id, newKeyId, startedAt, finishedAt, outcomeOf(rotation)]
  })
  return [csvRow(columns), ...rows.map((row) => csvRow(row.map((cell) => oneLine(cell ?? ''))))]
}
