import sparkly from 'sparkly'
import type { UsageWindow } from '../api/contract.ts'
import type { AccountUsage, KeyFigures, Totals, WindowName } from '../audit/account-usage.ts'
import { formatAge } from '../ages.ts'
import type { RequestLimits } from '../request-limits.ts'
import type { Output } from './output.ts'
import { renderTable, type Column } from './table.ts'
import { usageChart } from './usage-chart.ts'

export interface UsageView extends Pick<Output, 'width' | 'paint'> {
  /** Unix milliseconds, by the API's clock. */
  now: number
  /** What errors and latency are of. */
  window: WindowName
  /** Shows when each key was last used. */
  lastUsed: boolean
  chart: boolean
  unicode: boolean
}

/** A key's line, or the last one, which sums all up. */
type Row = KeyFigures | { total: Totals }

const windows = ['24h', '7d', '30d'] as const
const spans: Record<WindowName, string> = { '24h': '24 hours', '7d': '7 days', '30d': '30 days' }

/** One line a key: requests, errors and latency, share of the day's limit, and the course of the days where it is known. */
export function usageTable(found: AccountUsage, view: UsageView): string {
  const { usage, totals, daily, limits } = found
  const { paint, window } = view
  const rows: Row[] =
    usage.length > 1 || totals.keys > usage.length ? [...usage, { total: totals }] : [...usage]
  const lastDay = lastDayOf(usage)
  const isNameEnough = new Set(usage.map(({ name }) => name)).size === usage.length
  const requests = (name: WindowName): Column<Row> => ({
    head: name.toUpperCase(),
    value: (row) => count(windowOf(row, name).requests),
    align: 'right',
  })
  const table = renderTable<Row>(
    [
      {
        head: 'ID',
        value: (row) => ('total' in row ? '' : row.keyId),
        paint: (text) => paint.dim(text),
        optional: isNameEnough,
      },
      {
        head: 'NAME',
        value: (row) => ('total' in row ? 'TOTAL' : row.name),
        flexible: true,
        paint: (text, row) => ('total' in row ? paint.bold(text) : text),
      },
      ...windows.map(requests),
      {
        head: 'ERRORS',
        value: (row) => errorRate(windowOf(row, window)),
        align: 'right',
        paint: (text, row) => (isFailing(windowOf(row, window)) ? paint.red(text) : text),
      },
      {
        head: 'P95',
        // no figure of several keys together follows from those of each
        value: (row) => ('total' in row ? '' : latency(row.windows[window], 'p95')),
        align: 'right',
      },
      ...(view.lastUsed ? [lastUsedColumn(view)] : []),
      ...(limits.requestsPerDay === null ? [] : [limitColumn(view)]),
      ...(lastDay === undefined ? [] : [daysColumn(lastDay)]),
    ],
    rows,
    view,
  )
  // where there is no room for all, what was asked for is seen
  const parts = [...(view.chart ? [chartOf(daily, view)] : []), table]
  return `${parts.join('\n\n')}\n\n${paint.dim(notes(found, view).join('\n'))}`
}

const lastUsedColumn = ({ now }: UsageView): Column<Row> => ({
  head: 'LAST USED',
  value: (row) => ('total' in row ? '' : formatAge(row.lastUsedAt, now)),
})

const limitColumn = ({ paint }: UsageView): Column<Row> => ({
  head: 'LIMIT',
  value: (row) => ('total' in row || row.dayLimit === null ? '' : percent(row.dayLimit.share)),
  align: 'right',
  paint: (text, row) => ('total' in row || (row.dayLimit?.share ?? 0) < 0.8 ? text : paint.yellow(text)),
  optional: true,
})

/** The last one is the same day for all of them. */
const daysColumn = (lastDay: string): Column<Row> => ({
  head: 'DAYS',
  value: (row) => ('total' in row ? '' : sparkline(row, lastDay)),
  brief: (row) => ('total' in row ? '' : sparkline(row, lastDay, 7)),
  optional: 'first',
})

/** What there is to know of the figures, so that nobody takes them for more than they are. */
function notes({ usage, totals, limits }: AccountUsage, { now, window }: UsageView): string[] {
  const { keys, notAsked } = totals
  return [
    `errors and latency of ${spans[window]}; ${age(totals, now)}${late}`,
    ...(usage.length < keys ? [`${usage.length} of ${count(keys)} keys; the totals are of all`] : []),
    ...(notAsked > 0
      ? [`${count(notAsked)} not used in 30 days, and not asked about: their figures are 0`]
      : []),
    ...(lastDayOf(usage) === undefined ? [] : ['days: up to the last one, each key by its own busiest']),
    ...(usage.some(({ type }) => type === 'test') ? [`test keys: ${testNote}`] : []),
    limitNote(limits),
  ]
}

const testNote = 'at most 100 renders a day, which usage does not tell from other requests'

const late = ' (the API has them up to 5 minutes late)'

function age({ updatedAt }: Totals, now: number): string {
  return updatedAt === null ? 'no figures were asked for' : `figures up to ${formatAge(updatedAt, now)}`
}

function limitNote(limits: RequestLimits): string {
  const { plan, requestsPerDay } = limits
  if (requestsPerDay === null) return `${unknownLimit(plan)}; ${minuteNote(limits)}`
  return `limit: 24 hours of the ${count(requestsPerDay)} requests that plan ${plan} allows a key a day; ${minuteNote(limits)}`
}

function unknownLimit(plan: RequestLimits['plan']): string {
  return plan === null
    ? 'the plan is not known, nor what it allows a day (--plan says it)'
    : `what plan ${plan} allows a day is not known`
}

