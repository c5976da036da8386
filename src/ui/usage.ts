import sparkly from 'sparkly'
import type { Usage, UsageWindow } from '../api/contract.ts'
import { formatAge } from '../ages.ts'
import type { Output } from './output.ts'
import { renderTable } from './table.ts'

type NamedUsage = Usage & { name: string }

const windows = ['24h', '7d', '30d'] as const

/** One line a key: requests, errors and latency, and the course of the days where it is known. */
export function usageTable(usages: readonly NamedUsage[], now: number, { width, paint }: Output): string {
  const isNameEnough = new Set(usages.map(({ name }) => name)).size === usages.length
  const table = renderTable(
    [
      { head: 'ID', value: ({ keyId }) => keyId, paint: (text) => paint.dim(text), optional: isNameEnough },
      { head: 'NAME', value: ({ name }) => name, flexible: true },
      { head: '24H', value: ({ windows: w }) => count(w['24h'].requests), align: 'right' },
      { head: '7D', value: ({ windows: w }) => count(w['7d'].requests), align: 'right' },
      { head: '30D', value: ({ windows: w }) => count(w['30d'].requests), align: 'right' },
      {
        head: 'ERRORS',
        value: ({ windows: w }) => errorRate(w['30d']),
        align: 'right',
        paint: (text, { windows: w }) => (isFailing(w['30d']) ? paint.red(text) : text),
      },
      { head: 'P95', value: ({ windows: w }) => latency(w['30d'], 'p95'), align: 'right' },
      ...(usages.some(({ daily }) => daily?.length)
        ? [{ head: 'DAYS', value: (row: NamedUsage) => sparkline(row), optional: true }]
        : []),
    ],
    usages,
    { width, paint },
  )
  const oldest = usages.map(({ updatedAt }) => updatedAt).sort()[0]
  return `${table}\n\n${paint.dim(`errors and latency of 30 days; figures up to ${formatAge(oldest, now)}`)}`
}

/** Everything that is known of one key. */
export function usageCard(usage: NamedUsage, now: number, { width, paint }: Output): string {
  const table = renderTable(
    [
      { head: 'LAST', value: ({ window }) => window },
      { head: 'REQUESTS', value: ({ figures }) => count(figures.requests), align: 'right' },
      { head: 'ERRORS', value: ({ figures }) => errorRate(figures), align: 'right' },
      { head: 'P50', value: ({ figures }) => latency(figures, 'p50'), align: 'right' },
      { head: 'P95', value: ({ figures }) => latency(figures, 'p95'), align: 'right' },
      { head: 'P99', value: ({ figures }) => latency(figures, 'p99'), align: 'right' },
    ],
    windows.map((window) => ({ window, figures: usage.windows[window] })),
    { width, paint },
  )
  const countries = Object.entries(usage.countries ?? {}).sort(([, a], [, b]) => b - a)
  return [
    `${paint.bold(usage.name)} ${paint.dim(usage.keyId)}`,
    table,
    ...(usage.daily?.length ? [`${paint.dim('days:')} ${sparkline(usage)}`] : []),
    ...(countries.length > 0
      ? [
          `${paint.dim('from:')} ${countries
            .slice(0, 5)
            .map(([code, requests]) => `${code} ${count(requests)}`)
            .join(', ')}`,
        ]
      : []),
    paint.dim(`figures up to ${formatAge(usage.updatedAt, now)}`),
  ].join('\n')
}

function count(requests: number): string {
  return requests.toLocaleString('en')
}

function errorRate({ requests, errors }: UsageWindow): string {
  if (requests === 0) return '-'
  return `${((errors / requests) * 100).toFixed(errors > 0 && errors / requests < 0.001 ? 2 : 1)}%`
}

function isFailing({ requests, errors }: UsageWindow): boolean {
  return requests > 0 && errors / requests >= 0.05
}

function latency({ requests, latencyMs }: UsageWindow, percentile: 'p50' | 'p95' | 'p99'): string {
  return requests === 0 ? '-' : `${Math.round(latencyMs[percentile])}ms`
}

/** Oldest day first. */
function sparkline({ daily = [] }: Usage): string {
  const days = [...daily].sort((a, b) => a.date.localeCompare(b.date))
  return days.length === 0
    ? ''
    : sparkly(
        days.map(({ requests }) => requests),
        { minimum: 0 },
      )
}
