import { formatDuration } from '../../duration.ts'
import type { Receipt } from '../../rotation/state.ts'
import { html, type Piece } from '../html/markup.ts'
import { htmlTable } from '../html/table.ts'
import { whyWaived } from '../rotation.ts'
import { shortInstant } from './evidence.ts'
import { keyName } from './html-words.ts'
import { counted, type AuditSubject } from './subject.ts'

const mostReceipts = 150

const outcomes: Partial<Record<Receipt['state'], readonly [word: string, look: string]>> = {
  done: ['done', 'good'],
  aborted: ['undone', 'note'],
}

/** The receipts of this machine, and what the account shows as open. */
export function rotationHistory({ receipts, survey }: AuditSubject): Piece {
  const left = receipts.length - mostReceipts
  const open = survey.rotations.known ? survey.rotations.value.filter(({ here }) => !here) : []
  return html`${
      receipts.length === 0
        ? html`<p>This machine has no receipts of rotations of this account.</p>`
        : receiptTable(receipts.slice(0, mostReceipts))
    }
    ${left > 0 && html`<p class="fine">${counted(left, 'older receipt')} ${left === 1 ? 'is' : 'are'} left out here; rotations --json has all.</p>`}
    ${
      open.length > 0 &&
      html`<p>
        The account shows ${counted(open.length, 'rotation')} that another machine has open:
        ${open.map(({ id, oldKeyId }) => `${id} of ${oldKeyId}`).join(', ')}.
      </p>`
    }
    <p class="fine">
      A receipt is what the machine that rotated wrote down when it was done; it holds no secret. Here are
      those of keys that this account has, and of the keys they replaced; other machines have receipts of
      their own. rotations export signs and chains them: of what was exported, one that is removed or altered
      from then on shows; one that was removed before is not missed.
    </p>`
}

function receiptTable(receipts: readonly Receipt[]): Piece {
  return htmlTable<Receipt>(
    'Receipts of this machine, newest first; instants in UTC',
    [
      {
        head: 'Key',
        heads: true,
        value: ({ oldKey, id }) => html`${keyName(oldKey)}<br /><span class="fine">receipt ${id}</span>`,
      },
      {
        head: 'Outcome',
        value: ({ state, compromised }) => {
          const [word, look] = outcomes[state] ?? [state, 'warning']
          return html`<span class="badge ${look}">${word}</span
            >${compromised && html`<br /><span class="fine">as compromised</span>`}`
        },
      },
      {
        head: 'When',
        value: ({ startedAt, finishedAt, updatedAt }) => {
          const took = Date.parse(finishedAt ?? updatedAt) - Date.parse(startedAt)
          return html`${shortInstant(startedAt)}<br /><span class="fine">took ${formatDuration(took)}</span>`
        },
      },
      {
        head: 'Old and new key',
        value: ({ oldKey, newKey }) => html`${oldKey.id}<br />→ ${newKey?.id ?? 'none'}`,
      },
      { head: 'Where it is', value: places },
      { head: 'Evidence', value: evidence },
    ],
    receipts,
  )
}

function places({ targets, restarts, verify }: Receipt): Piece {
  const items = [
    ...targets.map(({ name, state }) => `${name}: ${state}`),
    ...restarts.map((restart) => `restarted ${restart}`),
    ...(verify === null ? [] : [`proved by ${verify}`]),
  ]
  return items.length === 0
    ? 'none'
    : html`<ul>
        ${items.map((item) => html`<li>${item}</li>`)}
      </ul>`
}

function evidence(receipt: Receipt): Piece {
  const { evidence: seen, failure, notes } = receipt
  const items = [
    ...(seen === null
      ? []
      : [
          seen.waived
            ? whyWaived(receipt)
            : seen.oldKeyLastUsedAt === null
              ? 'the old key was never used'
              : `the old key was last used at ${shortInstant(seen.oldKeyLastUsedAt)}`,
          seen.successorUsed ? 'the new key was seen in use' : 'the new key was not seen in use',
        ]),
    ...(failure === null ? [] : [`${failure.code}: ${failure.message}`]),
    ...notes,
  ]
  return items.length === 0
    ? 'none'
    : html`<ul>
        ${items.map((item) => html`<li>${item}</li>`)}
      </ul>`
}
