import PostalMime from 'postal-mime'
import { describe, expect, it } from 'vitest'
import type { Message } from '../../../src/alerts/delivery.ts'
import type { AlertIncident } from '../../../src/alerts/incident.ts'
import { letterOf } from '../../../src/ui/alerts/letter.ts'
import { incidentOf, ruleOf } from '../../alerts/fixture.ts'

const facts = {
  at: Date.parse('2026-03-01T12:00:00Z'),
  apiUrl: 'https://api.pictify.test',
  commandsFor: (_: unknown, { id: keyId }: { id: string }) => [
    `pictify-keys incident ${keyId}`,
    `pictify-keys rotate ${keyId} --compromised`,
  ],
}
const messageOf = (incidents: AlertIncident[], fields: Partial<Message> = {}): Message => ({
  id: 'msg_1',
  notifier: 'team',
  about: 'firing',
  rule: ruleOf(),
  incidents,
  ...fields,
})
const letter = (incidents: AlertIncident[], fields?: Partial<Message>) =>
  letterOf(messageOf(incidents, fields), facts)

interface Block {
  type: string
  text?: { type: string; text: string }
  fields?: { type: string; text: string; emoji: boolean }[]
  elements?: { type: string; text?: string; elements?: { text: string }[] }[]
}
const blocksOf = (slack: object) => (slack as { blocks: Block[]; text: string }).blocks

it('says what fires, of which key, against which limit, since when, and what to do next', () => {
  const { subject, text, html, slack, data } = letter([incidentOf()])
  expect(subject).toBe('[firing] busy: Production Server (key_abc123): 1240 requests in 24h, more than 1,000')
  expect(text).toBe(`firing: busy: Production Server (key_abc123): 1240 requests in 24h, more than 1,000

  key    Production Server (key_abc123, live)
  what   1240 requests in 24h, more than 1,000
  since  2026-03-01 12:00 UTC

What to do next:

  pictify-keys incident key_abc123
  pictify-keys rotate key_abc123 --compromised

-- 
pictify-keys alerts, of the account at https://api.pictify.test
`)
  for (const said of [
    'Production Server (key_abc123, live)',
    '1240 requests',
    '2026-03-01 12:00 UTC',
    '--compromised',
  ]) {
    expect(html).toContain(said)
    expect(JSON.stringify(slack)).toContain(said)
  }
  expect(html).not.toMatch(/<a |<img|https?:\/\/(?!api\.pictify\.test)/)
  expect(data).toMatchObject({
    type: 'alert.firing',
    timestamp: '2026-03-01T12:00:00.000Z',
    data: {
      rule: 'busy',
      condition: 'requests',
      incidents: [{ id: 'alert_1', key: { id: 'key_abc123' }, unit: 'requests', value: 1_240, limit: 1_000 }],
    },
  })
})

it('says that it is over, why, and what it was; in the thread of what it follows', () => {
  const told = {
    notifier: 'team',
    about: 'firing',
    messageId: 'msg_0',
    attempts: 1,
    sentAt: null,
    problem: null,
  } as const
  const over = incidentOf({
    state: 'recovered',
    recovery: 'key-revoked',
    recoveredAt: '2026-03-01T13:00:00.000Z',
    deliveries: [told],
  })
  const { subject, text, follows, data } = letter([over], { about: 'recovered' })
  expect(subject).toBe('[over] busy: Production Server (key_abc123): the key is revoked')
  expect(text).toContain('over   2026-03-01 13:00 UTC')
  expect(text).toContain('it was: 1240 requests')
  expect(text).not.toContain('What to do next')
  expect(follows).toBe('msg_0')
  expect(data).toMatchObject({ type: 'alert.recovered', data: { incidents: [{ recovery: 'key-revoked' }] } })
})

describe('hostile words', () => {
  const name =
    'Evil\r\nBcc: x@evil.example\u202e <!channel> <script>alert(1)</script> *b* `c` & \u001b[31m pk_live_0123456789abcdefghij'
  const hostile = incidentOf({ key: { id: 'key_abc123', name, type: 'live' } })
  const { subject, text, html, slack } = letter([hostile])

  it('stay on their line in a subject and a text', () => {
    expect(subject).not.toMatch(/[\r\n\u202e\u001b]/)
    expect(text.split('\n').filter((line) => line.startsWith('Bcc'))).toEqual([])
  })

  it('are text in HTML', async () => {
    expect(html).toContain('&lt;script&gt;')
    expect(html).not.toContain('<script')
    const { html: read } = await PostalMime.parse(`Content-Type: text/html\r\n\r\n${html}`)
    expect(read).not.toContain('<script')
  })

  it('stand in Slack’s plain text alone, escaped', () => {
    const whole = JSON.stringify(slack)
    expect(whole).not.toContain('<!channel>')
    expect(whole).toContain('&lt;!channel&gt;')
    expect(whole).not.toContain('"type":"mrkdwn"')
    for (const { text: head, fields = [] } of blocksOf(slack)) {
      for (const each of [head, ...fields]) if (each) expect(each.type).toBe('plain_text')
    }
  })

  it('show no secret, in no form', () => {
    const { data } = letter([hostile])
    expect(JSON.stringify([subject, text, html, slack, data])).not.toContain('0123456789abcdefghij')
  })
})

describe('within what Slack takes', () => {
  it('however long the words are', () => {
    const long = incidentOf({ key: { id: 'key_abc123', name: '&'.repeat(5_000), type: 'live' } })
    for (const { type, text, fields = [] } of blocksOf(letter([long]).slack)) {
      if (type === 'header') expect(text?.text.length).toBeLessThanOrEqual(150)
      expect(text?.text ?? '').not.toMatch(/&[a-z]*…$/)
      for (const field of fields) expect(field.text.length).toBeLessThanOrEqual(2_000)
    }
  })

  it('however many there are: some are shown, all are counted', () => {
    const many = Array.from({ length: 1_000 }, (_, index) =>
      incidentOf({ id: `alert_${index}`, key: { id: `key_${index}`, name: `Key ${index}`, type: 'live' } }),
    )
    const { slack, text, subject, data } = letter(many)
    expect(subject).toBe('[firing] busy: 1000 keys')
    expect(blocksOf(slack).length).toBeLessThanOrEqual(50)
    expect(JSON.stringify(slack)).toContain('and 990 more')
    expect(text).toContain('and 990 more')
    expect(data).toMatchObject({ data: { more: 900 } })
  })
})
