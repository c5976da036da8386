import type { Evidence } from '../../audit/finding.ts'
import { formatDuration } from '../../duration.ts'

type Value = Evidence[string]

const listed = 5
const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/

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

function nameOf(name: string): string {
  const bare = name.replace(/(?<=[a-z\d])(?:At|Ms|Days)$/, '')
  return bare.replaceAll(/(?<=[a-z\d])[A-Z]/g, (letter) => ` ${letter}`).toLowerCase()
}

function valueOf(name: string, value: Value): string {
  if (value === null) return 'none'
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  if (typeof value === 'number') return figure(name, value)
  if (typeof value === 'string') return instant.test(value) ? shortInstant(value) : value
  const more = value.length - listed
  return [...value.slice(0, listed), ...(more > 0 ? [`and ${more} more`] : [])].join('; ') || 'none'
}

function figure(name: string, value: number): string {
  if (name.endsWith('Ms')) return formatDuration(value)
  if (name.endsWith('Days')) return `${value.toLocaleString('en')} d`
  if (/(?:rate|share)$/i.test(name)) return percent(value)
  return value.toLocaleString('en', { maximumFractionDigits: 2 })
}

/** `12.5 %` of 0.125. */
export function percent(share: number): string {
  return `${(share * 100).toLocaleString('en', { maximumFractionDigits: share < 0.01 ? 2 : 1 })} %`
}

/** `2026-03-01 11:55 UTC`; a text that is no instant as it is. */
export function shortInstant(text: string): string {
  return instant.test(text) ? `${text.slice(0, 10)} ${text.slice(11, 16)} UTC` : text
}
