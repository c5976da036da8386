import type { Receipt } from '../rotation/state.ts'
import { formatAge } from '../ages.ts'
import type { Paint } from './paint.ts'
import { renderTable, type Column } from './table.ts'

/** What came of a rotation, in a few lines. */
export function outcomeSentence(receipt: Receipt): string {
  const { oldKey, newKey, targets, evidence, id, state, notes } = receipt
  const lines = [headline(receipt)]
  if (state === 'done') {
    lines.push(`  targets   ${targets.map(({ name }) => name).join(', ')}`)
    if (evidence !== null) lines.push(`  evidence  ${evidenceSentence(receipt)}`)
    lines.push(`  old key   ${oldKey.id} is revoked`, `  new key   ${newKey?.id ?? 'none'}`)
  }
  for (const note of notes) lines.push(`  note      ${note}`)
  lines.push(`  rotation  ${id}`)
  return lines.join('\n')
}

/** When its steps were, as far as its receipt says. */
export function stepTimes({ startedAt, newKey, evidence, finishedAt, updatedAt }: Receipt): string {
  const steps: (readonly [step: string, at: string | undefined])[] = [
    ['started', startedAt],
    ['minted', newKey?.createdAt],
    ['checked', evidence?.checkedAt],
    finishedAt === null ? ['last step', updatedAt] : ['ended', finishedAt],
  ]
  return steps.flatMap(([step, at]) => (at === undefined ? [] : [`  ${step.padEnd(9)} ${at}`])).join('\n')
}

function headline({ oldKey, newKey, state }: Receipt): string {
  if (state === 'done') return `rotated ${oldKey.name}: ${oldKey.id} → ${newKey?.id ?? 'none'}`
  if (state === 'aborted') return `undone: ${oldKey.name} (${oldKey.id}) is as it was`
  return `${oldKey.name} (${oldKey.id}): ${state}`
}

/** Why nobody waited for the old key to be idle. */
export function whyWaived({ compromised }: Pick<Receipt, 'compromised'>): string {
  return compromised ? 'not waited for: the key was compromised' : 'waived by --no-evidence'
}

function evidenceSentence(receipt: Receipt): string {
  const { evidence } = receipt
  if (evidence === null) return 'none'
  if (evidence.waived) return whyWaived(receipt)
  const last = evidence.oldKeyLastUsedAt
  const old = last === null ? 'the old key was never used' : `the old key was last used at ${last}`
  return evidence.successorUsed ? `${old}; the new one is in use` : old
}

/** One rotation in a list: of this machine, or as the account shows another one's. */
interface RotationRow {
  id: string
  state: string
  oldKey: { id: string; name: string }
  newKey: { id: string } | null
  apiUrl?: string
  startedAt?: string
  leaseUntil?: string | null
}

export function rotationTable(
  rows: readonly RotationRow[],
  { width, paint, now }: { width: number; paint: Paint; now: number },
): string {
  // of one alone it goes without saying
  const severalApis = new Set(rows.flatMap(({ apiUrl }) => apiUrl ?? [])).size > 1
  const columns: Column<RotationRow>[] = [
    { head: 'ROTATION', value: ({ id }) => id },
    { head: 'STATE', value: ({ state }) => state, paint: (text) => paintState(text, paint) },
    { head: 'KEY', value: ({ oldKey }) => oldKey.name, flexible: true },
    { head: 'OLD', value: ({ oldKey }) => oldKey.id },
    { head: 'NEW', value: ({ newKey }) => newKey?.id ?? '', optional: true },
    ...(severalApis ? [{ head: 'API', value: ({ apiUrl }: RotationRow) => hostOf(apiUrl) }] : []),
    { head: 'STARTED', value: (row) => startOf(row, now) },
  ]
  return renderTable(columns, rows, { width, paint })
}

/** As a person tells APIs apart; that of the account in use where a row has none. */
function hostOf(apiUrl: string | undefined): string {
  return apiUrl === undefined ? 'in use' : apiUrl.replace(/^[a-z]+:\/\//, '')
}

function paintState(state: string, paint: Paint): string {
  if (state === 'done') return paint.green(state)
  return state === 'aborted' ? paint.dim(state) : paint.yellow(state)
}

function startOf({ startedAt, leaseUntil }: RotationRow, now: number): string {
  if (startedAt !== undefined) return formatAge(startedAt, now)
  return leaseUntil ? `leased, ends ${formatAge(leaseUntil, now)}` : 'free to go on with'
}
