import { formatDuration } from '../duration.ts'
import { KeysError } from '../errors.ts'
import { isActive } from './account.ts'
import { takeInStrays } from './claim.ts'
import { gather, missing } from './evidence.ts'
import { checkpoint, mendInstants, note, pause, record, Setback, type Run } from './run.ts'
import type { Evidence } from './state.ts'

const shortestPauseMs = 200
const longestPauseMs = 15_000

/**
 * Waits, in state `overlapping`, until the evidence is in that the old key may go. Throws
 * `rotation-waiting` (exit 5) when that takes longer than `--wait`.
 */
export async function overlap(run: Run): Promise<void> {
  const { options, services } = run
  if (!options.evidence) {
    await note(run, 'evidence-waived', 'the evidence that the old key is idle was waived (--no-evidence)')
  }
  await takeInStrays(run)
  await mendInstants(run)
  const giveUpAt = services.clock.now() + options.waitMs
  const pauseMs = Math.min(
    Math.max((options.idleMs + options.usageLagMs) / 10, shortestPauseMs),
    longestPauseMs,
  )

  for (;;) {
    checkpoint(run)
    const { evidence, old, successor, requests } = await gather(run)
    if (successor !== 'unread' && !isActive(successor)) throw successorGone(run)
    const oldIsGone = old !== 'unread' && !isActive(old)
    // With the old key gone there is nothing to wait for, but strays may still be in use.
    const lacking = oldIsGone && run.journal.strays.length === 0 ? [] : missing(evidence, run)
    const waitEndsInMs = Math.max(0, giveUpAt - services.clock.now())
    const idleInMs = idleIn(run, evidence)
    services.report({ event: 'evidence', evidence, missing: lacking, requests, idleInMs, waitEndsInMs })
    if (lacking.length === 0) {
      await record(run, { evidence })
      return
    }
    if (waitEndsInMs === 0) throw waiting(run, lacking)
    await pause(run, Math.min(pauseMs, waitEndsInMs))
  }
}

/** How long at least until the old key can be seen to be idle; null where it is, or where the data does not say. */
function idleIn({ journal, options }: Run, evidence: Evidence): number | null {
  if (evidence.waived || evidence.oldKeyIdle !== false) return null
  const lastUsedAt = Date.parse(evidence.oldKeyLastUsedAt ?? '') || 0
  const quietFrom = Math.max(journal.deliveredAt ?? 0, lastUsedAt)
  return Math.max(0, quietFrom + options.idleMs + options.usageLagMs - Date.parse(evidence.checkedAt))
}

function successorGone(run: Run): Setback {
  const what = `the successor ${run.journal.newKey?.id} was revoked or deleted by somebody else`
  return new Setback('undo', new KeysError('rotation-undone', what, { hint: 'run the same command again' }))
}

function waiting(run: Run, lacking: string[]): Setback {
  const { id, unheld } = run.journal
  const way = `both keys work; run the same command again to go on, here or on another machine; here also: pictify-keys rotate ${id} --resume`
  const hint = unheld ? `${way}; if the target is mistyped, undo it: pictify-keys rotate ${id} --abort` : way
  const error = new KeysError(
    'rotation-waiting',
    `the old key may not go yet, after ${formatDuration(run.options.waitMs)}: ${lacking.join('; ')}`,
    { hint },
  )
  return new Setback('leave', error)
}
