import type { Incident, Sighting } from '../../audit/incident.ts'
import type { IncidentReport } from '../../audit/incident-report.ts'
import type { Output } from '../output.ts'
import { plain } from '../paint.ts'
import { renderTable, type Column } from '../table.ts'
import { oneLine } from '../text.ts'
import {
  comparisonOf,
  counted,
  figure,
  foldTimeline,
  gapsOf,
  minute,
  nameOf,
  rowSentence,
  spentFacts,
  stateOf,
  unlikeNouns,
  unseenFigure,
  verdictOf,
} from './words.ts'

type Surface = Pick<Output, 'width' | 'paint'>

const mostRows = 40
const mostUnlike = 20
const mostOfAKind = 10

/** The whole report for a terminal: what to do next stands last, where it is still on the screen. */
export function incidentReportText(report: IncidentReport, surface: Surface): string {
  const { paint } = surface
  return [
    incidentText(report.incident, surface),
    ...keysSince(report, surface),
    ...nextSteps(report, paint),
  ].join('\n\n')
}

/** What matters most of it, below the receipt of a rotation; `whole` is the line that shows the rest. */
export function incidentDigest(incident: Incident, whole: string, surface: Surface): string {
  return [
    headOf(incident, surface),
    ...unlikeSection(incident, surface),
    facts('spent', spentFacts(incident), surface.paint),
    ...sightingSections(incident, surface),
    `the timeline, what could be reached, and what to do next: ${whole}`,
  ].join('\n\n')
}

function headOf(incident: Incident, { paint }: Surface): string {
  return [
    `what ${paint.bold(nameOf(incident))} did`,
    `  ${stateOf(incident)}`,
    `  ${comparisonOf(incident)}`,
    ...verdictOf(incident).map((sentence) => `  ${paint.yellow('!')} ${sentence}`),
  ].join('\n')
}

/** What the key did, for people. */
function incidentText(incident: Incident, surface: Surface): string {
  const { paint } = surface
  return [
    headOf(incident, surface),
    ...unlikeSection(incident, surface),
    facts('spent', spentFacts(incident), paint),
    reachSection(incident, surface),
    ...timelineSection(incident, surface),
    ...sightingSections(incident, surface),
    ...usageSection(incident, paint),
    section(
      'not in these figures',
      gapsOf(incident)
        .map((gap) => `  ${gap}`)
        .join('\n'),
      paint,
    ),
  ].join('\n\n')
}

function yellow({ paint }: Surface): (text: string) => string {
  return (text) => paint.yellow(text)
}

function section(title: string, body: string, paint: Surface['paint']): string {
  return `${paint.bold(title)}\n${body}`
}

function facts(title: string, rows: readonly (readonly [string, string])[], paint: Surface['paint']): string {
  const widest = Math.max(...rows.map(([name]) => name.length))
  return section(title, rows.map(([name, value]) => `  ${name.padEnd(widest)}  ${value}`).join('\n'), paint)
}

/** A table, and how many rows it leaves out. */
function table<T>(
  title: string,
  columns: readonly Column<T>[],
  rows: readonly T[],
  surface: Surface & { most: number },
): string {
  const drawn = renderTable(columns, rows.slice(0, surface.most), surface)
  return section(title, [drawn, ...leftOut(rows, surface)].join('\n'), surface.paint)
}

/** The same, whose last column stands below each row where there is no room for it beside. */
function notedTable<T>(
  title: string,
  columns: readonly Column<T>[],
  note: Column<T>,
  rows: readonly T[],
  surface: Surface & { most: number },
): string {
  const [shown, whole] = [rows.slice(0, surface.most), [...columns, note]]
  const widest = renderTable(whole, shown, { width: Infinity, paint: plain }).split('\n')
  const lines = renderTable(columns, shown, surface).split('\n')
  // a row that is a block of its own has a line for everything
  const isBlocks = lines.length !== shown.length + 1
  if (isBlocks || widest.every(({ length }) => length <= surface.width)) {
    return table(title, whole, rows, surface)
  }
  const noted = shown.flatMap((row, index) => {
    const text = oneLine(note.value(row))
    return [lines[index + 1] ?? '', ...(text === '' ? [] : [`  ${text}`])]
  })
  return section(title, [lines[0], ...noted, ...leftOut(rows, surface)].join('\n'), surface.paint)
}

function leftOut(rows: readonly unknown[], { paint, most }: Surface & { most: number }): string[] {
  const more = rows.length - most
  return more > 0 ? [paint.dim(`and ${figure(more)} more: --format json has them`)] : []
}

function unlikeSection({ unlike }: Incident, surface: Surface): string[] {
  if (unlike.length === 0) return []
  type Row = Incident['unlike'][number]
  const columns: Column<Row>[] = [
    { head: 'WHAT', value: ({ kind }) => unlikeNouns[kind] },
    { head: 'WHICH', value: ({ value }) => value, flexible: true, paint: yellow(surface) },
    { head: 'REQUESTS', value: ({ requests }) => figure(requests), align: 'right' },
    { head: 'FROM (UTC)', value: ({ firstAt }) => minute(firstAt) },
    { head: 'TO', value: ({ lastAt }) => minute(lastAt), optional: true },
  ]
  const why: Column<Row> = { head: 'WHY', value: (row) => row.why }
  return [notedTable('unlike its past', columns, why, unlike, { ...surface, most: mostUnlike })]
}

