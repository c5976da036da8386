import { formatDuration } from '../../duration.ts'
import type { Severity } from '../../fleet/fleet.ts'
import { html, type Markup, type Piece } from '../html/markup.ts'
import { renderPage, type Section } from '../html/page.ts'
import { percent, shortInstant } from './evidence.ts'
import { acceptedTables, checklistTable, findingCards, ruleTable, skippedTables } from './html-findings.ts'
import { keyTable, useCards } from './html-keys.ts'
import { agePicture } from './html-picture.ts'
import { rotationHistory } from './html-rotations.ts'
import { keyRows, type KeyRow } from './key-rows.ts'
import { counted, countSentence, severities, type AuditSubject } from './subject.ts'

const dayMs = 86_400_000
/** Of the rule key-age, where the file says nothing else. */
const standardLimits = { warnDays: 90, errorDays: 365 }

/** The report as one self-contained page: for whoever decides, and for whoever files it. */
export function auditHtml(subject: AuditSubject): string {
  const { report, survey, version } = subject
  const rows = keyRows(subject)
  const sections: Section[] = [
    { id: 'figures', title: 'At a glance', body: tiles(subject, rows) },
    { id: 'findings', title: 'Findings', body: [findingCards(subject), acceptedTables(report)] },
    { id: 'skipped', title: 'Not looked at', body: skippedTables(report) },
    { id: 'keys', title: 'Age and use', body: keysSection(subject, rows), sheet: true },
    { id: 'use', title: 'Use over 30 days', body: useSection(subject, rows) },
    { id: 'rotations', title: 'Rotations', body: rotationHistory(subject) },
    ...(report.checklist.length > 0
      ? [{ id: 'checklist', title: 'Security checklist', body: checklistTable(report) }]
      : []),
    { id: 'rules', title: 'Rules', body: ruleTable(report) },
    { id: 'method', title: 'How the figures were made', body: method(subject) },
  ]
  return renderPage({
    title: 'Audit of the API keys',
    lead: lead(subject),
    facts: [
      ['Account', report.apiUrl],
      ['Looked at', shortInstant(report.at)],
      ['Plan', survey.plan ?? 'not known'],
      ['Made by', `pictify-keys ${version}`],
    ],
    sections,
    foot: html`<p>
      This page is one file: it holds no secret, loads nothing and runs nothing. Instants are in UTC, by the
      API's clock. What is left out for its length is in <code>pictify-keys audit --format json</code>.
    </p>`,
  })
}

function lead({ report }: AuditSubject): Piece {
  const { findings, skipped, accepted } = report.summary
  const verdict =
    findings.error > 0
      ? `${countSentence(report.summary)}: the errors want mending now.`
      : findings.warning > 0
        ? `No errors; ${countSentence(report.summary)}.`
        : findings.note > 0
          ? `No errors and no warnings; ${countSentence(report.summary)}.`
          : 'No rule that could be held found anything.'
  const known = accepted > 0 ? ` ${counted(accepted, 'finding')} known and accepted.` : ''
  return html`${verdict}${known}${
    skipped > 0 &&
    html` <strong>${counted(skipped, 'rule')} could not be held</strong>: what
      ${skipped === 1 ? 'it looks' : 'they look'} for is not known.`
  }`
}

interface Tile {
  figure: string
  what: string
  fine: string
  look?: Severity | 'good' | undefined
}

