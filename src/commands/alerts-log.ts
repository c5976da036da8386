import { createDigestFile } from '../alerts/digest-file.ts'
import { readAlertLog, type AlertLogRead, type Earlier } from '../alerts/log-reading.ts'
import type { AlertState, StateFile } from '../alerts/state-file.ts'
import type { Survey } from '../audit/survey.ts'
import { createOutsideHours } from '../audit/working-hours.ts'
import type { Context } from '../context.ts'
import { KeysError } from '../errors.ts'
import type { Fleet } from '../fleet/fleet.ts'
import { createReading } from '../ui/reading.ts'
import type { CheckOptions } from './alerts-check.ts'

export interface CheckedLog {
  log: AlertLogRead['log']
  /** Keeps what was read for the next check; one that cannot is still a check: it warns, and does not throw. */
  keep: () => Promise<void>
}

/** The audit log, of which only that is read which no earlier check has kept. */
export async function readLog(
  context: Context,
  { audit: { workingHours } }: Fleet,
  { at, keys }: Pick<Survey, 'at' | 'keys'>,
  { sinceMs, recentMs, maxWaitMs: patient }: CheckOptions,
  stateFile: StateFile,
  before: AlertState,
): Promise<CheckedLog> {
  const { out, signal } = context
  const file = createDigestFile(stateFile)
  const { isSpoilt, ...found } = await file.read()
  if (isSpoilt && found.kept === undefined) out.warn(`${found.why}: the audit log is read anew`)
  const earlier: Earlier =
    before.checkedAt === undefined ? { kept: undefined, why: 'no earlier check is known' } : found
  const reading = createReading(context)
  try {
    const { log, kept } = await readAlertLog(await context.api(), keys, at, {
      settings: { sinceMs, recentMs, workingHours: workingHours ?? null },
      isOutside: workingHours && createOutsideHours(workingHours),
      earlier,
      signal,
      patient,
      onProgress: (progress) => reading.report(progress),
      onPlan(from, why) {
        const since = new Date(from).toISOString()
        out.debug(
          why === undefined
            ? `reads the audit log on from ${since}`
            : `reads the whole audit log from ${since}: ${why}`,
        )
      },
    })
    if (log.known && kept === undefined)
      out.debug('the audit log has too many keys, networks and hours to be kept')
    // the log itself is not held until then: of a large account it takes half of the memory
    const isKnown = log.known
    return { log, keep: () => (isKnown ? file.save(kept).catch(warn) : Promise.resolve()) }
  } finally {
    await reading.end()
  }

  function warn(error: unknown): void {
    if (!(error instanceof KeysError)) throw error
    out.warn(error.hint === undefined ? error.message : `${error.message}; ${error.hint}`)
  }
}
