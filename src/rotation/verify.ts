import { noteOwnUse, proveAccepted, proveReadable } from './deliver.ts'
import { restartAll } from './restarts.ts'
import { checkpoint, record, successorSecret, type Run } from './run.ts'

/** Starts anew what has to be, and shows that the successor works from every target and for the user's own check: state `delivered` → `verified`. */
export async function verify(run: Run): Promise<void> {
  checkpoint(run)
  await restartAll(run, 'delivered')
  await proveReadable(run)
  const { verify: command, targets } = run.options
  if (targets.every(({ readback }) => readback === 'none')) {
    await proveAccepted(run, successorSecret(run), 'escrow')
  }
  if (command !== undefined) {
    const told = { event: 'verify', boundMs: command.timeoutMs } as const
    run.services.report({ ...told, state: 'started' })
    await command.run(successorSecret(run), run.services.stop)
    run.services.report({ ...told, state: 'passed' })
    await noteOwnUse(run)
  }
  await record(run, { state: 'verified' })
}
