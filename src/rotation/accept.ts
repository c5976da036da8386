import type { Clock } from '../clock.ts'
import { KeysError } from '../errors.ts'
import { acceptBound, confirm } from './claim.ts'
import { checkpoint, pause, record, successorSecret, type Run } from './run.ts'

const shortestPauseMs = 100
const longestPauseMs = 3_000

/**
 * Waits until the API takes the successor everywhere: N probes in a row, the last of them after the propagation
 * bound. State `minted` → `accepted`. Undone (throws) when that does not happen in four times the bound.
 */
export async function accept(run: Run): Promise<void> {
  const { api, journal, options } = run
  const secret = successorSecret(run)
  const { clock } = run.services
  const settlesAt = settleEnd(run)
  const boundMs = acceptBound(options.settleMs)
  let giveUpAt = clock.now() + boundMs
  const pauseMs = Math.min(Math.max(options.settleMs / 10, shortestPauseMs), longestPauseMs)

  for (let inARow = 0; ;) {
    checkpoint(run)
    const askedAt = clock.now()
    const answer = await api.probe(secret)
    giveUpAt += lost(clock, askedAt, boundMs / 4)
    inARow = answer === 'accepted' ? inARow + 1 : 0
    const settlesInMs = Math.max(0, settlesAt - clock.now())
    const givesUpInMs = Math.max(0, giveUpAt - clock.now())
    const { probes: needed, settleMs } = options
    run.services.report({ event: 'probe', answer, inARow, needed, settleMs, settlesInMs, givesUpInMs })
    if (inARow >= options.probes && settlesInMs === 0) break
    if (clock.now() >= giveUpAt) throw neverAccepted(run, answer)
    const pausedAt = clock.now()
    await pause(run, pauseMs)
    giveUpAt += lost(clock, pausedAt, pauseMs)
  }
  if (journal.self) await becomeSuccessor(run)
  await confirm(run)
  await record(run, { state: 'accepted', ownUseAt: run.api.now() })
}

/** What passed since an instant beyond what it takes: the process was stopped, or the machine asleep, and nobody asked. */
function lost(clock: Clock, since: number, takesMs: number): number {
  return Math.max(0, clock.now() - since - takesMs)
}

/**
 * When the propagation bound is over, by our own clock: counted from the answer to the create where that was ours,
 * else from the creation as the API dates it, though never from a time to come.
 */
function settleEnd({ journal, api, options, services }: Run): number {
  const now = services.clock.now()
  if (journal.mintedAt !== undefined && journal.mintedAt <= now) return journal.mintedAt + options.settleMs
  const ageMs = api.now() - Date.parse(journal.newKey?.createdAt ?? '')
  return now - (ageMs > 0 ? ageMs : 0) + options.settleMs
}

/** With `--self`, the successor does our own calls from here on; it must be able to before anything relies on it. */
async function becomeSuccessor(run: Run): Promise<void> {
  const successor = run.api.as(successorSecret(run))
  for await (const _ of successor.keys.list()) break
  run.api = successor
}

function neverAccepted(run: Run, lastAnswer: string): KeysError {
  const { newKey } = run.journal
  const what =
    lastAnswer === 'unknown' ? 'could not say whether it accepts' : 'did not accept, often enough in a row,'
  return new KeysError('rotation-undone', `the API ${what} the new key ${newKey?.id}`, {
    hint: 'a new key can take a while to be accepted everywhere: run the same command again, with a longer --settle',
  })
}
