// The sentences that every format of an incident says. Texts of the server are in them as they came: each format cleans them.
import type { Incident, IncidentAudit } from '../../audit/incident.ts'
import type { Mark, TimelineRow } from '../../audit/incident-timeline.ts'
import type { Unlike } from '../../audit/incident-unlike.ts'
import { formatDuration } from '../../duration.ts'

export const unlikeNouns: Readonly<Record<Unlike['kind'], string>> = {
  network: 'network',
  program: 'program',
  endpoint: 'endpoint',
  country: 'country',
  hour: 'hour',
  requests: 'requests',
  'error-rate': 'failed',
}

const markWords: Readonly<Record<Mark['kind'], string>> = {
  created: 'the key was created',
  revoked: 'the key was revoked',
  'rotation-started': 'rotation began:',
  'rotation-finished': 'rotation ended:',
  since: 'the incident counts from here',
  'new-network': 'new network',
  'new-program': 'new program',
  'new-endpoint': 'new endpoint',
  'many-requests': 'far more requests than is usual:',
}

/** `2026-03-01 11:55`, in UTC. */
export function minute(instant: string | null): string {
  const at = Date.parse(instant ?? '')
  if (Number.isNaN(at)) return instant ?? ''
  const text = new Date(at).toISOString()
  return `${text.slice(0, 10)} ${text.slice(11, 16)}`
}

export function figure(count: number): string {
  return count.toLocaleString('en')
}

