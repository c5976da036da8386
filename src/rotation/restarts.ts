import { hasCode, KeysError } from '../errors.ts'
import { stayTheOne } from './claim.ts'
import { refuseElsewhere } from './identity.ts'
import { note, type Run } from './run.ts'

/**
 * Starts anew what finds its key only then, so that it works with what its targets hold by now. That is done once for
 * each delivery and each undo, however often it is asked: the cause says for which.
 */
export async function restartAll(run: Run, way: 'delivered' | 'undone'): Promise<void> {
  const { journal, options, services } = run
  // What is started anew lies where its targets do.
  if (options.restarts.length > 0) for (const target of options.targets) await refuseElsewhere(run, target)
  for (const restart of options.restarts) {
    const told = { event: 'restart', restart: restart.name, boundMs: restart.timeoutMs } as const
    services.report({ ...told, state: 'started' })
    await stayTheOne(run, restart.timeoutMs)
    await restart.run(
      `${journal.id}-${way}-${journal.deliveries ?? 0}`,
      way === 'delivered' ? services.stop : undefined,
    )
    services.report({ ...told, state: 'running' })
  }
}

/**
 * As `restartAll`, on the way back: what cannot be started anew may go on with the successor, which therefore goes only
 * when it is quiet.
 */
export async function restartUndone(run: Run): Promise<void> {
  if (run.journal.targets.every(({ state }) => state === 'pending')) return
  try {
    await restartAll(run, 'undone')
  } catch (error) {
    if (!(error instanceof KeysError) || hasCode(error, 'state-directory', 'interrupted')) throw error
    await note(run, 'restart-failed', `it may still have the key that was undone: ${error.message}`)
  }
}
