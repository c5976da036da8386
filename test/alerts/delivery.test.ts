import { describe, expect, it } from 'vitest'
import { attempted, type Delivery, dueMessages, mostAlone, plan } from '../../src/alerts/delivery.ts'
import type { AlertIncident } from '../../src/alerts/incident.ts'
import { counter, incidentOf, ruleOf } from './fixture.ts'

const at = Date.parse('2026-03-01T12:00:00Z')

function planned(incidents: AlertIncident[], notifiers = ['slack', 'mail'], rules = [ruleOf()], now = at) {
  return plan({ incidents, rules, notifiers, at: now, newId: counter() })
}
function delivery(fields: Partial<Delivery> = {}): Delivery {
  const standard = { notifier: 'slack', about: 'firing', messageId: 'msg_1' } as const
  return { ...standard, attempts: 1, sentAt: '2026-03-01T12:00:01.000Z', problem: null, ...fields }
}
const told = (incidents: readonly AlertIncident[]) =>
  dueMessages(incidents, [ruleOf()]).map(({ notifier, about, incidents: own }) => [
    notifier,
    about,
    own.length,
  ])
const over = (deliveries: Delivery[]) =>
  incidentOf({
    state: 'recovered',
    recovery: 'quiet',
    recoveredAt: '2026-03-01T12:00:00.000Z',
    deliveries,
  })

describe('who is told', () => {
  it('every notifier once, under an id that stays', () => {
    const first = planned([incidentOf()])
    expect(told(first)).toEqual([
      ['slack', 'firing', 1],
      ['mail', 'firing', 1],
    ])
    expect(planned(first)).toEqual(first)
    const [message] = dueMessages(first, [ruleOf()])
    const sent = attempted(first, message ?? { id: '' }, {
      sentAt: '2026-03-01T12:00:01.000Z',
      problem: null,
    })
    expect(told(planned(sent))).toEqual([['mail', 'firing', 1]])
  })

  it('the notifiers that the rule names; nobody of what is pending', () => {
    expect(told(planned([incidentOf()], undefined, [ruleOf({ notify: ['mail'] })]))).toEqual([
      ['mail', 'firing', 1],
    ])
    expect(told(planned([incidentOf({ state: 'pending', firedAt: null })]))).toEqual([])
  })

  it('what one did not take again, under the same id, and not the one that took it', () => {
    const deliveries = [
      delivery(),
      delivery({ notifier: 'mail', messageId: 'msg_2', sentAt: null, problem: 'it is down' }),
    ]
    expect(dueMessages(planned([incidentOf({ deliveries })]), [])).toMatchObject([
      { id: 'msg_2', notifier: 'mail' },
    ])
  })

  it('that it is over: those who heard of it, and those who may have', () => {
    const deliveries = [delivery(), delivery({ notifier: 'mail', messageId: 'msg_2', sentAt: null })]
    expect(told(planned([over(deliveries)]))).toEqual([
      ['slack', 'recovered', 1],
      ['mail', 'recovered', 1],
    ])
    expect(told(planned([over([delivery()])]))).toEqual([['slack', 'recovered', 1]])
  })

  it('that it is over also where the rule is gone, or names others by now', () => {
    expect(told(planned([over([delivery()])], undefined, []))).toEqual([['slack', 'recovered', 1]])
    const others = [ruleOf({ notify: ['mail'] })]
    expect(told(planned([over([delivery()])], undefined, others))).toEqual([['slack', 'recovered', 1]])
  })

  it('nobody who is not in the file any more; one who is new of what is open', () => {
    expect(told(planned([incidentOf({ deliveries: [delivery({ sentAt: null })] })], ['mail']))).toEqual([
      ['mail', 'firing', 1],
    ])
  })
})

describe('a reminder', () => {
  const hour = 3_600_000
  const rules = [ruleOf({ remindAfterMs: 24 * hour })]
  const sent = (...incidents: AlertIncident[]) => planned(incidents, ['slack'], rules, at + 24 * hour)

  it('is told once that time after the last message, and again after as long', () => {
    const open = incidentOf({ deliveries: [delivery({ sentAt: new Date(at).toISOString() })] })
    expect(told(planned([open], ['slack'], rules, at + 24 * hour - 1))).toEqual([])
    expect(told(planned([open], ['slack'], [ruleOf()], at + 99 * hour))).toEqual([])
    const [reminded] = sent(open)
    expect(told([reminded ?? open])).toEqual([['slack', 'reminder', 1]])
    // one that is due is not made due anew
    expect(sent(reminded ?? open)).toEqual([reminded])
    const [message] = dueMessages([reminded ?? open], rules)
    const sentAt = new Date(at + 24 * hour).toISOString()
    const done = attempted([reminded ?? open], message ?? { id: '' }, { sentAt, problem: null })
    expect(told(planned(done, ['slack'], rules, at + 47 * hour))).toEqual([])
    const again = planned(done, ['slack'], rules, at + 48 * hour)
    expect(told(again)).toEqual([['slack', 'reminder', 1]])
    expect(again[0]?.deliveries).toHaveLength(2)
  })

  it('is for those who were told; what is over is told once', () => {
    const mail = delivery({ notifier: 'mail', messageId: 'msg_2', sentAt: null })
    const open = incidentOf({ deliveries: [mail] })
    expect(told(planned([open], ['mail'], rules, at + 99 * hour))).toEqual([['mail', 'firing', 1]])
    const reminder = delivery({ about: 'reminder', messageId: 'msg_3', sentAt: null })
    expect(told(planned([over([delivery(), reminder])], ['slack'], rules))).toEqual([
      ['slack', 'recovered', 1],
    ])
  })
})

it('what is over is forgotten when all are told, and after a week in any case', () => {
  expect(planned([over([delivery(), delivery({ about: 'recovered', messageId: 'msg_2' })])])).toEqual([])
  const due = [delivery({ about: 'recovered', messageId: 'msg_2', sentAt: null })]
  expect(planned([over(due)])).toHaveLength(1)
  expect(planned([over(due)], undefined, undefined, at + 8 * 86_400_000)).toEqual([])
})

it('very many that fire at once are one message, which stays one', () => {
  const many = (count: number) =>
    Array.from({ length: count }, (_, index) =>
      incidentOf({ id: `alert_${index}`, key: { id: `key_${index}`, name: 'K', type: 'live' } }),
    )
  expect(told(planned(many(mostAlone), ['slack']))).toHaveLength(mostAlone)
  const together = planned(many(mostAlone + 1), ['slack'])
  expect(told(together)).toEqual([['slack', 'firing', mostAlone + 1]])
  const [message] = dueMessages(together, [])
  const failed = attempted(together, message ?? { id: '' }, { sentAt: null, problem: 'it is down' })
  expect(dueMessages(planned(failed, ['slack']), [])[0]?.id).toBe(message?.id)
  const sent = attempted(failed, message ?? { id: '' }, { sentAt: '2026-03-01T12:00:01.000Z', problem: null })
  expect(told(planned(sent, ['slack']))).toEqual([])
})
