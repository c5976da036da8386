import type { FleetKey } from '../../../src/fleet/fleet.ts'
import type { Survey } from '../../../src/audit/survey.ts'

/** An entry of the keys file that says nothing but its name. */
export function entry(key: string, fields: Partial<FleetKey> = {}): FleetKey {
  return {
    key,
    line: 3,
    type: undefined,
    maxAgeMs: undefined,
    overlapMs: undefined,
    to: [],
    verify: undefined,
    ...fields,
  }
}

/** A survey's keys file with these entries. */
export function fleetOf(...keys: FleetKey[]): Pick<Survey, 'fleet' | 'rotations'> {
  const audit = { rules: {}, workingHours: undefined, accept: [] }
  const file = { path: '/srv/team/pictify-keys.yaml', file: 'pictify-keys.yaml' }
  return {
    fleet: { known: true, value: { ...file, keys, audit, alerts: [], notify: [] } },
    rotations: { known: true, value: [] },
  }
}
