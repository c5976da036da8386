import {
  compareFigures,
  usageSorts,
  windows,
  type AccountUsage,
  type KeyFigures,
} from '../audit/account-usage.ts'
import type { Context } from '../context.ts'
import { KeysError } from '../errors.ts'
import { keepHeapSmall } from '../small-heap.ts'
import { createReading } from '../ui/reading.ts'
import { toJsonLines } from '../ui/text.ts'
import { findKeys } from './chosen-keys.ts'
import { defineCommand, type Inputs } from './command.ts'
import { formatFor } from './formats.ts'
import { readUsage } from './usage-reading.ts'

const args = [
  { name: 'keys', summary: 'key ids or names; all active keys when left out', optional: true, many: true },
] as const
const flags = {
  window: {
    type: 'choice',
    choices: windows,
    default: '30d',
    summary: 'what errors, latency and the order are of',
  },
  sort: {
    type: 'choice',
    choices: usageSorts,
    summary: 'order: most, slowest and latest first; without it newest first',
  },
  limit: { type: 'count', value: 'n', summary: 'show at most this many; totals are of all' },
  chart: { type: 'boolean', summary: 'draw the requests of 30 days' },
  watch: {
    type: 'duration',
    bare: '30s',
    summary: 'ask again and again, until Ctrl-C: drawn anew at a terminal, a line each time elsewhere',
  },
  format: {
    type: 'choice',
    choices: ['table', 'json', 'ndjson', 'csv'],
    summary: 'how it is printed; table unless --json is given',
  },
} as const

export type UsageInputs = Inputs<typeof args, typeof flags>

export const usage = defineCommand({
  name: 'usage',
  summary: 'what keys do: requests, errors, latency, and share of the rate limit',
  args,
  flags,
  examples: [
    'pictify-keys usage',
    'pictify-keys usage --sort error-rate --window 24h --limit 10',
    'pictify-keys usage "Production Server" --chart',
    'pictify-keys usage --watch',
    'pictify-keys usage --format csv > usage.csv',
  ],

  async run(context, inputs) {
    const format = check(context, inputs)
    if (inputs.watch !== undefined) {
      const { watchUsage } = await import('./usage-watch.ts')
      return watchUsage(context, inputs, inputs.watch)
    }
    const print = await import('./usage-print.ts')
    if (format === 'csv' || format === 'ndjson') {
      const lines = format === 'csv' ? print.csvLines : toJsonLines
      if (format === 'csv') await context.out.line(print.csvHead())
      // without an order of their own they are printed as they come, however many there are
      if (inputs.sort === undefined && inputs.limit === undefined) {
        await read(context, inputs, async (some) => context.out.lines(lines(some)))
        return
      }
      return context.out.lines(lines((await accountUsage(context, inputs)).usage))
    }
    print.printUsage(context, await accountUsage(context, inputs), inputs, (await context.api()).now())
  },
})

/** The format, where the flags go together. Throws `usage`. */
function check({ out }: Context, inputs: UsageInputs) {
  const format = formatFor(inputs.format, out)
  if (inputs.limit === 0) {
    throw new KeysError('usage', '--limit 0 shows no key', {
      hint: 'give 1 or more; all are shown without it',
    })
  }
  if (inputs.chart && format !== 'table') {
    throw new KeysError('usage', `--chart and --format ${format} exclude each other`, {
      hint: 'the days are in the data: leave --chart out',
    })
  }
  if (inputs.watch === undefined) return format
  if (inputs.format === 'csv' || inputs.format === 'json') {
    throw new KeysError('usage', `--watch and --format ${inputs.format} exclude each other`, {
      hint: 'give --format ndjson for a line a key each time, or --json for an event each time',
    })
  }
  if (inputs.watch < 1_000) {
    throw new KeysError('usage', '--watch cannot ask more often than once a second', {
      hint: 'figures are up to 5 minutes late anyway: give --watch 30s',
    })
  }
  return format
}

async function read(
  context: Context,
  inputs: Pick<UsageInputs, 'keys'>,
  take: (figures: KeyFigures[]) => Promise<void>,
): Promise<Omit<AccountUsage, 'usage'>> {
  const { out, signal } = context
  keepHeapSmall()
  const api = await context.api()
  const reading = createReading(context)
  try {
    const named = inputs.keys.length > 0 ? await findKeys(api, inputs.keys, signal) : []
    return await readUsage({ api, out, signal, reading, named }, take)
  } finally {
    await reading.end()
  }
}

async function accountUsage(context: Context, inputs: UsageInputs): Promise<AccountUsage> {
  const usage: KeyFigures[] = []
  const rest = await read(context, inputs, async (some) => void usage.push(...some))
  return { usage: chosen(usage, inputs), ...rest }
}

/** In the order that is asked for, and no more than that. */
export function chosen(usage: KeyFigures[], { sort, window, limit }: UsageInputs): KeyFigures[] {
  return (sort === undefined ? usage : usage.sort(compareFigures(sort, window))).slice(0, limit)
}
