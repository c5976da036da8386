import type { CheckedItem } from '../../audit/checklist.ts'
import type { AuditReport, ReportedFinding } from '../../audit/report.ts'
import type { Severity } from '../../fleet/fleet.ts'
import { html, type Markup, type Piece } from '../html/markup.ts'
import { htmlTable } from '../html/table.ts'
import { checkedNote, checkedState } from './checklist-words.ts'
import { evidenceFacts } from './evidence.ts'
import { badge, keyName } from './html-words.ts'
import { acceptanceOf, counted, severities, type AuditSubject } from './subject.ts'

/** Of a severity; the rest is counted by rule. */
const mostFindings = 150
const mostAccepted = 200
/** From so many on findings of a rule are rows of one table: what is the same of them is said once. */
const leastRows = 3

const headings: Readonly<Record<Severity, string>> = { error: 'Errors', warning: 'Warnings', note: 'Notes' }

/** What was found, with its evidence and the command that mends it. */
export function findingCards({ report }: Pick<AuditSubject, 'report'>): Piece {
  if (report.findings.length === 0) return html`<p>No rule that could be held found anything.</p>`
  const summaries = new Map(report.rules.map(({ id, summary }) => [id, summary]))
  return severities.map((severity) => {
    const found = report.findings.filter((finding) => finding.severity === severity)
    if (found.length === 0) return undefined
    const left = found.slice(mostFindings)
    return html`<h3>${headings[severity]} (${found.length.toLocaleString('en')})</h3>
      ${byRule(found.slice(0, mostFindings)).map((group) => groupOf(group, summaries))}
      ${left.length > 0 && html`<p>${leftSentence(left)}</p>`}`
  })
}

/** Findings come sorted by rule. */
function byRule(found: readonly ReportedFinding[]): ReportedFinding[][] {
  const groups: ReportedFinding[][] = []
  for (const finding of found) {
    const last = groups.at(-1)
    if (last?.[0]?.rule === finding.rule) last.push(finding)
    else groups.push([finding])
  }
  return groups
}

function groupOf(group: readonly ReportedFinding[], summaries: ReadonlyMap<string, string>): Piece {
  const [first] = group
  const summary = summaries.get(first?.rule ?? '')
  if (first === undefined || group.length < leastRows) return group.map((finding) => card(finding, summary))
  const caption = `${first.rule}: ${summary ?? ''} (${counted(group.length, first.severity)})`
  const look = `${first.severity} of-rule`
  return htmlTable<ReportedFinding>(
    caption,
    [
      {
        head: 'About',
        heads: true,
        value: (finding) =>
          html`${aboutName(finding)}${finding.key !== null && html`<br /><span class="fine">${keyFacts(finding)}</span>`}`,
      },
      { head: 'Found', value: ({ message }) => message },
      { head: 'Evidence', value: ({ evidence }) => factLines(evidence) },
      { head: 'What mends it', value: ({ mend }) => (mend === null ? 'no command can' : commandOf(mend)) },
    ],
    group,
    look,
  )
}

function aboutName({ key, place }: ReportedFinding): Piece {
  if (key !== null) return keyName(key)
  return place === null ? 'The account' : `${place.file}:${place.line}`
}

function keyFacts({ key, place }: ReportedFinding): string {
  return [key?.id, key?.type, ...(place === null ? [] : [`${place.file}:${place.line}`])].join(' · ')
}

function factLines(evidence: ReportedFinding['evidence']): Piece {
  return html`<ul class="plain">
    ${evidenceFacts(evidence).map(([name, value]) => html` <li><span class="fine">${name}</span> ${value}</li>`)}
  </ul>`
}

function commandOf(mend: string): Markup {
  return html`<pre class="command"><code>${mend}</code></pre>`
}

function card(finding: ReportedFinding, summary: string | undefined): Markup {
  const { rule, severity, key, message, evidence, mend } = finding
  const facts = evidenceFacts(evidence)
  return html`<article class="finding ${severity}">
    <div class="head">
      ${badge(severity)}
      <h4>${aboutName(finding)}</h4>
      <span class="fine"
        >${key !== null && `${keyFacts(finding)} · `}
        <code>${rule}</code>${summary !== undefined && `, ${summary}`}</span
      >
    </div>
    <p class="message">${message}</p>
    ${
      facts.length > 0 &&
      html`<dl class="evidence">
        ${facts.map(
          ([name, value]) =>
            html`<div>
              <dt>${name}</dt>
              <dd>${value}</dd>
            </div>`,
        )}
      </dl>`
    }
    ${mend !== null && commandOf(mend)}
  </article>`
}

function leftSentence(left: readonly ReportedFinding[]): string {
  const counts = new Map<string, number>()
  for (const { rule } of left) counts.set(rule, (counts.get(rule) ?? 0) + 1)
  const each = [...counts].map(([rule, count]) => `${count.toLocaleString('en')} of ${rule}`)
  return `${counted(left.length, 'more finding')} of this severity ${left.length === 1 ? 'is' : 'are'} left out here (${each.join(', ')}); --format json has all.`
}