function reachSection({ reach, key }: Incident, surface: Surface): string {
  const may =
    reach.may.length > 0
      ? `  with ${key?.access ?? ''} access it can ${reach.may.join(', ')}`
      : '  what it can do is not known: the API does not tell its access'
  const { endpoints } = reach
  if (endpoints === null) {
    return section('what could be reached', `${may}\n  what was called is not known`, surface.paint)
  }
  if (endpoints.length === 0) {
    return section('what could be reached', `${may}\n  nothing was called since`, surface.paint)
  }
  type Row = (typeof endpoints)[number]
  const unseen: Column<Row> = {
    head: 'NEVER SEEN',
    value: (row) => figure(row.unseen ?? 0),
    align: 'right',
  }
  const columns: Column<Row>[] = [
    { head: 'CALLED', value: ({ endpoint }) => endpoint, flexible: true },
    { head: 'KIND', value: ({ kind }) => kind },
    { head: 'REQUESTS', value: ({ requests }) => figure(requests), align: 'right' },
    { head: 'FAILED', value: ({ failed }) => figure(failed), align: 'right', optional: true },
    ...(endpoints.some((row) => row.unseen !== null) ? [unseen] : []),
  ]
  const called = table('', columns, endpoints, { ...surface, most: mostOfAKind })
    .split('\n')
    .slice(1)
  return section('what could be reached', [may, ...called].join('\n'), surface.paint)
}

function timelineSection({ timeline, past }: Incident, surface: Surface): string[] {
  if (timeline === null) return []
  const rows = foldTimeline(timeline)
  type Row = (typeof rows)[number]
  const columns: Column<Row>[] = [
    { head: 'FROM (UTC)', value: ({ from }) => minute(from) },
    { head: 'TO', value: ({ until }) => minute(until), optional: true },
    { head: 'REQUESTS', value: ({ requests }) => figure(requests), align: 'right' },
    { head: 'FAILED', value: ({ failed }) => figure(failed), align: 'right', optional: true },
    ...(past === null
      ? []
      : [
          {
            head: 'NEVER SEEN',
            value: (row: Row) => unseenFigure(row),
            align: 'right' as const,
          },
        ]),
  ]
  const what: Column<Row> = { head: 'WHAT', value: rowSentence }
  return [notedTable('timeline', columns, what, rows, { ...surface, most: mostRows })]
}

function sightingSections({ audit }: Incident, surface: Surface): string[] {
  if (audit === null || audit.events === 0) return []
  const columns = (head: string): Column<Sighting>[] => [
    { head, value: ({ value }) => value, flexible: true },
    { head: 'NEW', value: ({ isNew }) => (isNew === true ? 'new' : ''), paint: yellow(surface) },
    { head: 'SINCE', value: ({ since }) => figure(since), align: 'right' },
    { head: 'ALL', value: ({ requests }) => figure(requests), align: 'right', optional: true },
    { head: 'FIRST (UTC)', value: ({ firstAt }) => minute(firstAt) },
    { head: 'LAST', value: ({ lastAt }) => minute(lastAt) },
  ]
  const kinds = {
    addresses: audit.addresses,
    networks: audit.networks,
    'user agents': audit.userAgents,
  }
  return Object.entries(kinds)
    .filter(([, sightings]) => sightings.length > 0)
    .map(([kind, sightings]) =>
      table(kind, columns(kind.toUpperCase().replace(/ES$|S$/, '')), newFirst(sightings), {
        ...surface,
        most: mostOfAKind,
      }),
    )
}

/** What is new first, of that what was seen most. */
export function newFirst(sightings: readonly Sighting[]): Sighting[] {
  return [...sightings].sort(
    (a, b) => Number(b.isNew ?? false) - Number(a.isNew ?? false) || b.since - a.since,
  )
}

function usageSection({ usage }: Incident, paint: Surface['paint']): string[] {
  if (usage === null) return []
  const { '24h': day, '7d': week, '30d': month } = usage.windows
  const windows = `${counted(day.requests, 'request')} in 24h, ${figure(week.requests)} in 7d, ${figure(month.requests)} in 30d`
  const countries = Object.entries(usage.countries ?? {}).sort(([, a], [, b]) => b - a)
  const shown = countries.slice(0, mostOfAKind).map(([code, requests]) => `${code} ${figure(requests)}`)
  if (countries.length > shown.length) shown.push(`and ${countries.length - shown.length} more`)
  return [
    facts(
      'usage',
      [
        ['requests', windows],
        ...(shown.length > 0 ? [['countries', shown.join(', ')] as const] : []),
        ['complete', `up to ${minute(usage.updatedAt)} UTC`],
      ],
      paint,
    ),
  ]
}

function keysSince({ keysSince: keys, keysSinceLeftOut }: IncidentReport, surface: Surface): string[] {
  if (keys === null) return []
  const title = 'keys created since (an admin key can)'
  if (keys.length === 0) return [section(title, '  none', surface.paint)]
  type Row = (typeof keys)[number]
  const columns: Column<Row>[] = [
    { head: 'ID', value: ({ id }) => id },
    { head: 'NAME', value: ({ name }) => name, flexible: true },
    { head: 'TYPE', value: ({ type }) => type, optional: true },
    { head: 'STATUS', value: ({ status }) => status },
    { head: 'CREATED (UTC)', value: ({ createdAt }) => minute(createdAt) },
  ]
  const left = keysSinceLeftOut > 0 ? `\nand ${figure(keysSinceLeftOut)} more` : ''
  return [`${table(title, columns, keys, { ...surface, most: keys.length })}${left}`]
}

function nextSteps({ next }: IncidentReport, paint: Surface['paint']): string[] {
  if (next.length === 0) return []
  const steps = next.map(({ what, command }, index) => `${index + 1}. ${what}\n   ${paint.bold(command)}`)
  return [section('what to do next', steps.join('\n'), paint)]
}
