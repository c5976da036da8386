import type { Rule, Source } from '../audit/rule.ts'
import { surveyAccount, type Survey } from '../audit/survey.ts'
import { createOutsideHours } from '../audit/working-hours.ts'
import type { Context } from '../context.ts'
import type { Fleet } from '../fleet/fleet.ts'
import { keepHeapSmall } from '../small-heap.ts'
import { createReading } from '../ui/reading.ts'
import { openPast } from './audit-past.ts'
import { readOpenRotations } from './audit-rotations.ts'
import { readTree } from './audit-tree.ts'
import { ownKeyIdAmong } from './own-key.ts'

export interface AuditScope {
  /** What none of these needs or goes by is not asked for. */
  rules: readonly Pick<Rule, 'needs' | 'goesBy' | 'goesByOwnKey'>[]
  fleet: Fleet | undefined
  /** How far back the audit log is read, and how much of that is recent. */
  sinceMs: number
  recentMs: number
  probe: boolean
  /** How long the API may put off one request (ms); a day without. */
  patient?: number
  /** What is seen is not written down for later surveys. */
  forgets?: boolean | undefined
}

const notAsked = { known: false, why: 'it was not asked for' } as const

/** All that the rules look at: the account, and what this machine knows. */
export async function surveyAll(context: Context, scope: AuditScope): Promise<Survey> {
  const { rules, fleet, sinceMs, recentMs } = scope
  const needs = new Set<Source>(rules.flatMap((rule) => [...rule.needs, ...(rule.goesBy ?? [])]))
  keepHeapSmall()
  const api = await context.api()
  const hours = fleet?.audit.workingHours
  const reading = createReading(context)
  const past = needs.has('past') ? await openPast(context, api.baseUrl, scope.forgets) : undefined
  try {
    const account = await surveyAccount(api, {
      sinceMs,
      recentMs,
      isOutside: hours && createOutsideHours(hours),
      needs: { usage: needs.has('usage'), log: needs.has('log') },
      signal: context.signal,
      patient: scope.patient,
      onProgress: (progress) => reading.report(progress),
    })
    if (!scope.forgets) await past?.remember(account)
    return {
      ...account,
      ownKeyId: rules.some(({ goesByOwnKey }) => goesByOwnKey)
        ? await ownKeyIdAmong(context, api, account.keys)
        : undefined,
      fleet:
        fleet === undefined
          ? { known: false, why: 'there is no pictify-keys.yaml' }
          : { known: true, value: fleet },
      rotations: needs.has('rotations') ? await readOpenRotations(context, api, account.keys) : notAsked,
      tree: needs.has('tree')
        ? await readTree(context, api, {
            settings: fleet?.audit.rules['secret-in-tree'] ?? {},
            probe: scope.probe,
            onProgress: (progress) => reading.report(progress),
          })
        : notAsked,
      past: past?.before ?? notAsked,
    }
  } finally {
    await reading.end()
  }
}