/** What is known and meant, and what of that was not found. */
export function acceptedTables(report: AuditReport): Piece {
  return [acceptedTable(report), idleTable(report)]
}

function idleTable({ idleAcceptances }: AuditReport): Markup | undefined {
  if (idleAcceptances.length === 0) return undefined
  return html`<h3>Accepted, and not found (${idleAcceptances.length.toLocaleString('en')})</h3>
    ${htmlTable<AuditReport['idleAcceptances'][number]>(
      'Acceptances of pictify-keys.yaml that set nothing aside',
      [
        { head: 'Acceptance', heads: true, value: acceptanceOf },
        { head: 'What of it', value: ({ why }) => why },
        { head: 'Why it was accepted', value: ({ reason }) => reason },
      ],
      idleAcceptances.slice(0, mostAccepted),
    )}`
}

function acceptedTable({ accepted }: AuditReport): Markup | undefined {
  if (accepted.length === 0) return undefined
  const left = accepted.length - mostAccepted
  return html`<h3>Known and accepted (${accepted.length.toLocaleString('en')})</h3>
    ${htmlTable<AuditReport['accepted'][number]>(
      'Findings that pictify-keys.yaml accepts, and why',
      [
        {
          head: 'About',
          heads: true,
          value: aboutName,
        },
        { head: 'Severity', value: ({ severity }) => badge(severity) },
        { head: 'Rule', value: ({ rule }) => html`<code>${rule}</code>` },
        { head: 'Found', value: ({ message }) => message },
        { head: 'Why it is accepted', value: ({ reason }) => reason },
      ],
      accepted.slice(0, mostAccepted),
    )}
    ${left > 0 && html`<p class="fine">${left.toLocaleString('en')} more ${left === 1 ? 'is' : 'are'} left out here; --format json has all.</p>`}`
}

/** What was not held against the account; it neither passed nor failed. */
export function skippedTables(report: AuditReport): Piece {
  return [skippedTable(report), leftOutTable(report)]
}

function leftOutTable({ leftOut }: AuditReport): Piece {
  if (leftOut.length === 0) return undefined
  return html`<p>Of some keys these rules know nothing; of the others they were held.</p>
    ${htmlTable<AuditReport['leftOut'][number]>(
      'Keys that rules left out, and why',
      [
        { head: 'Rule', heads: true, value: ({ rule }) => html`<code>${rule}</code>` },
        { head: 'Keys', value: ({ keys }) => keys.toLocaleString('en') },
        { head: 'Why', value: ({ why }) => why },
      ],
      leftOut,
    )}`
}

function skippedTable({ skipped }: AuditReport): Piece {
  if (skipped.length === 0) return html`<p>Every rule in force was held against the account.</p>`
  return html`<p>
      What these rules look for may be there or not: this report does not know. They neither passed nor
      failed.
    </p>
    ${htmlTable<AuditReport['skipped'][number]>(
      'Rules that could not be held, and why',
      [
        { head: 'Rule', heads: true, value: ({ rule }) => html`<code>${rule}</code>` },
        { head: 'Why', value: ({ why }) => why },
      ],
      skipped,
    )}`
}

/** The API's own security checklist, as far as rules can hold it. */
export function checklistTable({ checklist }: AuditReport): Markup {
  const looks: Readonly<Record<CheckedItem['state'], string>> = {
    'in-order': 'good',
    findings: 'error',
    unknown: 'warning',
    'not-checkable': '',
  }
  return htmlTable<CheckedItem>(
    'Each item, and the rules that cover it',
    [
      { head: 'Item', heads: true, value: ({ item }) => item },
      {
        head: 'State',
        value: (item) => html`<span class="badge ${looks[item.state]}">${checkedState(item)}</span>`,
      },
      { head: 'Rules', value: ({ rules }) => (rules.length === 0 ? 'none' : rules.join(', ')) },
      { head: 'What of it is not seen', value: (item) => checkedNote(item) || 'all of it was looked at' },
    ],
    checklist,
  )
}

/** Every rule in force, and what came of it. */
export function ruleTable({ rules, findings, accepted, skipped }: AuditReport): Markup {
  const without = new Set(skipped.map(({ rule }) => rule))
  const count = (list: readonly ReportedFinding[], id: string) =>
    list.filter(({ rule }) => rule === id).length
  return htmlTable<AuditReport['rules'][number]>(
    'Rules in force',
    [
      { head: 'Rule', heads: true, value: ({ id }) => html`<code>${id}</code>` },
      { head: 'Severest', value: ({ severity }) => badge(severity) },
      {
        head: 'What it tells, and how',
        value: ({ summary, help }) => html`${summary}. <span class="fine">${help}</span>`,
      },
      {
        head: 'Outcome',
        value: ({ id }) => {
          if (without.has(id)) return 'skipped'
          const known = count(accepted, id)
          const found = counted(count(findings, id), 'finding')
          return known === 0 ? found : `${found}, ${known} accepted`
        },
      },
    ],
    rules,
  )
}
