// Rules of this file:
// - who is to be told what is written down before anything is sent, and stays until it was sent: a message may come twice,
//   with one id, and none is lost;
// - whoever may have been told that something fires is told that it is over.
import type { AlertRule } from '../fleet/fleet.ts'
import type { AlertIncident } from './incident.ts'

/** One thing that one notifier is to be told of an incident. */
export interface Delivery {
  notifier: string
  about: 'firing' | 'reminder' | 'recovered'
  /** The same for every attempt; of very many that fire at once, all have one. */
  messageId: string
  attempts: number
  sentAt: string | null
  /** Why the last attempt failed; never a secret. */
  problem: string | null
}

/** What one notifier is told at once. */
export interface Message {
  id: string
  notifier: string
  about: Delivery['about']
  rule: AlertRule | undefined
  /** One, or those that fire (or recover) together. */
  incidents: readonly AlertIncident[]
}

/** From more than so many on, what a rule has new in one check is told in one message. */
export const mostAlone = 5
/** How long it is tried to tell of what is over. */
const givenUpMs = 7 * 86_400_000

interface Given {
  incidents: readonly AlertIncident[]
  rules: readonly AlertRule[]
  /** Every notifier of the file, by name. */
  notifiers: readonly string[]
  at: number
  newId: () => string
}

/** The incidents with all that is to be told of them; those that nobody is to be told of any more are left out. */
export function plan({ incidents, rules, notifiers, at, newId }: Given): AlertIncident[] {
  const planned = incidents.map((incident) => {
    const rule = rules.find(({ name }) => name === incident.rule)
    const kept = incident.deliveries.filter(({ notifier }) => notifiers.includes(notifier))
    return { ...incident, deliveries: owed(incident, rule, rule?.notify ?? notifiers, kept, at) }
  })
  return together(planned, newId).filter((incident) => {
    if (incident.state !== 'recovered') return true
    const isOld = at - Date.parse(incident.recoveredAt ?? '') > givenUpMs
    return !isOld && incident.deliveries.some(({ sentAt }) => sentAt === null)
  })
}

/** Without ids for what is new. */
function owed(
  { state }: AlertIncident,
  rule: AlertRule | undefined,
  wanted: readonly string[],
  kept: readonly Delivery[],
  at: number,
): Delivery[] {
  if (state === 'pending') return []
  const has = (notifier: string, about: Delivery['about']) =>
    kept.some((each) => each.notifier === notifier && each.about === about)
  if (state === 'firing') {
    if (rule === undefined) return [...kept]
    const missing = wanted.filter((notifier) => !has(notifier, 'firing'))
    const told = withReminders(kept, wanted, at - (rule.remindAfterMs ?? Infinity))
    return [...told, ...missing.map((notifier) => fresh(notifier, 'firing'))]
  }
  const told = kept.filter(({ about }) => about === 'firing').map(({ notifier }) => notifier)
  // what was not told of it before is in the message that it is over
  const done = kept.filter(({ about, sentAt }) => about === 'recovered' || sentAt !== null)
  return [
    ...done,
    ...told.filter((notifier) => !has(notifier, 'recovered')).map((each) => fresh(each, 'recovered')),
  ]
}

/** A reminder for each who was told last at an instant or before it, in place of the last one. */
function withReminders(kept: readonly Delivery[], wanted: readonly string[], lastAt: number): Delivery[] {
  const due = wanted.filter((notifier) => {
    const own = kept.filter((each) => each.notifier === notifier)
    return own.length > 0 && own.every(({ sentAt }) => sentAt !== null && Date.parse(sentAt) <= lastAt)
  })
  const others = kept.filter(({ notifier, about }) => about !== 'reminder' || !due.includes(notifier))
  return [...others, ...due.map((notifier) => fresh(notifier, 'reminder'))]
}

function fresh(notifier: string, about: Delivery['about']): Delivery {
  return { notifier, about, messageId: '', attempts: 0, sentAt: null, problem: null }
}

/** Gives what is new its ids: each its own, or many one. */
function together(incidents: readonly AlertIncident[], newId: () => string): AlertIncident[] {
  const groups = new Map<string, number>()
  const ids = new Map<string, string>()
  const groupOf = (rule: string, { notifier, about }: Delivery) => JSON.stringify([rule, notifier, about])
  for (const { rule, deliveries } of incidents) {
    for (const delivery of deliveries) {
      if (delivery.messageId !== '') continue
      const group = groupOf(rule, delivery)
      groups.set(group, (groups.get(group) ?? 0) + 1)
    }
  }
  return incidents.map((incident) => ({
    ...incident,
    deliveries: incident.deliveries.map((delivery) => {
      if (delivery.messageId !== '') return delivery
      const group = groupOf(incident.rule, delivery)
      if ((groups.get(group) ?? 0) <= mostAlone) return { ...delivery, messageId: newId() }
      const shared = ids.get(group) ?? newId()
      ids.set(group, shared)
      return { ...delivery, messageId: shared }
    }),
  }))
}

/** What is still to be sent, oldest first. */
export function dueMessages(incidents: readonly AlertIncident[], rules: readonly AlertRule[]): Message[] {
  const due = new Map<string, { delivery: Delivery; incidents: AlertIncident[] }>()
  for (const incident of incidents) {
    for (const delivery of incident.deliveries) {
      if (delivery.sentAt !== null) continue
      const known = due.get(delivery.messageId)
      if (known === undefined) due.set(delivery.messageId, { delivery, incidents: [incident] })
      else known.incidents.push(incident)
    }
  }
  return [...due.values()].map(({ delivery, incidents: told }) => ({
    id: delivery.messageId,
    notifier: delivery.notifier,
    about: delivery.about,
    rule: rules.find(({ name }) => name === told[0]?.rule),
    incidents: told,
  }))
}

/** The incidents after an attempt to send a message. */
export function attempted(
  incidents: readonly AlertIncident[],
  { id }: Pick<Message, 'id'>,
  outcome: Pick<Delivery, 'sentAt' | 'problem'>,
): AlertIncident[] {
  return incidents.map((incident) => {
    if (!incident.deliveries.some(({ messageId }) => messageId === id)) return incident
    const deliveries = incident.deliveries.map((delivery) => {
      if (delivery.messageId !== id) return delivery
      const { attempts } = delivery
      return { ...delivery, attempts: attempts + 1, ...outcome }
    })
    return { ...incident, deliveries }
  })
}
