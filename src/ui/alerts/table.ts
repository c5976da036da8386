import { stripVTControlCharacters } from 'node:util'
import type { AlertsReport, IncidentReport, RuleReport } from '../../alerts/report.ts'
import type { AlertCondition } from '../../fleet/fleet.ts'
import { formatDuration } from '../../duration.ts'
import { firingText } from './firing.ts'
import { overText } from './recovery.ts'
import type { Output } from '../output.ts'
import { renderTable, type Column } from '../table.ts'
import { oneLine } from '../text.ts'
import { paragraph } from '../wrapping.ts'

type Drawing = Pick<Output, 'width' | 'paint'>

const words = { firing: 'firing', recovered: 'over', pending: 'pending' } as const

/** What a check found: what fires, what is over, what could not be told. */
export function checkText(report: AlertsReport, out: Drawing): string {
  const { rules, incidents } = report
  const skipped = rules.filter((rule) => rule.skipped !== null)
  const unknown = rules.filter((rule) => rule.unknown > 0)
  return [
    ...(incidents.length > 0 ? [incidentTable(incidents, out, Date.parse(report.at)), ''] : []),
    summaryLine(report),
    ...(skipped.length > 0 ? ['', skippedTable(skipped, out)] : []),
    ...(unknown.length > 0 ? ['', unknownTable(unknown, out)] : []),
  ].join('\n')
}

/** Of a check that is one of many: what changed, on a line. */
export function changeLine(report: AlertsReport): string {
  const changed = report.incidents.filter(({ isNew, state }) => isNew || state === 'recovered')
  const texts = changed.map((incident) => {
    const { rule, key, state } = incident
    return `${words[state]}: ${rule}: ${key.name} (${key.id}): ${whatText(incident)}`
  })
  return [summaryLine(report), ...texts].join('; ')
}

function summaryLine({ summary, notifiers }: AlertsReport): string {
  const { rules, firing, fired, recovered, pending, skipped, unknown } = summary
  const sent = notifiers.reduce((sum, each) => sum + each.sent, 0)
  const parts = [
    `${rules} ${rules === 1 ? 'rule' : 'rules'}`,
    `${firing} firing${fired > 0 ? ` (${fired} new)` : ''}`,
    ...(recovered > 0 ? [`${recovered} over`] : []),
    ...(pending > 0 ? [`${pending} pending`] : []),
    ...(skipped > 0 ? [`${skipped} skipped`] : []),
    ...(unknown > 0 ? [`${unknown} unknown`] : []),
    ...(sent > 0 ? [`${sent} ${sent === 1 ? 'message' : 'messages'} sent`] : []),
  ]
  return parts.join(', ')
}

/** More rows than anybody reads would take longer than the check itself. */
const mostRows = 200

function incidentTable(incidents: readonly IncidentReport[], out: Drawing, now: number): string {
  const table = rowsTable(incidents.slice(0, mostRows), out, now)
  const more = incidents.length - mostRows
  return more > 0 ? `${table}\nand ${more.toLocaleString('en-US')} more; --json has them all` : table
}

/** Where there is no room beside a key for what is with it, that stands on lines of its own below. */
function rowsTable(incidents: readonly IncidentReport[], { width, paint }: Drawing, now: number): string {
  const coloured = (text: string, state: IncidentReport['state']) =>
    state === 'firing' ? paint.red(text) : state === 'recovered' ? paint.green(text) : paint.yellow(text)
  const columns: Column<IncidentReport>[] = [
    { head: 'STATE', value: ({ state }) => words[state], paint: (text, { state }) => coloured(text, state) },
    { head: 'RULE', value: ({ rule }) => rule },
    { head: 'KEY', value: ({ key }) => key.name, flexible: true },
    { head: 'ID', value: ({ key }) => key.id },
    { head: 'SINCE', value: ({ since }) => sinceText(since, now) },
  ]
  const beside = [...columns, { head: 'WHAT', value: whatText, flexible: true }]
  const whole = renderTable(beside, incidents, { width: Infinity, paint })
  if (whole.split('\n').every((line) => stripVTControlCharacters(line).length <= width)) return whole
  const [head = '', ...rows] = renderTable(columns, incidents, { width, paint }).split('\n')
  if (rows.length !== incidents.length) return renderTable(beside, incidents, { width, paint })
  const below = (incident: IncidentReport | undefined) =>
    incident === undefined ? [] : paragraph(`  ${oneLine(whatText(incident))}`, width, 2)
  return [head, ...rows.flatMap((row, index) => [row, ...below(incidents[index])])].join('\n')
}

