import { formatDuration } from '../duration.ts'
import type { Receipt } from '../rotation/state.ts'
import type { Summary } from './output.ts'
import { whyWaived } from './rotation.ts'

/** What a CI hands to later steps: ids and the state, never a secret. */
export function rotationOutputs({ id, state, oldKey, newKey }: Receipt): Record<string, string | undefined> {
  return { rotation_id: id, rotation_state: state, old_key_id: oldKey.id, new_key_id: newKey?.id }
}

/** A rotation as the page of a CI's job shows it; `why` is what it ended with, where it is not done. */
export function rotationSummary(receipt: Receipt, why: string | undefined): Summary {
  const { id, state, oldKey, newKey, targets, evidence, notes } = receipt
  const took = Date.parse(receipt.finishedAt ?? receipt.updatedAt) - Date.parse(receipt.startedAt)
  return {
    id,
    title: `${headings[state] ?? 'Rotation not finished'}: ${oldKey.name}`,
    rows: [
      ['State', state],
      ['Old key', state === 'done' ? `${oldKey.id}, revoked` : oldKey.id],
      ['New key', newKey?.id ?? 'none'],
      ...targets.map((target) => ['Target', `${target.name}: ${target.state}`] as const),
      ...(evidence ? [['Old key last used', evidence.oldKeyLastUsedAt ?? 'never'] as const] : []),
      ...(evidence ? [['New key in use', evidence.successorUsed ? 'yes' : 'not seen'] as const] : []),
      ...(evidence?.waived ? [['Evidence', whyWaived(receipt)] as const] : []),
      ['Took', formatDuration(took)],
      ...notes.map((note) => ['Note', note] as const),
      ...(why === undefined ? [] : [['Why', why] as const]),
      ['Rotation', id],
    ],
  }
}

const headings: Partial<Record<Receipt['state'], string>> = {
  done: 'Rotated',
  aborted: 'Rotation undone',
  overlapping: 'Rotation waiting',
}
