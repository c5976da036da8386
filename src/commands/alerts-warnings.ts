import type { AlertsReport } from '../alerts/report.ts'
import type { Context } from '../context.ts'

/** What must not be overlooked: a rule that was skipped, a notifier that could not be reached. */
export function warn({ out }: Pick<Context, 'out'>, { rules, notifiers }: AlertsReport): void {
  const whys = new Map<string, string[]>()
  for (const { rule, skipped } of rules) {
    if (skipped !== null) whys.set(skipped, [...(whys.get(skipped) ?? []), rule])
  }
  for (const [why, names] of whys) out.warn(`${why}: nothing is known by ${names.join(', ')}`)
  for (const { name, failed, problem } of notifiers) {
    if (failed > 0) out.warn(`${name} could not be told: ${problem}; it is tried again at the next check`)
    else if (problem !== null) out.warn(`${name}: ${problem}`)
  }
}
