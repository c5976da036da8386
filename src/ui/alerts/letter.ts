// Rules of this file:
// - one thing is said in every form: what fires, of which key, by how much, since when, and what to do next;
// - whatever comes from outside is one line of text in each of them, and no secret is in any.
import type { Delivery, Message } from '../../alerts/delivery.ts'
import type { AlertIncident } from '../../alerts/incident.ts'
import type { Letter } from '../../alerts/notifier.ts'
import type { AlertCondition } from '../../fleet/fleet.ts'
import { redact } from '../../secret.ts'
import { mapStrings, oneLine } from '../text.ts'
import { firingText } from './firing.ts'
import { htmlOf } from './mail.ts'
import { overText, recoveryText } from './recovery.ts'
import { slackOf } from './slack.ts'

/** A message as it is told, in words; every text is safe to show. */
export interface Told {
  about: Delivery['about'] | 'test'
  /** `busy: Production Server (key_abc): 1,240 requests in 24h, more than 1,000`. */
  headline: string
  rows: readonly ToldIncident[]
  /** How many are not in `rows`. */
  more: number
  /** Command lines that can be pasted. */
  commands: readonly string[]
  foot: string
}

export interface ToldIncident {
  key: string
  what: string
  details: readonly string[]
  /** `since`, and `over since`, with their instants. */
  times: readonly (readonly [string, string])[]
}

export interface LetterFacts {
  /** Unix ms. */
  at: number
  apiUrl: string
  commandsFor(kind: AlertCondition['kind'] | undefined, key: { id: string; name: string }): readonly string[]
}

const mostRows = 10
/** What a program is sent of those that fire together. */
const mostData = 100
const longestHeadline = 200

export function letterOf(message: Message, facts: LetterFacts): Letter {
  const safe = (text: string) => redact(oneLine(text))
  const { about, incidents, rule, id } = message
  const [first] = incidents
  const kind = rule?.condition.kind
  const ruleName = first?.rule ?? ''
  const isOver = about === 'recovered'
  const subject =
    incidents.length === 1 && first !== undefined
      ? `${first.key.name} (${first.key.id}): ${isOver ? recoveryText(first) : firingText(first)}`
      : `${incidents.length} keys`
  const told: Told = mapStrings(
    {
      about,
      headline: shortened(`${ruleName}: ${subject}`),
      rows: incidents.slice(0, mostRows).map((incident) => rowOf(incident, isOver)),
      more: Math.max(0, incidents.length - mostRows),
      commands: isOver || first === undefined ? [] : facts.commandsFor(kind, first.key),
      foot: `pictify-keys alerts, of the account at ${facts.apiUrl}`,
    },
    safe,
  )
  const data = {
    type: `alert.${about}`,
    timestamp: new Date(facts.at).toISOString(),
    data: {
      rule: ruleName,
      condition: kind ?? null,
      apiUrl: facts.apiUrl,
      incidents: incidents.slice(0, mostData).map(dataOf),
      more: Math.max(0, incidents.length - mostData),
      commands: told.commands,
    },
  }
  const follows =
    about === 'firing'
      ? undefined
      : first?.deliveries.find((each) => isFiring(each, message.notifier))?.messageId
  return { ...formsOf(told), id, follows, at: facts.at, data: mapStrings(data, redactOnly) }
}

/** What `alerts test` sends. */
export function testLetter(id: string, { at, apiUrl }: Pick<LetterFacts, 'at' | 'apiUrl'>): Letter {
  const told: Told = {
    about: 'test',
    headline: 'this is how alerts reach you',
    rows: [],
    more: 0,
    commands: ['pictify-keys alerts list'],
    foot: `pictify-keys alerts test, for the account at ${redact(oneLine(apiUrl))}`,
  }
  const data = { type: 'alert.test', timestamp: new Date(at).toISOString(), data: { apiUrl } }
  return { ...formsOf(told), id, follows: undefined, at, data }
}

function formsOf(told: Told) {
  return {
    subject: `[${wordFor(told.about)}] ${told.headline}`,
    text: textOf(told),
    html: htmlOf(told),
    slack: slackOf(told),
  }
}

export function wordFor(about: Told['about']): string {
  return { firing: 'firing', reminder: 'still firing', recovered: 'over', test: 'test' }[about]
}

function rowOf(incident: AlertIncident, isOver: boolean): ToldIncident {
  const { key, measured, since, recoveredAt } = incident
  return {
    key: `${key.name} (${key.id}, ${key.type})`,
    what: isOver ? overText(incident) : firingText(incident),
    details: isOver ? [] : measured.details,
    times: [
      ['since', instant(since)],
      ...(recoveredAt === null ? [] : [['over', instant(recoveredAt)] as const]),
    ],
  }
}

function textOf({ headline, about, rows, more, commands, foot }: Told): string {
  const lines = [`${wordFor(about)}: ${headline}`, '']
  for (const { key, what, details, times } of rows) {
    const facts = [['key', key], ['what', what], ...details.map((each) => ['', each]), ...times]
    lines.push(...facts.map(([name = '', value = '']) => `  ${name.padEnd(6)} ${value}`), '')
  }
  if (more > 0) lines.push(`  and ${more} more; pictify-keys alerts list shows them`, '')
  if (commands.length > 0) lines.push('What to do next:', '', ...commands.map((each) => `  ${each}`), '')
  return `${[...lines, '-- ', foot].join('\n')}\n`
}

function dataOf({ id, key, since, firedAt, recoveredAt, recovery, measured, added }: AlertIncident) {
  return { id, key, since, firedAt, recoveredAt, recovery, ...measured, added }
}

function isFiring({ notifier, about, attempts }: Delivery, name: string): boolean {
  return notifier === name && about === 'firing' && attempts > 0
}

/** A program gets the text as it is; JSON keeps it in its place. */
function redactOnly(text: string): string {
  return redact(text)
}

function shortened(text: string): string {
  const characters = [...text]
  return characters.length > longestHeadline ? `${characters.slice(0, longestHeadline - 1).join('')}…` : text
}

function instant(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`
}
