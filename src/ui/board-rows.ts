import { formatDuration } from '../duration.ts'
import type { BoardState } from './board-state.ts'
import { clockTime } from './wait.ts'

/** A line of the board, or what of it is wrapped to several. The greater the weight, the sooner it gives way. */
export interface Row {
  label: string
  /** Instead of a label. */
  mark?: 'done' | 'failed' | 'pending'
  text: string
  weight: number
}

/** Both keys, what is still missing, and how long that is waited for. */
export function overlapRows(state: BoardState, now: number, resume: string | undefined): Row[] {
  const { evidence: heard, oldKey, newKey } = state
  if (heard === undefined) return []
  const { evidence, requests, missing, idleInMs, waitEndsInMs, heardAt } = heard
  const apiNow = Date.parse(evidence.checkedAt) + (now - heardAt)
  const width = Math.max(countOf(requests.old).length, countOf(requests.new).length)
  const keyRow = (
    label: string,
    id: string | undefined,
    count: number | null,
    usedAt: string | null,
  ): Row => ({
    label,
    text: `${id ?? ''} ${countOf(count).padStart(width)} ${count === 1 ? 'request' : 'requests'} in 24h, ${lastUse(usedAt, apiNow)}`,
    weight: 2,
  })
  const left = leftOf(waitEndsInMs, heardAt, now) ?? 'nothing'
  const idleIn = idleInMs === null ? undefined : leftOf(idleInMs, heardAt, now)
  return [
    keyRow('old key', oldKey?.id, requests.old, evidence.oldKeyLastUsedAt),
    keyRow('new key', newKey, requests.new, evidence.successorLastUsedAt),
    { label: '', text: figuresOf(evidence.usageUpdatedAt, apiNow), weight: 5 },
    ...missing.map((text, index): Row => ({ label: index === 0 ? 'missing' : '', text, weight: 1 })),
    ...(idleIn === undefined
      ? []
      : [{ label: '', text: `it can be there in ${idleIn} at the earliest`, weight: 3 }]),
    ...(missing.length === 0
      ? []
      : [
          {
            label: 'wait',
            text: `${left} left of --wait, then it ends with exit 5; both keys work`,
            weight: 1,
          },
        ]),
    ...commandRow(resume, 'stops here; a second undoes it, a third leaves at once'),
  ]
}

/** How it is left, and gone on with. */
export function commandRow(resume: string | undefined, what: string): Row[] {
  if (resume === undefined) return []
  return [
    { label: 'Ctrl-C', text: what, weight: 4 },
    { label: '', text: `go on later: ${resume}`, weight: 3 },
  ]
}

/** Why the client itself waits. */
export function waitRow({ wait }: BoardState, now: number): Row[] {
  if (wait === undefined) return []
  const endsAt = wait.heardAt + wait.ms
  const when = `in ${leftOf(wait.ms, wait.heardAt, now) ?? '0s'}, at ${clockTime(endsAt)}`
  const why =
    wait.reason === 'rate-limit'
      ? `the API's rate limit is used up: ${wait.what} goes on ${when}`
      : `${wait.message ?? 'the API gave no answer'}: ${wait.what} is tried again ${when}`
  return [{ label: 'waits', text: why, weight: 1 }]
}

function countOf(count: number | null): string {
  return count === null ? '?' : count.toLocaleString('en')
}

function lastUse(instant: string | null, now: number): string {
  const at = Date.parse(instant ?? '')
  return Number.isNaN(at) ? 'never used' : `last used ${ago(now - at)}`
}

function figuresOf(updatedAt: string | null, now: number): string {
  if (updatedAt === null) return 'the usage of the old key is not to be had'
  const at = Date.parse(updatedAt)
  return `figures of ${clockTime(at)}, ${ago(now - at)}; this run's own probes are among them`
}

function ago(ms: number): string {
  return ms < 1_000 ? 'just now' : `${formatDuration(Math.floor(ms / 1_000) * 1_000)} ago`
}

/** What is left of a wait that was heard of at an instant, in whole seconds; undefined when it is over. */
export function leftOf(ms: number, heardAt: number, now: number): string | undefined {
  const left = heardAt + ms - now
  return left <= 0 ? undefined : formatDuration(Math.ceil(left / 1_000) * 1_000)
}
