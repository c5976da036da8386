import type { Incident, Sighting } from '../../../src/audit/incident.ts'
import type { IncidentReport } from '../../../src/audit/incident-report.ts'
import { dayMs, event, events, hourMs, incidentOf, keeping } from '../../audit/incident-fixture.ts'
import { key } from '../../api/client-fixture.ts'
import type { Key } from '../../../src/api/contract.ts'

/** A report as the program makes it, of a log in which a stranger says `hostile` wherever he can. */
export async function reportOf(hostile: string, fields: Partial<Key> = {}): Promise<IncidentReport> {
  const stranger = { ip: hostile, userAgent: hostile, endpoint: `/${hostile}`, method: hostile }
  const before = events(336, 7 * dayMs + hourMs, 2 * hourMs)
  keeping([event(hourMs), ...events(40, 2 * hourMs, 60_000, stranger), ...before])
  const incident = await incidentOf({ key: key({ name: hostile, access: 'admin', ...fields }) })
  return reportWith({
    ...incident,
    usage: incident.usage && { ...incident.usage, countries: { [hostile]: 3 } },
  })
}

/** The report around what was found. */
export function reportWith(incident: Incident): IncidentReport {
  const { id, name, type, status, createdAt } = key({ name: incident.key?.name ?? 'x' })
  return {
    incident,
    matchedBy: null,
    keysSince: [{ id, name, type, status, createdAt }],
    keysSinceLeftOut: 2,
    next: [{ what: 'stop it now', command: `pictify-keys rotate ${id} --compromised --revoke-first` }],
  }
}

/** So many of a kind. */
export function sightings(count: number): Sighting[] {
  return Array.from({ length: count }, (_, n) => ({
    value: `203.0.${n >> 8}.${n & 255}`,
    requests: 1,
    firstAt: '2026-03-01T10:00:00.000Z',
    lastAt: '2026-03-01T10:00:00.000Z',
    since: 1,
    isNew: true,
  }))
}