export function counted(count: number, noun: string): string {
  return `${figure(count)} ${noun}${count === 1 ? '' : 's'}`
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(share > 0 && share < 0.01 ? 2 : 1)} %`
}

export function nameOf({ key, keyId }: Incident): string {
  return key === null ? keyId : `${key.name} (${keyId})`
}

/** `live, full access, active`. */
export function stateOf({ key }: Incident): string {
  if (key === null) return 'deleted: the account does not have it any more'
  const access = key.access === null ? [] : [`${key.access} access`]
  const revoked = key.revokedAt === null ? '' : ` since ${minute(key.revokedAt)} UTC`
  return [key.type, ...access, `${key.status}${revoked}`].join(', ')
}

/** What came of it, the worst first. */
export function verdictOf(incident: Incident): string[] {
  const { audit, past, unlike, unlikeLeftOut, spent, key } = incident
  const said: string[] = []
  if (key?.status === 'active') said.push('the key still works')
  if (audit === null) {
    said.push('the API keeps no audit log: what the key did is not known, which is not the same as nothing')
    if (unlike.length > 0) said.push(`${counted(unlike.length, 'day')} of its usage unlike its own past`)
    return said
  }
  if (!audit.complete)
    said.push(`what came before ${minute(audit.from)} UTC is not read: there was no time for it`)
  if (audit.since === 0 && audit.complete) said.push('the audit log has no request with it since')
  else if (past === null) said.push('nothing is known of the time before, so that what is new cannot be told')
  else if (unlike.length === 0) said.push('nothing in the audit log is unlike its past')
  else said.push(`${counted(unlike.length + unlikeLeftOut, 'thing')} unlike its past`)
  if (spent.unseen !== null && spent.unseen.requests > 0) {
    const { requests, renders } = spent.unseen
    const made = renders > 0 ? `, ${counted(renders, 'render')} among them` : ''
    const least = spent.unkept > 0 ? 'at least ' : ''
    said.push(`${least}${counted(requests, 'request')} by callers never seen before${made}`)
  } else if (spent.unkept > 0) {
    said.push(`who made ${counted(spent.unkept, 'request')} is not known: there were too many callers`)
  }
  return said
}

/** What it is held against. */
export function comparisonOf({ since, at, past, audit }: Incident): string {
  const ms = Date.parse(at) - Date.parse(since)
  const long = formatDuration(ms < 60_000 ? ms : Math.round(ms / 60_000) * 60_000)
  const stretch = `from ${minute(since)} to ${minute(at)} UTC (${long})`
  if (audit === null || past === null) return stretch
  const before = `${counted(past.requests, 'request')} on ${counted(past.days, 'day')} before`
  const [, ...replaced] = past.keyIds
  const whose = replaced.length === 0 ? '' : `, of ${replaced.join(', ')} too, which it replaced`
  return `${stretch}, held against ${before}${whose}${past.isThin ? ', which is little to go by' : ''}`
}

/** Names and sentences: requests, renders, plan. */
export function spentFacts({ spent, key }: Incident): (readonly [string, string])[] {
  if (spent.source === null)
    return [['requests', 'not known: there is neither an audit log nor usage by days']]
  const facts: (readonly [string, string])[] = []
  const { requests, failed, refused, renders, unseen, unkept, countsAgainstPlan } = spent
  const by = spent.source === 'usage' ? ' (by usage, of whole days)' : ''
  const ofThem = refused !== null && refused > 0 ? ` (${figure(refused)} refused: 401, 402, 403, 429)` : ''
  const least = unkept > 0 ? 'at least ' : ''
  const new_ = (count: number | undefined) =>
    unseen === null ? '' : `; ${least}${figure(count ?? 0)} by callers never seen before`
  facts.push([
    'requests',
    `${figure(requests ?? 0)}, ${figure(failed ?? 0)} of them failed${ofThem}${by}${new_(unseen?.requests)}`,
  ])
  const counts =
    countsAgainstPlan === null
      ? ''
      : countsAgainstPlan
        ? '; those of a live key count against the plan'
        : '; those of a test key do not count against the plan'
  if (renders === null)
    facts.push(['renders', `not known: usage does not tell them from other requests${counts}`])
  else facts.push(['renders', `${figure(renders)}${new_(unseen?.renders)}${counts}`])
  if (spent.busiestDay !== null) {
    const { date, requests: most, share } = spent.busiestDay
    const ofLimit =
      share === null || spent.dailyLimit === null
        ? ''
        : `, ${percent(share)} of the ${figure(spent.dailyLimit)} that plan ${spent.plan ?? ''} lets a key make a day`
    facts.push(['busiest day', `${date} with ${counted(most, 'request')}${ofLimit}`])
  }
  if (key?.type === 'test') facts.push(['limit', 'a test key has 100 renders a day, watermarked'])
  return facts
}

/** What is not in the figures, each in a sentence. */
export function gapsOf(incident: Incident): string[] {
  const { audit, usage, key, spent } = incident
  const gaps: string[] = []
  if (usage === null) gaps.push('usage is not to be had: the API keeps none, or not of this key any more')
  if (audit === null)
    gaps.push('the audit log is not to be had: addresses, programs and endpoints are not known')
  else gaps.push(...gapsOfLog(audit, incident))
  if (key === null) gaps.push('the key is deleted: its name, type and access are not known any more')
  if (key !== null && key.access === null) gaps.push('the API does not tell what access the key has')
  if (spent.countsAgainstPlan === true) {
    gaps.push("the API does not tell how much of the plan's quota of renders is left: the dashboard does")
  }
  return gaps
}

function gapsOfLog(audit: IncidentAudit, { unlikeLeftOut, reach }: Incident): string[] {
  const { from, unkept, probes, complete } = audit
  const gaps = [
    `the audit log was ${complete ? '' : 'only '}read back to ${minute(from)} UTC, and may be some minutes late; what it does not keep is not known`,
  ]
  const nouns = { addresses: 'addresses', networks: 'networks', userAgents: 'user agents' } as const
  for (const [kind, noun] of Object.entries(nouns)) {
    const count = unkept[kind as keyof typeof nouns]
    if (count > 0)
      gaps.push(`${counted(count, 'request')} came with further ${noun}, beyond the 1,000 seen last`)
  }
  if (unkept.calls > 0) {
    gaps.push(
      `who made ${counted(unkept.calls, 'request')} is not in the figures of callers: there were too many to be kept`,
    )
  }
  if (unlikeLeftOut > 0)
    gaps.push(`${counted(unlikeLeftOut, 'thing')} more unlike its past: 50 of a kind are named`)
  if (reach.endpointsLeftOut > 0) gaps.push(`${counted(reach.endpointsLeftOut, 'endpoint')} more were called`)
  if (probes > 0) {
    gaps.push(
      `${counted(probes, 'request')} by pictify-keys, as it proves keys, called new nowhere; a stranger can give himself out for it`,
    )
  }
  return gaps
}

export function markSentence({ kind, value }: Mark): string {
  return value === '' ? markWords[kind] : `${markWords[kind]} ${value}`
}

/** A row for people: hours of which nothing is to be said are put together. */
export interface FoldedRow extends Omit<TimelineRow, 'kind'> {
  kind: TimelineRow['kind'] | 'usual' | 'unseen' | 'unkept'
}

/**
 * Rows without marks are put together where they follow each other within a day: those by known callers alone, those with
 * callers never seen, and those whose callers were not kept.
 */
export function foldTimeline(rows: readonly TimelineRow[]): FoldedRow[] {
  const folded: FoldedRow[] = []
  for (const row of rows) {
    const last = folded.at(-1)
    const kind = kindOf(row)
    const isSameDay = kind === 'quiet' || last?.from.slice(0, 10) === row.from.slice(0, 10)
    const isMore = last !== undefined && (last.kind === kind || (last.kind === 'usual' && kind === 'quiet'))
    if (!isMore || !isSameDay || kind === 'before' || row.marks.length > 0 || last.marks.length > 0) {
      folded.push({ ...row, kind })
      continue
    }
    last.until = row.until
    last.requests += row.requests
    last.failed += row.failed
    last.refused += row.refused
    last.unkept += row.unkept
    if (last.unseen !== null) last.unseen += row.unseen ?? 0
  }
  return folded
}

function kindOf({ kind, unseen, unkept }: TimelineRow): FoldedRow['kind'] {
  if (kind === 'before' || kind === 'quiet') return kind
  if (unseen !== null && unseen > 0) return 'unseen'
  return unkept > 0 ? 'unkept' : 'usual'
}

/** How many of a row came from callers never seen: empty where that cannot be told. */
export function unseenFigure({ kind, unseen, unkept }: FoldedRow): string {
  if (kind === 'before' || unseen === null) return ''
  return `${figure(unseen)}${unkept > 0 ? '+' : ''}`
}

export function rowSentence(row: FoldedRow): string {
  const { marks, marksLeftOut, unkept } = row
  const said = marks.map(markSentence)
  if (marksLeftOut > 0) said.push(`and ${figure(marksLeftOut)} more`)
  if (said.length === 0) said.push(...callersSentence(row))
  if (unkept > 0) said.push(`callers of ${counted(unkept, 'request')} not kept`)
  return said.join('; ')
}

function callersSentence({ kind, unseen }: FoldedRow): string[] {
  if (kind === 'before') return ['before the incident']
  if (kind === 'quiet') return ['no requests']
  if (kind === 'unseen') return ['also by callers never seen before']
  return unseen === null || kind === 'unkept' ? [] : ['by known callers alone']
}
