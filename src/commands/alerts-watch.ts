import type { Context } from '../context.ts'
import { formatDuration } from '../duration.ts'
import { Exit, KeysError } from '../errors.ts'
import type { Fleet } from '../fleet/fleet.ts'
import { changeLine } from '../ui/alerts/table.ts'
import { clockTime } from '../ui/wait.ts'
import { check, type Checked, type CheckOptions } from './alerts-check.ts'
import { warn } from './alerts-warnings.ts'

/** What another round does not mend. */
const lasting: readonly number[] = [Exit.usage, Exit.notSignedIn]

/**
 * Checks, and checks again, until it is interrupted. The first round must succeed; a later one that fails is told, and the
 * next may do better.
 */
export async function watch(
  context: Context,
  fleet: Fleet,
  options: CheckOptions,
  intervalMs: number,
): Promise<never> {
  const { out, clock, signal } = context
  if (intervalMs < 1_000) {
    throw new KeysError('usage', '--watch checks once a second at most', {
      hint: 'usage is up to 5 minutes late: --watch 5m',
    })
  }
  for (let round = 1; ; round += 1) {
    try {
      tell(context, await check(context, fleet, options))
    } catch (error) {
      signal.throwIfAborted()
      if (round === 1 || !(error instanceof KeysError) || lasting.includes(error.exit)) throw error
      out.warn(`this check failed: ${error.message}`)
    }
    const next = clock.now() + intervalMs
    out.event(
      { event: 'alerts-wait', waitEndsInMs: intervalMs, nextAt: new Date(next).toISOString() },
      `the next check is in ${formatDuration(intervalMs)}, at ${clockTime(next)}`,
    )
    await clock.sleep(intervalMs, signal)
  }
}

function tell(context: Context, { report, notes }: Checked): void {
  const { out } = context
  const { at, summary, incidents, notifiers } = report
  const changed = incidents.filter(({ isNew, state }) => isNew || state === 'recovered')
  out.event(
    { event: 'alerts-checked', checkedAt: at, summary, incidents: changed, notifiers },
    changeLine(report),
  )
  warn(context, notes, notifiers)
}
