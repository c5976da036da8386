import type { CheckedItem } from '../../audit/checklist.ts'
import { counted } from './subject.ts'

/** How it stands with an item, in a word or two. */
export function checkedState({ state, findings }: CheckedItem): string {
  switch (state) {
    case 'in-order':
      return 'in order'
    case 'findings':
      return counted(findings, 'finding')
    case 'unknown':
      return 'not known'
    case 'not-checkable':
      return 'not checkable'
  }
}

/** Why no more is known of it; empty where all of it was looked at. */
export function checkedNote({ unseen, notHeld, nothingIn }: CheckedItem): string {
  const held = notHeld.length === 0 ? [] : [`not held: ${notHeld.join(', ')}`]
  return [...held, ...(nothingIn === null ? [] : [nothingIn]), ...(unseen === null ? [] : [unseen])].join(
    '; ',
  )
}
