import { createJournals } from '../rotation/journal.ts'
import { isOver, receiptOf } from '../rotation/state.ts'
import type { Candidate } from './complete-words.ts'

/** The rotations of this machine that are not over. */
export async function openRotations(stateDir: string): Promise<Candidate[]> {
  const entries = await createJournals(stateDir).list()
  const receipts = entries.flatMap((entry) => ('journal' in entry ? [receiptOf(entry.journal)] : []))
  return receipts
    .filter(({ state }) => !isOver(state))
    .map(({ id, oldKey, state }) => ({ value: id, summary: `${oldKey.name}, ${state}` }))
}