function tiles(subject: AuditSubject, rows: readonly KeyRow[]): Markup {
  const { report, survey, receipts } = subject
  const { findings, skipped } = report.summary
  const live = rows.filter(({ key }) => key.type === 'live').length
  const oldest = rows.reduce<KeyRow | undefined>(
    (old, row) => (old === undefined || row.ageDays > old.ageDays ? row : old),
    undefined,
  )
  const mended: Readonly<Record<Severity, string>> = {
    error: 'to mend now',
    warning: 'to look at soon',
    note: 'to know of',
  }
  const done = receipts.filter(
    ({ state, finishedAt }) =>
      state === 'done' && finishedAt !== null && Date.parse(finishedAt) > survey.at - 90 * dayMs,
  ).length
  const all: Tile[] = [
    ...severities.map((severity) => ({
      figure: findings[severity].toLocaleString('en'),
      what: findings[severity] === 1 ? severity : `${severity}s`,
      fine: findings[severity] === 0 ? 'none found' : mended[severity],
      look: findings[severity] === 0 ? (skipped === 0 ? ('good' as const) : undefined) : severity,
    })),
    {
      figure: (report.rules.length - skipped).toLocaleString('en'),
      what: `of ${counted(report.rules.length, 'rule')} held`,
      fine: skipped === 0 ? 'none skipped' : `${skipped} skipped: not known`,
      look: skipped === 0 ? undefined : 'warning',
    },
    {
      figure: rows.length.toLocaleString('en'),
      what: rows.length === 1 ? 'active key' : 'active keys',
      fine: `${live} live, ${rows.length - live} test; ${report.summary.keys.revoked} revoked`,
    },
    {
      figure: oldest === undefined ? '–' : `${Math.floor(oldest.ageDays).toLocaleString('en')} d`,
      what: 'oldest active key',
      fine: oldest?.key.name ?? 'no active key',
    },
    {
      figure: rows.filter(({ ageDays }) => ageDays > 365).length.toLocaleString('en'),
      what: 'older than a year',
      fine: 'active keys',
    },
    ...useTiles(rows),
    {
      figure: done.toLocaleString('en'),
      what: done === 1 ? 'rotation done' : 'rotations done',
      fine: 'in 90 days, by this machine',
    },
  ]
  return html`<ul class="tiles">
    ${all.map(
      ({ figure, what, fine, look }) =>
        html`<li class="${look}">
          <span class="figure">${figure}</span> <span class="what">${what}</span>
          <span class="fine">${fine}</span>
        </li>`,
    )}
  </ul>`
}

function useTiles(rows: readonly KeyRow[]): Tile[] {
  const uses = rows.flatMap(({ use }) => (use === undefined ? [] : [use]))
  if (uses.length === 0) {
    return [{ figure: '–', what: 'requests in 30 days', fine: 'not known' }]
  }
  const requests = uses.reduce((sum, use) => sum + use.requests, 0)
  const errors = uses.reduce((sum, use) => sum + use.errors, 0)
  const unknown = rows.length - uses.length
  const idle = uses.filter((use) => use.requests === 0).length
  return [
    {
      figure: requests.toLocaleString('en', { notation: 'compact', maximumFractionDigits: 1 }),
      what: 'requests in 30 days',
      fine: `${requests === 0 ? 'none' : `${percent(errors / requests)} failed`}${unknown === 0 ? '' : `; without ${counted(unknown, 'key')}: not known`}`,
    },
    {
      figure: idle.toLocaleString('en'),
      what: idle === 1 ? 'key without use' : 'keys without use',
      fine: 'no request in 30 days',
    },
  ]
}

function keysSection(subject: AuditSubject, rows: readonly KeyRow[]): Piece {
  const { survey } = subject
  if (rows.length === 0) return html`<p>The account has no active keys.</p>`
  const own = survey.fleet.known ? survey.fleet.value.audit.rules['key-age'] : undefined
  const limits = {
    warnDays: own?.warnAfterMs === undefined ? standardLimits.warnDays : own.warnAfterMs / dayMs,
    errorDays: own?.errorAfterMs === undefined ? standardLimits.errorDays : own.errorAfterMs / dayMs,
  }
  return [agePicture(rows, limits), keyTable(rows, survey.at)]
}

function useSection({ survey }: AuditSubject, rows: readonly KeyRow[]): Piece {
  if (!survey.usage.known) return html`<p>Not known: ${survey.usage.why}.</p>`
  return rows.length === 0 ? html`<p>The account has no active keys.</p>` : useCards(rows, survey.at)
}

function method({ report, survey }: AuditSubject): Markup {
  const { usage, log } = survey
  const span = log.known ? formatDuration(log.value.until - log.value.since) : ''
  return html`<ul>
    <li>Keys: every key of the account, as the API listed them at ${shortInstant(report.at)}.</li>
    <li>
      Usage:
      ${
        usage.known
          ? "the API's own figures of active keys that were used in the last 30 days, up to 5 minutes late; the others count as zero. The share of failed requests is errors by requests; p95 is the latency that 95 of 100 requests keep to."
          : `not known: ${usage.why}.`
      }
    </li>
    <li>
      Audit log:
      ${
        log.known
          ? `${counted(log.value.events, 'event')} of ${span}, from ${shortInstant(new Date(log.value.since).toISOString())}; what is from ${shortInstant(new Date(log.value.recentSince).toISOString())} on is held against what was before.`
          : `not known: ${log.why}.`
      }
    </li>
    <li>Rotations: the receipts of the machine that made this report, and marked names in the account.</li>
    <li>
      Ages and instants are by the API's clock. A finding that the keys file accepts is counted apart, with
      its reason.
    </li>
    <li>A rule whose source was not to be had is skipped: it counts neither as passed nor as failed.</li>
  </ul>`
}
