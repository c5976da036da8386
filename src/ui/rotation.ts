import { formatDuration } from '../duration.ts'
import type { RotationEvent } from '../rotation/run.ts'
import type { Receipt, RotationState } from '../rotation/state.ts'
import { formatAge } from './ages.ts'
import type { Output } from './output.ts'
import type { Paint } from './paint.ts'
import { renderTable, type Column } from './table.ts'

const stepSentences: Record<string, string> = {
  mint: 'creating the successor',
  accept: 'waiting until the API accepts it everywhere',
  deliver: 'delivering it to the targets',
  verify: 'verifying it from every target',
  overlap: 'waiting for evidence that the old key is quiet',
  retire: 'revoking the old key',
  finish: 'proving the end and tidying up',
}

const stateSentences: Partial<Record<RotationState, string>> = {
  accepted: 'accepted',
  delivered: 'delivered',
  verified: 'verified',
  retired: 'the old key is revoked',
  aborting: 'undoing the rotation',
}

/** Reports rotation events: one JSON object a line with --json, else a sentence for those that a person wants to know. */
export function createProgress(out: Output): (event: RotationEvent) => void {
  // Evidence is looked at every few seconds; a person is told when what is missing changes.
  let lastMissing = ''
  let lastWaitedFor = ''
  return (event) => {
    if (event.event === 'warning') {
      out.warn(event.message)
      return
    }
    let sentence = sentenceOf(event)
    if (event.event === 'evidence') {
      const missing = event.missing.join('; ')
      if (missing === lastMissing) sentence = undefined
      lastMissing = missing
    }
    if (event.event === 'undo-wait') {
      if (event.newKey === lastWaitedFor) sentence = undefined
      lastWaitedFor = event.newKey
    }
    out.event({ ...event }, sentence)
  }
}

function sentenceOf(event: Exclude<RotationEvent, { event: 'warning' }>): string | undefined {
  switch (event.event) {
    case 'resumed':
      return `going on with rotation ${event.rotation}, which was ${event.state}`
    case 'adopted':
      return `going on with rotation ${event.rotation}, which another machine began, and its successor ${event.newKey}`
    case 'step':
      return stepSentences[event.step] ?? event.step
    case 'state':
      return event.state === 'minted' ? `  created ${event.newKey}` : indent(stateSentences[event.state])
    case 'probe':
    case 'rotation':
    case 'verify':
      return undefined
    case 'target':
      return event.state === 'writing' ? undefined : `  ${event.target}: ${event.state}`
    case 'target-failed':
      return `  ${event.target}: attempt ${event.attempt} failed: ${event.message}`
    case 'restart':
      return event.state === 'started'
        ? `  starting ${event.restart} anew, and waiting up to ${formatDuration(event.boundMs)} until all of it runs`
        : `  ${event.restart}: runs with what its targets hold`
    case 'evidence':
      return event.missing.length === 0
        ? '  the evidence is in'
        : `  waiting up to ${formatDuration(event.waitEndsInMs)}: ${event.missing.join('; ')}`
    case 'undo-wait':
      return `  ${event.newKey} may still be in use; waiting up to ${formatDuration(event.waitEndsInMs)} until it is quiet (--idle and --usage-lag say how long that is)`
  }
}

function indent(text: string | undefined): string | undefined {
  return text && `  ${text}`
}

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

function headline({ oldKey, newKey, state }: Receipt): string {
  if (state === 'done') return `rotated ${oldKey.name}: ${oldKey.id} → ${newKey?.id ?? 'none'}`
  if (state === 'aborted') return `undone: ${oldKey.name} (${oldKey.id}) is as it was`
  return `${oldKey.name} (${oldKey.id}): ${state}`
}

function evidenceSentence({ evidence }: Receipt): string {
  if (evidence === null) return 'none'
  if (evidence.waived) return 'waived'
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
  startedAt?: string
  leaseUntil?: string | null
}

export function rotationTable(
  rows: readonly RotationRow[],
  { width, paint, now }: { width: number; paint: Paint; now: number },
): string {
  const columns: Column<RotationRow>[] = [
    { head: 'ROTATION', value: ({ id }) => id },
    { head: 'STATE', value: ({ state }) => state, paint: (text) => paintState(text, paint) },
    { head: 'KEY', value: ({ oldKey }) => oldKey.name, flexible: true },
    { head: 'OLD', value: ({ oldKey }) => oldKey.id },
    { head: 'NEW', value: ({ newKey }) => newKey?.id ?? '' },
    { head: 'STARTED', value: (row) => startOf(row, now) },
  ]
  return renderTable(columns, rows, { width, paint })
}

function paintState(state: string, paint: Paint): string {
  if (state === 'done') return paint.green(state)
  return state === 'aborted' ? paint.dim(state) : paint.yellow(state)
}

function startOf({ startedAt, leaseUntil }: RotationRow, now: number): string {
  if (startedAt !== undefined) return formatAge(startedAt, now)
  return leaseUntil ? `leased, ends ${formatAge(leaseUntil, now)}` : 'free to go on with'
}
