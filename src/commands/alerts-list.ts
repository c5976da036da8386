import { sourcesOf } from '../alerts/evaluation.ts'
import { incidentReport } from '../alerts/report.ts'
import type { Context } from '../context.ts'
import type { Fleet } from '../fleet/fleet.ts'
import { openState } from './alerts-check.ts'
import { emptyReaches, reachesOf, unsigned } from './alerts-warnings.ts'

/** The rules of the file, and what is open as the last check left it; asks no API. */
export async function list(context: Context, fleet: Fleet): Promise<void> {
  const state = await (await openState(context, fleet)).read()
  const { checkedAt, incidents } = state
  const reaches = reachesOf(fleet, state)
  const open = incidents.filter(({ state }) => state !== 'recovered')
  const data = {
    checkedAt: checkedAt ?? null,
    rules: fleet.alerts.map(({ name, condition, keys, notify, forMs, keepFiringForMs, remindAfterMs }) => ({
      rule: name,
      condition,
      keys: keys ?? null,
      activeKeys: reaches.find(({ rule }) => rule === name)?.count ?? null,
      forMs,
      keepFiringForMs,
      remindAfterMs: remindAfterMs ?? null,
      needs: [...sourcesOf(condition)],
      notify: [...(notify ?? fleet.notify.map((each) => each.name))],
    })),
    incidents: open.map((incident) => incidentReport(incident, false)),
    notifiers: fleet.notify.map(({ name, kind }) => ({ name, kind })),
  }
  const { listText } = await import('../ui/alerts/table.ts')
  context.out.result(data, (safe) => listText(safe, { ...context.out, now: context.clock.now() }))
  for (const text of unsigned(fleet.notify)) context.out.warn(text)
  for (const text of emptyReaches(reaches)) context.out.warn(text)
}
