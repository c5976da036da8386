import type { Sighting } from '../../audit/incident.ts'
import type { IncidentReport } from '../../audit/incident-report.ts'
import { markdownCode, markdownText } from '../markdown.ts'
import { newFirst } from './text.ts'
import {
  comparisonOf,
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

const mostRows = 100

/** The report for a ticket, a pull request or a wiki. */
export function incidentMarkdown(report: IncidentReport): string {
  const { incident, next } = report
  const { unlike, timeline, audit, reach } = incident
  const parts = [
    `## What ${markdownText(nameOf(incident))} did`,
    list([stateOf(incident), comparisonOf(incident), ...verdictOf(incident)]),
    ...(next.length === 0
      ? []
      : [
          '### What to do next',
          next
            .map(({ what, command }, at) => `${at + 1}. ${markdownText(what)}: ${markdownCode(command)}`)
            .join('\n'),
        ]),
    ...titled(
      'Unlike its past',
      ['What', 'Which', 'Requests', 'From (UTC)', 'To', 'Why'],
      unlike.map(({ kind, value, requests, firstAt, lastAt, why }) => [
        unlikeNouns[kind],
        value,
        figure(requests),
        minute(firstAt),
        minute(lastAt),
        why,
      ]),
    ),
    ...titled('Spent', ['What', 'How much'], spentFacts(incident)),
    ...titled(
      'What could be reached',
      ['Called', 'Kind', 'Requests', 'Failed', 'By callers never seen'],
      (reach.endpoints ?? []).map(({ endpoint, kind, requests, failed, unseen }) => [
        endpoint,
        kind,
        figure(requests),
        figure(failed),
        unseen === null ? 'not known' : figure(unseen),
      ]),
    ),
    ...(reach.may.length > 0 ? [`With its access it can ${markdownText(reach.may.join(', '))}.`] : []),
    ...titled(
      'Timeline (UTC)',
      ['From', 'To', 'Requests', 'Failed', 'Never seen', 'What'],
      foldTimeline(timeline ?? []).map((row) => [
        minute(row.from),
        minute(row.until),
        figure(row.requests),
        figure(row.failed),
        unseenFigure(row),
        rowSentence(row),
      ]),
    ),
    ...sightings('Addresses', audit?.addresses),
    ...sightings('Networks', audit?.networks),
    ...sightings('User agents', audit?.userAgents),
    ...keysSince(report),
    '### Not in these figures',
    list(gapsOf(incident)),
  ]
  return `${parts.join('\n\n')}\n`
}

function keysSince({ keysSince: keys, keysSinceLeftOut }: IncidentReport): string[] {
  if (keys === null) return []
  if (keys.length === 0) return ['### Keys created since', 'None.']
  const rows = keys.map(({ id, name, type, status, createdAt }) => [
    id,
    name,
    type,
    status,
    minute(createdAt),
  ])
  const table = titled('Keys created since', ['Id', 'Name', 'Type', 'Status', 'Created (UTC)'], rows)
  return keysSinceLeftOut > 0 ? [...table, `And ${figure(keysSinceLeftOut)} more.`] : table
}

function sightings(title: string, all: readonly Sighting[] = []): string[] {
  return titled(
    title,
    ['Which', 'New', 'Since', 'All', 'First (UTC)', 'Last'],
    newFirst(all).map(({ value, isNew, since, requests, firstAt, lastAt }) => [
      value,
      isNew === true ? 'new' : '',
      figure(since),
      figure(requests),
      minute(firstAt),
      minute(lastAt),
    ]),
  )
}

/** A heading with a table; nothing where there is no row. */
function titled(title: string, heads: readonly string[], rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return []
  const lines = [
    line(heads),
    line(heads.map(() => '---')),
    ...rows.slice(0, mostRows).map((row) => line(row.map(markdownText))),
  ]
  const more = rows.length - mostRows
  const left = more > 0 ? [`And ${figure(more)} more, which the JSON has.`] : []
  return [`### ${title}`, lines.join('\n'), ...left]
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`
}

function list(texts: readonly string[]): string {
  return texts.map((text) => `- ${markdownText(text)}`).join('\n')
}
