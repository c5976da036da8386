import { expect, it } from 'vitest'
import { reportOf } from '../../../src/alerts/report.ts'
import type { Recovery } from '../../../src/alerts/incident.ts'
import { changeLine, checkText } from '../../../src/ui/alerts/table.ts'
import { plain } from '../../../src/ui/paint.ts'
import { surveyedAt } from '../../audit/survey-fixture.ts'
import { incidentOf, judgementOf } from '../../alerts/fixture.ts'

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
