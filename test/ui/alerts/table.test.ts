import { expect, it } from 'vitest'
import { reportOf } from '../../../src/alerts/report.ts'
import type { Recovery } from '../../../src/alerts/incident.ts'
import { changeLine, checkText } from '../../../src/ui/alerts/table.ts'
import { plain } from '../../../src/ui/paint.ts'
import { surveyedAt } from '../../audit/survey-fixture.ts'
import { incidentOf, judgementOf, measuredOf, quiet } from '../../alerts/fixture.ts'

function reportOfOver(recovery: Recovery) {
  const before = incidentOf()
  const after = incidentOf({ state: 'recovered', recovery, recoveredAt: '2026-03-01T12:00:00.000Z' })
  return reportOf({
    survey: { at: surveyedAt, apiUrl: 'https://api.pictify.test' },
    judgements: [judgementOf({})],
    before: [before],
    after: [after],
    incidents: [],
    notifiers: [],
    sent: [],
  })
}

it.each<[Recovery, string]>([
  ['quiet', 'it is as it is to be; it was: 1240 requests in 24h, more than 1,000'],
  ['key-revoked', 'the key is revoked; it was: 1240 requests in 24h, more than 1,000'],
])('what is over (%s) says why, and that the figures are of before', (recovery, text) => {
  const report = reportOfOver(recovery)
  expect(checkText(report, { width: Infinity, paint: plain })).toContain(text)
  expect(changeLine(report)).toBe(
    `1 rule, 0 firing, 1 over; over: busy: Production Server (key_abc123): ${text}`,
  )
})

it('what is with a key stands whole below it where there is no room beside it', () => {
  const message = 'p95 1,240 ms in 24h (3,400 requests), more than 800 ms'
  const long = incidentOf({
    id: 'alert_2',
    measured: { ...measuredOf(1), message, places: ['US', 'KP'] },
    added: ['KP'],
  })
  const given = {
    survey: { at: surveyedAt, apiUrl: '' },
    judgements: [judgementOf({})],
    before: [],
    notifiers: [],
  }
  const report = reportOf({ ...given, after: [incidentOf(), long], incidents: [], sent: [] })
  const [head = '', ...lines] = checkText(report, { width: 80, paint: plain }).split('\n')
  expect(head).not.toContain('WHAT')
  expect(lines.slice(0, 5)).toEqual([
    expect.stringMatching(/^firing +busy +Production Server +key_abc123 +just now$/),
    '  1240 requests in 24h, more than 1,000',
    expect.stringMatching(/^firing +busy/),
    `  ${message}; new since it was told:`,
    '  KP',
  ])
  const [wide = '', first = ''] = checkText(report, { width: 200, paint: plain }).split('\n')
  expect(wide).toMatch(/WHAT$/)
  expect(first).toMatch(/ 1240 requests in 24h, more than 1,000$/)
})

it('keys of which a rule can tell nothing are counted, with why', () => {
  const verdicts = {
    key_a: quiet,
    key_b: { state: 'unknown', why: 'it is looked at for the first time' },
  } as const
  const given = {
    survey: { at: surveyedAt, apiUrl: '' },
    before: [],
    after: [],
    incidents: [],
    notifiers: [],
  }
  const report = reportOf({ ...given, judgements: [judgementOf(verdicts)], sent: [] })
  const text = checkText(report, { width: 80, paint: plain })
  expect(text).toContain('1 rule, 0 firing, 1 unknown')
  expect(text).toMatch(/busy +1 of 2 +it is looked at for the first time/)
})

it('of very many the first are shown, and how many more there are', () => {
  const after = Array.from({ length: 1_203 }, (_, index) => incidentOf({ id: `alert_${index}` }))
  const given = {
    survey: { at: surveyedAt, apiUrl: '' },
    judgements: [judgementOf({})],
    before: [],
    notifiers: [],
  }
  const text = checkText(reportOf({ ...given, after, incidents: [], sent: [] }), { width: 80, paint: plain })
  expect(text.match(/^firing /gm)).toHaveLength(200)
  expect(text).toContain('\nand 1,003 more; --json has them all\n\n1 rule, 1203 firing')
})
