// What the keys file accepts, and what rules know nothing of, in every format of an audit.
import { expect, test } from 'vitest'
import type { Acceptance } from '../../../src/fleet/fleet.ts'
import { auditCsv } from '../../../src/ui/audit/csv.ts'
import { auditHtml } from '../../../src/ui/audit/html.ts'
import { auditMarkdown } from '../../../src/ui/audit/markdown.ts'
import { auditSarif } from '../../../src/ui/audit/sarif.ts'
import { auditTable } from '../../../src/ui/audit/table.ts'
import { plain } from '../../../src/ui/paint.ts'
import { rule, subject } from './subject-fixture.ts'

const accept: Acceptance[] = [
  { line: 4, rule: 'key-age', key: 'key_0', reason: 'it is replaced in May', until: undefined },
  { line: 5, rule: 'key-age', key: 'key_9', reason: 'gone next week', until: Date.UTC(2026, 0, 1) },
]
const keys = subject({ rules: [] }).survey.keys
const key = { ...keys[0], id: 'key_0', name: 'Production', type: 'live' as const }
const own = subject({
  accept,
  rules: [
    {
      ...rule('key-age', 'error', [
        { rule: 'key-age', severity: 'error', key, message: 'it is old', evidence: {}, mend: undefined },
      ]),
      leftOut: () => [{ keys: 3, why: 'their age is not known' }],
    },
  ],
})

const formats: [string, () => string][] = [
  ['the table', () => auditTable(own, { paint: plain })],
  ['csv', () => auditCsv(own)],
  ['markdown', () => auditMarkdown(own)],
  ['sarif', () => auditSarif(own)],
  ['html', () => auditHtml(own)],
]

test.each(formats)('%s has what is accepted and why, what that is over, and what is left out', (_, draw) => {
  const text = draw()
  for (const said of ['it is replaced in May', 'ended on 2025-12-31', 'their age is not known'])
    expect(text).toContain(said)
})

test('the table has a part of its own for what is accepted', () => {
  expect(auditTable(own, { paint: plain }).split('\n\n')[0]).toBe(
    [
      'accepted: known and meant, as the keys file says',
      '  key-age, Production (key_0): it is old',
      '    it is replaced in May',
      '  key-age of key_9: ended on 2025-12-31',
    ].join('\n'),
  )
})
