import { formatAge } from '../../ages.ts'
import { html, type Markup } from '../html/markup.ts'
import { htmlTable } from '../html/table.ts'
import { percent } from './evidence.ts'
import { badge, keyName } from './html-words.ts'
import type { KeyRow, KeyUse } from './key-rows.ts'
import { counted } from './subject.ts'

/** What a page has room for; the rest is said to be left out. */
const mostCards = 60
const mostRows = 500

const width = 240
const height = 56

/** Thirty days of each key that was used, side by side. */
export function useCards(rows: readonly KeyRow[], now: number): Markup {
  const used = rows.filter(({ use }) => use !== undefined && use.requests > 0)
  const shown = used.slice(0, mostCards)
  const unknown = rows.filter(({ use }) => use === undefined).length
  const idle = rows.length - used.length - unknown
  const left = [
    ...(used.length > shown.length
      ? [
          `${counted(used.length - shown.length, 'more key')} had requests, fewer and without severer findings: usage --json has all.`,
        ]
      : []),
    ...(idle > 0 ? [`${counted(idle, 'active key')} had no request in these 30 days.`] : []),
    ...(unknown > 0
      ? [`Of ${counted(unknown, 'active key')} the API gives no figures: what they did is not known.`]
      : []),
  ]
  return html`<p class="fine">
      Requests a day, each key on a scale of its own; failed ones are at the foot of a bar. ${left.join(' ')}
    </p>
    <ul class="cards">
      ${shown.map((row) => card(row, now))}
    </ul>`
}

function card({ key, use, worst, ageDays }: KeyRow, now: number): Markup {
  const failed = percent(use === undefined || use.requests === 0 ? 0 : use.errors / use.requests)
  const p95 = use?.p95 === undefined ? '' : `p95 ${Math.round(use.p95).toLocaleString('en')} ms, `
  return html`<li>
    <h3>${keyName(key)}</h3>
    <span class="fine">${key.id} · ${key.type}</span> ${worst && badge(worst)}
    ${use?.days ? dayBars(use.days) : html`<p class="fine">The API gives no days.</p>`}
    <span class="fine">
      ${counted(use?.requests ?? 0, 'request')}, ${failed} failed<br />
      ${p95}${counted(Math.floor(ageDays), 'day')} old<br />
      last used ${formatAge(key.lastUsedAt, now)}
    </span>
  </li>`
}

function dayBars(days: NonNullable<KeyUse['days']>): Markup {
  const most = Math.max(1, ...days.map(({ requests }) => requests))
  const step = width / days.length
  const bars = (count: (day: (typeof days)[number]) => number) =>
    days
      .map((day, index) => {
        const tall = round((Math.min(count(day), most) / most) * height)
        return tall === 0
          ? ''
          : `M${round(index * step + 0.75)} ${height}v-${tall}h${round(step - 1.5)}v${tall}z`
      })
      .join('')
  const busiest = days.find(({ requests }) => requests === most)
  const first = days[0]?.date ?? ''
  const last = days.at(-1)?.date ?? ''
  const said = `Requests a day from ${first} to ${last}: at most ${most.toLocaleString('en')}${busiest ? `, on ${busiest.date}` : ''}.`
  return html`<svg viewBox="0 0 ${width} ${height + 16}" role="img" aria-label="${said}">
    <line class="axis" x1="0" y1="${height}" x2="${width}" y2="${height}" />
    <path class="bar" d="${bars(({ requests }) => requests)}" />
    <path class="failed" d="${bars(({ errors }) => errors)}" />
    <text x="0" y="${height + 13}">${first.slice(5)}</text>
    <text x="${width / 2}" y="${height + 13}" text-anchor="middle">most ${most.toLocaleString('en')}</text>
    <text x="${width}" y="${height + 13}" text-anchor="end">${last.slice(5)}</text>
  </svg>`
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}

/** Every active key, as far as there is room. */
export function keyTable(rows: readonly KeyRow[], now: number): Markup {
  const shown = rows.slice(0, mostRows)
  const left = rows.length - shown.length
  const table = htmlTable<KeyRow>(
    'Active keys: those with the severest findings first, then those used most',
    [
      {
        head: 'Key',
        heads: true,
        value: ({ key }) => html`${keyName(key)}<br /><span class="fine">${key.id}</span>`,
      },
      { head: 'Type', value: ({ key }) => (key.access === 'admin' ? `${key.type}, admin` : key.type) },
      {
        head: 'Age',
        number: true,
        value: ({ ageDays }) => `${Math.floor(ageDays).toLocaleString('en')} d`,
      },
      { head: 'Last used', value: ({ key }) => formatAge(key.lastUsedAt, now) },
      {
        head: '30 days',
        number: true,
        value: ({ use }) => use?.requests.toLocaleString('en') ?? 'not known',
      },
      {
        head: 'Failed',
        number: true,
        value: ({ use }) => (use && use.requests > 0 ? percent(use.errors / use.requests) : '–'),
      },
      {
        head: 'Findings',
        value: ({ findings, worst }) =>
          worst === undefined
            ? 'none'
            : html`${badge(worst)} ${[...new Set(findings.map(({ rule }) => rule))].join(', ')}`,
      },
    ],
    shown,
  )
  if (left === 0) return table
  return html`${table}
    <p class="fine">
      ${counted(left, 'more key')} without severer findings ${left === 1 ? 'is' : 'are'} left out; --json and
      list have all.
    </p>`
}