function whatText(incident: IncidentReport): string {
  const { state, measured, unknown } = incident
  if (state === 'recovered') return overText(incident)
  return unknown === null ? firingText(incident) : `${measured.message} (now unknown: ${unknown})`
}

function sinceText(since: string, now: number): string {
  const ms = now - Date.parse(since)
  return ms < 60_000 ? 'just now' : `${formatDuration(ms).split(' ')[0]} ago`
}

function skippedTable(skipped: readonly RuleReport[], { width, paint }: Drawing): string {
  return renderTable(
    [
      { head: 'SKIPPED', value: ({ rule }) => rule },
      { head: 'WHY', value: (rule) => rule.skipped ?? '', flexible: true },
    ],
    skipped,
    { width, paint },
  )
}

/** Keys of which nothing is known: neither quiet nor firing. */
function unknownTable(rules: readonly RuleReport[], { width, paint }: Drawing): string {
  return renderTable(
    [
      { head: 'UNKNOWN', value: ({ rule }) => rule },
      { head: 'KEYS', value: ({ unknown, keys }) => `${unknown} of ${keys}` },
      { head: 'WHY', value: ({ whyUnknown }) => whyUnknown.join('; '), flexible: true },
    ],
    rules,
    { width, paint },
  )
}

export interface AlertsList {
  checkedAt: string | null
  rules: readonly {
    rule: string
    condition: AlertCondition
    keys: string | null
    activeKeys: number | null
    forMs: number
    keepFiringForMs: number
    remindAfterMs: number | null
    needs: readonly string[]
    notify: readonly string[]
  }[]
  incidents: readonly IncidentReport[]
  notifiers: readonly { name: string; kind: string }[]
}

export function listText(
  { checkedAt, rules, incidents }: AlertsList,
  out: Drawing & { now: number },
): string {
  const { width, paint, now } = out
  const table = renderTable(
    [
      { head: 'RULE', value: ({ rule }) => rule },
      { head: 'WHEN', value: ({ condition, forMs }) => whenText(condition, forMs), flexible: true },
      { head: 'KEYS', value: ({ keys, activeKeys }) => keysText(keys, activeKeys) },
      { head: 'TELLS', value: ({ notify }) => notify.join(', ') || 'nobody', flexible: true },
    ],
    rules,
    { width, paint },
  )
  const checked = checkedAt === null ? 'not checked yet' : `checked ${sinceText(checkedAt, now)}`
  const open = incidents.length === 0 ? 'nothing is open' : `${incidents.length} open`
  return [
    table,
    '',
    ...(incidents.length > 0 ? [incidentTable(incidents, out, now), ''] : []),
    `${open}; ${checked}`,
  ].join('\n')
}

/** `Nightly * (3)`: how many there were at the last check. */
function keysText(keys: string | null, count: number | null): string {
  const which = keys ?? 'all'
  return count === null ? which : `${which} (${count.toLocaleString('en-US')})`
}

/** `more than 1,000 requests in 24h for 10m`. */
function whenText(condition: AlertCondition, forMs: number): string {
  const when = conditionText(condition)
  return forMs === 0 ? when : `${when}, for ${formatDuration(forMs)}`
}

function conditionText(condition: AlertCondition): string {
  switch (condition.kind) {
    case 'requests':
      return `more than ${condition.over.toLocaleString('en-US')} requests in ${condition.in}`
    case 'error-rate':
      return `more than ${Number((condition.over * 100).toFixed(2))} % errors in ${condition.in}`
    case 'p95':
      return `p95 over ${formatDuration(condition.overMs)} in ${condition.in}`
    case 'spike':
      return 'far more requests than on its own days'
    case 'new-country':
      return 'a country not seen before'
    case 'new-network':
      return 'a network not seen before'
    case 'outside-hours':
      return 'used outside of working hours'
    case 'too-old':
      return `older than ${formatDuration(condition.afterMs)}`
    case 'unused':
      return `not used for ${formatDuration(condition.forMs)}`
  }
}

export interface TestResult {
  name: string
  kind: string
  sentAt: string | null
  problem: string | null
}

export function testText(tests: readonly TestResult[], { width, paint }: Drawing): string {
  return renderTable(
    [
      { head: 'NOTIFIER', value: ({ name }) => name },
      { head: 'KIND', value: ({ kind }) => kind },
      {
        head: 'RESULT',
        value: ({ sentAt }) => (sentAt === null ? 'failed' : 'sent'),
        paint: (text, { sentAt }) => (sentAt === null ? paint.red(text) : paint.green(text)),
      },
      { head: 'WHY', value: ({ problem }) => problem ?? '', flexible: true },
    ],
    tests,
    { width, paint },
  )
}
