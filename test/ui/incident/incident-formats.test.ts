import { describe, expect, test } from 'vitest'
import { drawIncident } from '../../../src/ui/incident/formats.ts'
import { incidentReportText } from '../../../src/ui/incident/text.ts'
import { foldTimeline, rowSentence, unseenFigure } from '../../../src/ui/incident/words.ts'
import { plain } from '../../../src/ui/paint.ts'
import type { TimelineRow } from '../../../src/audit/incident-timeline.ts'
import { useServer } from '../../api/client-fixture.ts'
import { reportOf, sightings } from './incident-report-fixture.ts'

useServer()

const escapes = '\u001b[77J\u202e\u0007'
const markup = `</style><script>alert(1)</script><img src=x onerror=alert(1)>'"`
const links =
  '[x](javascript:alert(1)) ![x](https://evil.example/x.png) @everyone #1 `` ` `` | a\n| b |\n# head'

describe('what a stranger writes into the log', () => {
  test('is no markup of a page, anywhere in it', async () => {
    const page = await drawIncident(await reportOf(`${markup}${escapes}`), 'html', '1.2.3')
    expect(page).not.toMatch(/<script|<img|onerror=alert\(1\)>(?!.*&gt;)|\u001b|\u202e|\u0007/)
    expect(page.match(/<style/g)).toHaveLength(1)
    expect(page.match(/&lt;script&gt;alert\(1\)&lt;\/script&gt;/gi)?.length).toBeGreaterThan(8)
    expect(page).toContain('default-src &#39;none&#39;')
  })

  test('is no link, picture, mention, row or heading of Markdown', async () => {
    const text = await drawIncident(await reportOf(links), 'markdown', '1.2.3')
    expect(text).not.toMatch(/(?<!\\)\]\(/)
    expect(text).not.toContain('@everyone')
    expect(text.split('\n').filter((line) => line.startsWith('# '))).toEqual([])
    const rows = text.split('\n').filter((line) => line.startsWith('| '))
    const cells = new Set(rows.map((row) => row.split(' | ').length))
    expect(
      [...cells].every((count) => [2, 5, 6].includes(count)),
      text,
    ).toBe(true)
  })

  test('acts on no terminal, in a file of text and in JSON', async () => {
    const report = await reportOf(`${escapes}\nforged line`)
    const text = await drawIncident(report, 'text', '1.2.3')
    expect(text).not.toMatch(/[\u001b\u202e\u0007]/)
    expect(text).not.toMatch(/^forged/m)
    const json = await drawIncident(report, 'json', '1.2.3')
    expect(json).not.toMatch(/[\u001b\u202e\u0007]/)
    expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify(report)))
  })
})

describe('text', () => {
  test.each([40, 80, 120])('fits %i columns, but for lines of prose and commands', async (width) => {
    const report = await reportOf('198.51.100.9')
    const lines = incidentReportText(report, { width, paint: plain }).split('\n')
    const rows = lines.filter((line) => /^\S.*\d{4}-\d\d-\d\d \d\d:\d\d/.test(line))
    expect(rows.length).toBeGreaterThan(0)
    for (const row of rows) expect(row.length, row).toBeLessThanOrEqual(width)
    expect(lines).toContain('   pictify-keys rotate key_abc123 --compromised --revoke-first')
    expect(lines.at(-1)).toContain('pictify-keys rotate')
  })

  test('why something is unlike the past, and what is new, is said whole at 80 columns', async () => {
    const report = await reportOf('198.51.100.9')
    const text = incidentReportText(report, { width: 80, paint: plain })
    expect(text).toContain('\n  never seen in 336 requests of 28 days before\n')
    expect(text).toMatch(/\n {2}.*new network 198\.51\.100\.0\/24; new program 198\.51\.100\.9/)
  })

  test('says how many more there are of what it leaves out', async () => {
    const report = await reportOf('198.51.100.9')
    const { audit } = report.incident
    if (audit !== null) audit.addresses = sightings(13)
    const text = incidentReportText(report, { width: 100, paint: plain })
    expect(text).toContain('and 3 more: --format json has them')
    expect(text).toContain('and 2 more')
  })

  test('a past that is not known is not called as ever, nor an absent log nothing', async () => {
    const report = await reportOf('x')
    const none = { past: null, unlike: [], spent: { ...report.incident.spent, unseen: null } }
    const young = incidentReportText(
      { ...report, incident: { ...report.incident, ...none } },
      { width: 100, paint: plain },
    )
    expect(young).toContain('what is new cannot be told')
    const without = { ...report.incident, ...none, audit: null, timeline: null }
    const absent = incidentReportText(
      { ...report, incident: { ...without, reach: { ...without.reach, endpoints: null } } },
      { width: 100, paint: plain },
    )
    expect(absent).toContain('which is not the same as nothing')
    expect(absent).toContain('what was called is not known')
    expect(absent).not.toContain('nothing in the audit log')
  })
})

describe('the timeline, folded', () => {
  const row = (hour: number, fields: Partial<TimelineRow> = {}): TimelineRow => {
    const at = (hours: number) => new Date(Date.UTC(2026, 2, 1, hours)).toISOString()
    const count = { requests: 1, failed: 0, refused: 0, unseen: 0, unkept: 0, marks: [], marksLeftOut: 0 }
    return { kind: 'hour', from: at(hour), until: at(hour + 1), ...count, ...fields }
  }

  test('keeps every request, and no row with a mark is put to another', () => {
    const mark = { at: row(3).from, kind: 'new-network' as const, value: '203.0.113.0/24' }
    const rows = [
      row(0),
      row(1, { kind: 'quiet', requests: 0 }),
      row(2),
      row(3, { marks: [mark], unseen: 1 }),
      row(4, { unseen: 1 }),
      row(5, { unseen: 1 }),
      row(6),
    ]
    const folded = foldTimeline(rows)
    expect(
      folded.map(({ kind, requests, from, until }) => [
        kind,
        requests,
        from.slice(11, 13),
        until.slice(11, 13),
      ]),
    ).toEqual([
      ['usual', 2, '00', '03'],
      ['unseen', 1, '03', '04'],
      ['unseen', 2, '04', '06'],
      ['usual', 1, '06', '07'],
    ])
    expect(rows).toHaveLength(7)
    expect(rows[0]?.requests).toBe(1)
  })

  test('callers that were not kept are not called known, nor counted as such', () => {
    const folded = foldTimeline([
      row(0),
      row(1, { unseen: null, unkept: 1 }),
      row(2, { unseen: null, unkept: 1 }),
      row(3, { requests: 2, unseen: 1, unkept: 1 }),
    ])
    expect(folded.map((each) => [rowSentence(each), unseenFigure(each)])).toEqual([
      ['by known callers alone', '0'],
      ['callers of 2 requests not kept', ''],
      ['also by callers never seen before; callers of 1 request not kept', '1+'],
    ])
  })

  test('begins anew with each day', () => {
    const folded = foldTimeline([row(22), row(23), row(24), row(25)])
    expect(folded.map(({ requests }) => requests)).toEqual([2, 2])
  })
})
