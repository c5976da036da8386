import { windows, type AccountUsage, type KeyFigures } from '../audit/account-usage.ts'
import type { Context } from '../context.ts'
import { csvRow } from '../ui/csv.ts'
import { usageCard, usageTable, type UsageView } from '../ui/usage.ts'
import type { UsageInputs } from './usage.ts'

/** The table of all, the card of one that is named, or the document. */
export function printUsage(context: Context, found: AccountUsage, inputs: UsageInputs, now: number): void {
  const { out } = context
  if (found.totals.keys === 0 && inputs.keys.length === 0 && !out.json && inputs.format !== 'json') {
    return out.say('no active keys, so nothing is used')
  }
  if (inputs.format === 'json' && !out.json)
    return out.result(found, (safe) => JSON.stringify(safe, undefined, 2))
  out.result(found, (safe) => usageText(safe, inputs, viewOf(context, inputs, now)))
}

export function usageText(found: AccountUsage, { keys }: UsageInputs, view: UsageView): string {
  if (keys.length === 1) return usageCard(found, view)
  return found.totals.keys === 0 ? '' : usageTable(found, view)
}

export function viewOf({ out, env }: Context, { window, sort, chart }: UsageInputs, now: number): UsageView {
  const { width, paint } = out
  return {
    width,
    paint,
    now,
    window,
    chart,
    lastUsed: sort === 'last-used',
    unicode: env['TERM'] !== 'linux',
  }
}

const head = ['keyId', 'name', 'type', 'lastUsedAt', 'asked', 'updatedAt'] as const
const ofWindow = ['requests', 'errors', 'p50Ms', 'p95Ms', 'p99Ms'] as const

export function csvHead(): string {
  return csvRow([
    ...head,
    ...windows.flatMap((window) => ofWindow.map((column) => `${column}${window}`)),
    'shareOfDayLimit',
  ])
}

/** A row each; no figure is 0 for want of an answer: the empty cell says that nothing is known. */
export function csvLines(usage: readonly KeyFigures[]): string[] {
  return usage.map((figures) =>
    csvRow([
      ...head.map((column) => (column === 'asked' ? String(figures.asked) : figures[column])),
      ...windows.flatMap((window) => {
        const { requests, errors, latencyMs } = figures.windows[window]
        const latency = [latencyMs.p50, latencyMs.p95, latencyMs.p99]
        return [requests, errors, ...latency.map((ms) => (requests === 0 ? null : ms))]
      }),
      figures.dayLimit?.share,
    ]),
  )
}
