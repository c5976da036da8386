import type { Receipt } from './state.ts'

/**
 * The rotations of keys that an account has, or had: one whose keys are all gone is told by rotations that lead from them to
 * a key that is there. Another account at the same API has other ids.
 */
export function receiptsOfKeys<R extends Pick<Receipt, 'oldKey' | 'newKey'>>(
  receipts: readonly R[],
  keyIds: Iterable<string>,
): R[] {
  const known = new Set(keyIds)
  const isKnown = ({ oldKey, newKey }: R) => known.has(oldKey.id) || (newKey !== null && known.has(newKey.id))
  for (let before = -1; before !== known.size;) {
    before = known.size
    for (const receipt of receipts) {
      if (receipt.newKey !== null && isKnown(receipt)) known.add(receipt.oldKey.id).add(receipt.newKey.id)
    }
  }
  return receipts.filter(isKnown)
}
