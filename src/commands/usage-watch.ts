// Rules of this file:
// - at a terminal the figures are drawn in place, and the last ones stay when it ends; elsewhere each time is a line;
// - what may pass (no connection, a server that fails) ends nothing: the figures stay, and are said to be old.
import type { AccountUsage, KeyFigures, Totals } from '../audit/account-usage.ts'
import type { Wait } from '../api/contract.ts'
import type { Context } from '../context.ts'
import { formatDuration } from '../duration.ts'
import { hasCode, KeysError } from '../errors.ts'
import type { Size } from '../ui/live.ts'
import { createReading } from '../ui/reading.ts'
import { cleaned, toJsonLines } from '../ui/text.ts'
import { usageLine } from '../ui/usage.ts'
import { usageScreen } from '../ui/usage-screen.ts'
import { clockTime, waitSentence } from '../ui/wait.ts'
import { findKeys } from './chosen-keys.ts'
import { printUsage, usageText, viewOf } from './usage-print.ts'
import { readUsage } from './usage-reading.ts'
import { chosen, type UsageInputs } from './usage.ts'

/** Asks again every `everyMs`, until it is interrupted. Throws what no further try would mend. */
export async function watchUsage(context: Context, inputs: UsageInputs, everyMs: number): Promise<void> {
  const { out, signal, clock } = context
  const isDrawn = out.live !== undefined && out.toTerminal && inputs.format !== 'ndjson'
  const screen = isDrawn ? createScreen(context, inputs) : undefined
  let last: AccountUsage | undefined
  try {
    for (let before: Totals | undefined; ; before = last?.totals) {
      try {
        last = await readOnce(context, inputs, last === undefined)
        await (screen ? screen.show(last) : tell(context, inputs, last, before))
      } catch (error) {
        if (last === undefined || !mayPass(error)) throw error
        const again = `tried again at ${clockTime(clock.now() + everyMs)}`
        if (screen) screen.warn(`${error.message}; ${again}`)
        else out.warn(`${error.message}; ${again}`)
      }
      screen?.next(clock.now() + everyMs)
      await clock.sleep(everyMs, signal)
    }
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    await screen?.end()
  }
  // how it ends is told by the signal that ended it
  if (last !== undefined && (screen || out.json)) {
    printUsage(context, last, inputs, (await context.api()).now())
  }
}

/** All that is asked for. The first time it is told how far it is; later on nobody waits for it. */
async function readOnce(context: Context, inputs: UsageInputs, isFirst: boolean): Promise<AccountUsage> {
  const { out, signal } = context
  const api = await context.api()
  const reading = isFirst ? createReading(context) : { report: () => {}, end: async () => {} }
  const usage: KeyFigures[] = []
  try {
    const named = inputs.keys.length > 0 ? await findKeys(api, inputs.keys, signal) : []
    const rest = await readUsage(
      { api, out, signal, reading, named },
      async (some) => void usage.push(...some),
    )
    return { usage: chosen(usage, inputs), ...rest }
  } finally {
    await reading.end()
  }
}

/** What may be otherwise the next time. */
function mayPass(error: unknown): error is KeysError {
  if (!(error instanceof KeysError)) return false
  if (hasCode(error, 'connection-failed') || hasCode(error, 'dns-failed') || hasCode(error, 'timed-out'))
    return true
  return hasCode(error, 'rate-limit') || (error.status ?? 0) >= 500
}

/** One time: a line a key, an event, or a line for a person. */
async function tell(
  context: Context,
  { format }: UsageInputs,
  found: AccountUsage,
  before: Totals | undefined,
): Promise<void> {
  const { out, clock } = context
  const at = new Date(clock.now()).toISOString()
  if (format === 'ndjson') return out.lines(toJsonLines(found.usage.map((figures) => ({ at, ...figures }))))
  if (!out.json) return out.line(`${at} ${usageLine(found, before, (await context.api()).now())}`)
  const { totals } = found
  const since = before && totals.windows['30d'].requests - before.windows['30d'].requests
  out.event({ event: 'usage', updatedAt: totals.updatedAt, totals, requestsSince: since ?? null })
}

/** The figures in the last rows of a terminal, with how it stands with them. */
function createScreen(context: Context, inputs: UsageInputs) {
  const { out, clock, onWait } = context
  let found: AccountUsage | undefined
  let apiNow = () => clock.now()
  let warning: string | undefined
  let wait: { text: string; until: number } | undefined
  let readAt = 0
  let nextAt = 0
  let opened: ReturnType<NonNullable<typeof out.live>['open']> | undefined
  const stopListening = onWait((given: Wait) => {
    const text = waitSentence(given, clock.now())
    wait = text === undefined ? undefined : { text, until: clock.now() + given.ms }
  })

  const status = (): string[] => {
    const now = clock.now()
    if (wait !== undefined && wait.until > now) return [wait.text]
    const left = nextAt > now ? `next in ${formatDuration(Math.max(1_000, nextAt - now))}` : 'asking now'
    return [
      ...(warning === undefined ? [] : [`! ${warning}`]),
      `read at ${clockTime(readAt)}, ${left}; Ctrl-C ends`,
    ]
  }
  // what was drawn is made anew only for other figures or another width
  let drawn: { found: AccountUsage; columns: number; minute: number; text: string } | undefined
  const textFor = (current: AccountUsage, columns: number): string => {
    const minute = Math.floor(clock.now() / 60_000)
    if (drawn?.found !== current || drawn.columns !== columns || drawn.minute !== minute) {
      const view = { ...viewOf(context, inputs, apiNow()), width: columns }
      drawn = { found: current, columns, minute, text: usageText(cleaned(current), inputs, view) }
    }
    return drawn.text
  }
  const lines = (size: Size): string[] => {
    if (found === undefined) return []
    const text = textFor(found, size.columns) || 'no active keys, so nothing is used'
    return usageScreen(
      `${text}\n`,
      status().map((line) => out.paint.dim(line)),
      size,
    )
  }

  return {
    async show(given: AccountUsage): Promise<void> {
      const api = await context.api()
      apiNow = () => api.now()
      found = given
      warning = undefined
      readAt = clock.now()
      opened ??= out.live?.open(lines)
      ;(await opened)?.draw()
    },
    warn(text: string) {
      warning = cleaned(text)
    },
    next(at: number) {
      nextAt = at
    },
    async end(): Promise<void> {
      stopListening()
      ;(await opened)?.end()
    },
  }
}
