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
  const began = api.now()
  // A creation in the future is a server whose clocks disagree; it must not make us wait for it. (A `Date` header is
  // cut to the second, so that now may be a second later than it says.)
  const createdAt = Math.min(Date.parse(journal.newKey?.createdAt ?? '') || began, began + 1_000)
  const settledAt = createdAt + options.settleMs
  const giveUpAt = began + acceptBound(options.settleMs)
  const pauseMs = Math.min(Math.max(options.settleMs / 10, shortestPauseMs), longestPauseMs)

  for (let inARow = 0; ;) {
    checkpoint(run)
    const answer = await api.probe(secret)
    inARow = answer === 'accepted' ? inARow + 1 : 0
    const now = api.now()
    const settlesInMs = Math.max(0, settledAt - now)
    run.services.report({ event: 'probe', answer, inARow, needed: options.probes, settlesInMs })
    if (inARow >= options.probes && settlesInMs === 0) break
    if (now >= giveUpAt) throw neverAccepted(run, answer)
    await pause(run, pauseMs)
  }
  if (journal.self) await becomeSuccessor(run)
  await confirm(run)
  await record(run, { state: 'accepted', ownUseAt: run.api.now() })
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
