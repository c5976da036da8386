import type { Incident, Sighting } from '../../audit/incident.ts'
import type { IncidentReport } from '../../audit/incident-report.ts'
import { html, type Markup, type Piece } from '../html/markup.ts'
import { factList, renderPage, type Section } from '../html/page.ts'
import { htmlTable, type HtmlColumn } from '../html/table.ts'
import { timelinePicture } from './picture.ts'
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

/** Rows of a table; what is beyond them is counted, and in the JSON. */
const mostRows = 200

/** The report as one self-contained page: for whoever decides at night, and whoever files it. */
export function incidentHtml(report: IncidentReport, version: string): string {
  const { incident } = report
  const sections: Section[] = [
    { id: 'next', title: 'What to do next', body: steps(report) },
    { id: 'unlike', title: 'Unlike its past', body: unlikeSection(incident) },
    { id: 'spent', title: 'What was spent', body: factList(spentFacts(incident)) },
    { id: 'reach', title: 'What could be reached', body: reachSection(incident) },
    { id: 'timeline', title: 'Timeline', body: timelineSection(incident), sheet: true },
    { id: 'callers', title: 'Who called', body: callers(incident), sheet: true },
    ...keysSection(report),
    {
      id: 'gaps',
      title: 'Not in these figures',
      body: html`<ul>
        ${gapsOf(incident).map((gap) => html`<li>${gap}</li>`)}
      </ul>`,
    },
  ]
  return renderPage({
    title: `What ${nameOf(incident)} did`,
    lead: html`${verdictOf(incident).map(
      (sentence, index) => html`${index > 0 && '; '}${index === 0 ? capital(sentence) : sentence}`,
    )}.`,
    facts: [
      ['Key', stateOf(incident)],
      ['Read', comparisonOf(incident)],
      ['Made by', `pictify-keys ${version}`],
    ],
    sections,
    foot: html`<p>
      This page is one file: it holds no secret, loads nothing and runs nothing. Instants are in UTC, by the
      API's clock. What is left out for its length is in <code>pictify-keys incident --format json</code>.
    </p>`,
  })
}

function when(instant: string | null): Piece {
  return html`<span class="nowrap">${minute(instant)}</span>`
}

function capital(sentence: string): string {
  return `${sentence.slice(0, 1).toUpperCase()}${sentence.slice(1)}`
}

function steps({ next }: IncidentReport): Markup {
  return html`<ol>
    ${next.map(
      ({ what, command }) =>
        html`<li>
          <p>${what}</p>
          <pre class="command">${command}</pre>
        </li>`,
    )}
  </ol>`
}

function table<T>(caption: string, columns: readonly HtmlColumn<T>[], rows: readonly T[]): Piece {
  const more = rows.length - mostRows
  return [
    htmlTable(caption, columns, rows.slice(0, mostRows)),
    more > 0 && html`<p class="fine">And ${figure(more)} more, which the JSON has.</p>`,
  ]
}

function unlikeSection({ unlike, past, audit }: Incident): Piece {
  if (unlike.length === 0) {
    const why =
      audit === null
        ? 'There is no audit log to tell by.'
        : past === null
          ? 'Nothing is known of the time before, so that what is new cannot be told.'
          : 'Nothing, as far as the audit log tells.'
    return html`<p>${why}</p>`
  }
  return table(
    'What the key did that it did not do before',
    [
      { head: 'What', value: ({ kind }) => unlikeNouns[kind] },
      { head: 'Which', value: ({ value }) => html`<bdi>${value}</bdi>`, heads: true },
      { head: 'Requests', value: ({ requests }) => figure(requests), number: true },
      { head: 'From', value: ({ firstAt }) => when(firstAt) },
      { head: 'To', value: ({ lastAt }) => when(lastAt) },
      { head: 'Why', value: ({ why }) => why },
    ],
    unlike,
  )
}