function minuteNote({ requestsPerMinute }: RequestLimits): string {
  return requestsPerMinute === null
    ? 'usage does not count by the minute'
    : `usage does not count by the minute, in which ${count(requestsPerMinute)} are allowed`
}

/** Everything that is known of one key. */
export function usageCard({ usage, totals, daily, limits }: AccountUsage, view: UsageView): string {
  const { paint, now } = view
  const [key] = usage
  if (key === undefined) return ''
  const table = renderTable(
    [
      { head: 'LAST', value: ({ window }) => window },
      { head: 'REQUESTS', value: ({ figures }) => count(figures.requests), align: 'right' },
      { head: 'ERRORS', value: ({ figures }) => errorRate(figures), align: 'right' },
      { head: 'P50', value: ({ figures }) => latency(figures, 'p50'), align: 'right' },
      { head: 'P95', value: ({ figures }) => latency(figures, 'p95'), align: 'right' },
      { head: 'P99', value: ({ figures }) => latency(figures, 'p99'), align: 'right' },
    ],
    windows.map((window) => ({ window, figures: key.windows[window] })),
    view,
  )
  const countries = Object.entries(key.countries ?? {}).sort(([, a], [, b]) => b - a)
  const line = (label: string, text: string) => `${paint.dim(`${label}:`)} ${text}`
  return [
    `${paint.bold(key.name)} ${paint.dim(key.keyId)}`,
    table,
    ...(view.chart
      ? [chartOf(daily, view)]
      : key.daily?.length
        ? [line('days', sparkline(key, lastDayOf(usage)).trimStart())]
        : []),
    ...(countries.length > 0
      ? [
          line(
            'from',
            countries
              .slice(0, 5)
              .map(([code, requests]) => `${countryName(code)} ${count(requests)}`)
              .join(', '),
          ),
        ]
      : []),
    line(
      'limit',
      `${key.dayLimit === null ? unknownLimit(limits.plan) : dayLimit(key.dayLimit, limits)}; ${minuteNote(limits)}`,
    ),
    ...(key.type === 'test' ? [line('test key', testNote)] : []),
    paint.dim(`${age(totals, now)}${late}`),
  ].join('\n')
}

function dayLimit(
  { share, busiest }: NonNullable<KeyFigures['dayLimit']>,
  { requestsPerDay }: RequestLimits,
): string {
  const most =
    busiest === null || busiest.requests === 0
      ? ''
      : `; busiest day ${busiest.date}: ${count(busiest.requests)} (${percent(busiest.share)})`
  return `${percent(share)} of ${count(requestsPerDay ?? 0)} a day in the last 24 hours${most}`
}

function chartOf(days: AccountUsage['daily'], view: UsageView): string {
  return days.length === 0 ? view.paint.dim('the API gives no days to draw') : usageChart(days, view)
}

/** All of it in a line, and how many requests more there are than the time before. */
export function usageLine({ totals }: AccountUsage, before: Totals | undefined, now: number): string {
  const { requests } = totals.windows['24h']
  const more = before && totals.windows['30d'].requests - before.windows['30d'].requests
  const change = more === undefined ? '' : ` (${more < 0 ? '' : '+'}${count(more)} since)`
  const keys = `${count(totals.keys)} ${totals.keys === 1 ? 'key' : 'keys'}`
  return `${keys}, ${count(requests)} requests in 24 hours${change}, errors ${errorRate(totals.windows['24h'])}, ${age(totals, now)}`
}

function windowOf(row: Row, window: WindowName): Pick<UsageWindow, 'requests' | 'errors'> {
  return 'total' in row ? row.total.windows[window] : row.windows[window]
}

function count(requests: number): string {
  return requests.toLocaleString('en')
}

function percent(share: number): string {
  if (share === 0) return '0%'
  return share < 0.001 ? '<0.1%' : `${(share * 100).toFixed(share < 0.1 ? 1 : 0)}%`
}

function errorRate({ requests, errors }: Pick<UsageWindow, 'requests' | 'errors'>): string {
  if (requests === 0) return '-'
  return `${((errors / requests) * 100).toFixed(errors > 0 && errors / requests < 0.001 ? 2 : 1)}%`
}

function isFailing({ requests, errors }: Pick<UsageWindow, 'requests' | 'errors'>): boolean {
  return requests > 0 && errors / requests >= 0.05
}

function latency({ requests, latencyMs }: UsageWindow, percentile: 'p50' | 'p95' | 'p99'): string {
  return requests === 0 ? '-' : `${Math.round(latencyMs[percentile])}ms`
}

/** The last day that the API tells of, of any key; undefined where it tells of none. */
function lastDayOf(usage: readonly KeyFigures[]): string | undefined {
  let last: string | undefined
  for (const { daily = [] } of usage) {
    for (const { date } of daily) if (last === undefined || date > last) last = date
  }
  return last
}

const dayMs = 86_400_000
const mostDays = 31

/** A bar for each day up to the last one, which stands at the end; a younger key begins later. */
function sparkline({ daily = [] }: KeyFigures, lastDay: string | undefined, days = mostDays): string {
  const last = Date.parse(lastDay ?? '')
  const requests: number[] = []
  for (const day of daily) {
    const ago = Math.round((last - Date.parse(day.date)) / dayMs)
    if (ago >= 0 && ago < days) requests[ago] = day.requests
  }
  if (requests.length === 0) return ''
  const bars = Array.from(requests, (count = 0) => count).reverse()
  return sparkly(bars, { minimum: 0 }).padStart(days)
}

/** What the API could not place stands under a code that is no country's. */
function countryName(code: string): string {
  return code === 'XX' ? 'unknown' : code
}
