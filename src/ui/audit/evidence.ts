import type { Evidence } from '../../audit/finding.ts'
import { formatDuration } from '../../duration.ts'

type Value = Evidence[string]

const listed = 5
/** Below it milliseconds are told as they are: `5,757 ms`. */
const exactMs = 60_000
const units: ReadonlySet<string> = new Set(['ms', 'percent'])
const endings: ReadonlySet<string> = new Set(['at', 'days'])
// made once: each takes longer than a line takes to print
const inHundredths = new Intl.NumberFormat('en', { maximumFractionDigits: 2 })
const inTenths = new Intl.NumberFormat('en', { maximumFractionDigits: 1 })
const instants = /(?<!\S)(\d{4}-\d\d-\d\d)T(\d\d:\d\d):\d\d(?:\.\d+)?Z(?!\S)/g

/** What was measured, as names and values for people: `lastUsedAt` is `last used`, `idleMs` a duration in words. */
export function evidenceFacts(evidence: Evidence): (readonly [name: string, value: string])[] {
  return Object.entries(evidence).map(([name, value]) => [nameOf(name), valueOf(name, value)] as const)
}

/** The same in a line. */
export function evidenceLine(evidence: Evidence): string {
  return evidenceFacts(evidence)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ')
}

/** The parts of `errorPercent24h`: error, percent, 24h. */
function partsOf(name: string): string[] {
  return (name.match(/p\d+|\d+[a-z]*|[A-Z]?[a-z]+/g) ?? [name]).map((part) => part.toLowerCase())
}

/** Without the unit, which the value has, and the ending of an instant. */
function nameOf(name: string): string {
  const parts = partsOf(name)
  const isOne = parts.length === 1
  return parts
    .filter((part, at) => isOne || !(units.has(part) || (endings.has(part) && at === parts.length - 1)))
    .join(' ')
}

function valueOf(name: string, value: Value): string {
  if (value === null) return 'none'
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  if (typeof value === 'number') return figure(name, value)
  if (typeof value === 'string') return shortInstant(value)
  const more = value.length - listed
  return (
    [...value.slice(0, listed).map(shortInstant), ...(more > 0 ? [`and ${more} more`] : [])].join('; ') ||
    'none'
  )
}

function figure(name: string, value: number): string {
  const parts = partsOf(name)
  const text = inHundredths.format(value)
  if (parts.includes('ms'))
    return value < exactMs ? `${Math.round(value).toLocaleString('en')} ms` : formatDuration(value)
  if (parts.includes('percent')) return `${text} %`
  if (parts.at(-1) === 'days') return `${text} d`
  return text
}

/** `12.5 %` of 0.125. */
export function percent(share: number): string {
  return `${(share < 0.01 ? inHundredths : inTenths).format(share * 100)} %`
}

/** `2026-03-01 11:55 UTC` for each instant in a text; the rest as it is. */
export function shortInstant(text: string): string {
  return text.replaceAll(instants, '$1 $2 UTC')
}