function reachSection({ reach, key }: Incident): Piece {
  const may =
    reach.may.length > 0
      ? `With ${key?.access ?? ''} access it can ${reach.may.join(', ')}, used or not.`
      : 'What it can do is not known: the API does not tell its access.'
  if (reach.endpoints === null)
    return html`<p>${may}</p>
      <p>What was called is not known.</p>`
  if (reach.endpoints.length === 0)
    return html`<p>${may}</p>
      <p>Nothing was called since.</p>`
  return [
    html`<p>${may}</p>`,
    table(
      'What was called since',
      [
        { head: 'Called', value: ({ endpoint }) => html`<bdi>${endpoint}</bdi>`, heads: true },
        { head: 'Kind', value: ({ kind }) => kind },
        { head: 'Requests', value: ({ requests }) => figure(requests), number: true },
        { head: 'Failed', value: ({ failed }) => figure(failed), number: true },
        {
          head: 'By callers never seen',
          value: ({ unseen }) => (unseen === null ? 'not known' : figure(unseen)),
          number: true,
        },
      ],
      reach.endpoints,
    ),
  ]
}

function timelineSection({ timeline }: Incident): Piece {
  if (timeline === null) return html`<p>There is no audit log, so that nothing is known hour by hour.</p>`
  return [
    timelinePicture(timeline),
    table(
      'What happened; hours of which nothing is to be said are put together',
      [
        { head: 'From', value: ({ from }) => when(from), heads: true },
        { head: 'To', value: ({ until }) => when(until) },
        { head: 'Requests', value: ({ requests }) => figure(requests), number: true },
        { head: 'Failed', value: ({ failed }) => figure(failed), number: true },
        { head: 'Never seen', value: unseenFigure, number: true },
        { head: 'What', value: (row) => html`<bdi>${rowSentence(row)}</bdi>` },
      ],
      foldTimeline(timeline),
    ),
  ]
}

function callers({ audit, usage }: Incident): Piece {
  const countries = Object.entries(usage?.countries ?? {}).sort(([, a], [, b]) => b - a)
  const where = countries.length > 0 && [
    html`<h3>Countries</h3>`,
    table(
      'Countries, by usage over 30 days',
      [
        { head: 'Country', value: ([code]) => code, heads: true },
        { head: 'Requests', value: ([, requests]) => figure(requests), number: true },
      ],
      countries,
    ),
  ]
  if (audit === null) return [html`<p>There is no audit log that says who called.</p>`, where]
  return [
    sightings('Addresses', audit.addresses),
    sightings('Networks', audit.networks),
    sightings('User agents', audit.userAgents),
    where,
  ]
}

function sightings(title: string, all: readonly Sighting[]): Piece {
  if (all.length === 0)
    return html`<h3>${title}</h3>
      <p>None.</p>`
  return [
    html`<h3>${title}</h3>`,
    table(
      `${title}, new ones first`,
      [
        { head: 'Which', value: ({ value }) => html`<bdi>${value}</bdi>`, heads: true },
        { head: 'New', value: ({ isNew }) => isNew === true && html`<span class="badge warning">new</span>` },
        { head: 'Since', value: ({ since }) => figure(since), number: true },
        { head: 'All', value: ({ requests }) => figure(requests), number: true },
        { head: 'First', value: ({ firstAt }) => when(firstAt) },
        { head: 'Last', value: ({ lastAt }) => when(lastAt) },
      ],
      newFirst(all),
    ),
  ]
}

function keysSection({ keysSince, keysSinceLeftOut }: IncidentReport): Section[] {
  if (keysSince === null) return []
  const more = keysSinceLeftOut > 0 && html`<p class="fine">And ${figure(keysSinceLeftOut)} more.</p>`
  const body =
    keysSince.length === 0
      ? html`<p>None.</p>`
      : [
          table(
            'An admin key can create keys, which go on working without it',
            [
              { head: 'Id', value: ({ id }) => id, heads: true },
              { head: 'Name', value: ({ name }) => html`<bdi>${name}</bdi>` },
              { head: 'Type', value: ({ type }) => type },
              { head: 'Status', value: ({ status }) => status },
              { head: 'Created', value: ({ createdAt }) => when(createdAt) },
            ],
            keysSince,
          ),
          more,
        ]
  return [{ id: 'keys', title: 'Keys created since', body }]
}
