import type { AlertIncident } from '../../alerts/incident.ts'

const mostNamed = 3

/** What fires, and what of it was not there when it was told before. */
export function firingText({ measured, added }: Pick<AlertIncident, 'measured' | 'added'>): string {
  if (added.length === 0) return measured.message
  const more = added.length > mostNamed ? ` and ${added.length - mostNamed} more` : ''
  return `${measured.message}; new since it was told: ${added.slice(0, mostNamed).join(', ')}${more}`
}
